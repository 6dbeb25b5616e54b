import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
)

from wrapper.streaming.queue import OutgoingQueue

LIMIT = 100


def put(queue, size=10, targets=("B",)):
    return queue.append(b"", b"", bytes(size), targets, 0.0)


def take(queue, child="B"):
    message = queue.take(child)
    assert message is not None
    return message


def test_messages_come_in_the_order_of_sending():
    queue = OutgoingQueue(["B"], LIMIT)
    numbers = [put(queue)[0].number for _ in range(3)]
    assert [take(queue).number for _ in range(3)] == numbers
    assert queue.take("B") is None


def test_a_message_for_two_children_counts_once_until_both_have_handled_it():
    queue = OutgoingQueue(["B", "C"], LIMIT)
    put(queue, 40, ["B", "C"])
    queue.done("B", take(queue))
    assert queue.bytes == 40
    queue.done("C", take(queue, "C"))
    assert queue.bytes == 0
    assert queue.is_empty


def test_a_message_in_flight_counts():
    queue = OutgoingQueue(["B"], LIMIT)
    put(queue, 40)
    queue.take("B")
    assert queue.bytes == 40
    assert not queue.is_empty


def test_the_oldest_is_dropped_where_the_limit_would_be_exceeded():
    queue = OutgoingQueue(["B"], LIMIT)
    put(queue, 60)
    second, dropped = put(queue, 60)
    assert dropped == 1
    assert queue.take("B") is second
    assert queue.counts("B").dropped == 1


def test_a_message_larger_than_the_limit_is_sent_alone():
    queue = OutgoingQueue(["B"], LIMIT)
    put(queue, 10)
    large, dropped = put(queue, 500)
    assert dropped == 1
    assert queue.take("B") is large


def test_what_is_in_flight_is_not_dropped():
    queue = OutgoingQueue(["B"], LIMIT)
    put(queue, 90)
    flying = take(queue)
    put(queue, 90)
    assert queue.counts("B").dropped == 0
    queue.done("B", flying)
    assert queue.bytes == 90


def test_lost_messages_come_again_first_and_in_order():
    queue = OutgoingQueue(["B"], LIMIT)
    messages = [put(queue)[0] for _ in range(4)]
    taken = [take(queue) for _ in range(3)]
    assert queue.lost("B", taken) == 0
    assert [queue.take("B") for _ in range(4)] == messages
    counts = queue.counts("B")
    assert (counts.sent, counts.redelivered) == (4, 3)


def test_a_message_that_was_lost_three_times_is_dropped():
    queue = OutgoingQueue(["B"], LIMIT, max_deliveries=3)
    put(queue)
    assert [queue.lost("B", [take(queue)]) for _ in range(3)] == [0, 0, 1]
    assert queue.is_empty
    assert queue.bytes == 0
    assert queue.counts("B").dropped == 1


def test_messages_that_only_waited_in_lost_consumers_are_never_dropped():
    queue = OutgoingQueue(["B"], LIMIT, max_deliveries=3)
    messages = [put(queue)[0] for _ in range(3)]
    for _ in range(2):
        assert queue.lost("B", [take(queue) for _ in range(3)]) == 0
    assert queue.lost("B", [take(queue) for _ in range(3)]) == 1
    assert [queue.take("B") for _ in range(3)] == [*messages[1:], None]


def test_a_reset_drops_what_waits_and_counts_it():
    queue = OutgoingQueue(["B"], LIMIT)
    for _ in range(5):
        put(queue)
    queue.take("B")
    assert queue.reset(1) == 1
    assert queue.reset() == 3
    assert queue.counts("B").dropped == 4
    assert queue.bytes == 10


@pytest.mark.parametrize("count", [0, -1])
def test_a_reset_of_none_drops_nothing(count):
    queue = OutgoingQueue(["B"], LIMIT)
    put(queue)
    assert queue.reset(count) == 0


class QueueMachine(RuleBasedStateMachine):
    """Takes, hands back and drops messages at random: bytes add up and none disappears."""

    flights = Bundle("flights")

    def __init__(self):
        super().__init__()
        self.queue = OutgoingQueue(["B", "C"], LIMIT)
        self.sent = {"B": 0, "C": 0}
        self.flying = {"B": 0, "C": 0}

    @rule(size=st.integers(0, 150), children=st.sampled_from([("B",), ("C",), ("B", "C")]))
    def append(self, size, children):
        put(self.queue, size, children)
        for name in children:
            self.sent[name] += 1

    @rule(target=flights, child=st.sampled_from("BC"))
    def take(self, child):
        message = self.queue.take(child)
        if message is None:
            return multiple()
        self.flying[child] += 1
        return child, message

    @rule(flight=consumes(flights))
    def done(self, flight):
        self.flying[flight[0]] -= 1
        self.queue.done(*flight)

    @rule(flight=consumes(flights))
    def lose(self, flight):
        child, message = flight
        self.flying[child] -= 1
        self.queue.lost(child, [message])

    @rule(count=st.one_of(st.none(), st.integers(0, 3)))
    def reset(self, count):
        self.queue.reset(count)

    @invariant()
    def each_message_is_somewhere(self):
        for name, sent in self.sent.items():
            counts = self.queue.counts(name)
            places = counts.waiting + self.flying[name] + counts.responses + counts.dropped
            assert places == sent
            assert counts.sent >= counts.responses + self.flying[name]

    @invariant()
    def an_empty_queue_has_no_bytes(self):
        assert self.queue.bytes >= 0
        if self.queue.is_empty:
            assert self.queue.bytes == 0
            assert self.queue.waiting == 0


TestQueue = QueueMachine.TestCase
