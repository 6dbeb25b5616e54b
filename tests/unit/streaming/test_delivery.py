from collections import Counter

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from wrapper.streaming.delivery import RETURN_WITHIN, Deliveries, HandOut, NothingYet, Window
from wrapper.streaming.queue import OutgoingQueue
from wrapper.streaming.statistics import ChildStatistics

OPEN = Window(4, 1000)


class Producer:
    """A queue with its deliveries, and what was given up."""

    def __init__(self, limit=10**6):
        self.queue = OutgoingQueue(["B"], limit)
        self.statistics = ChildStatistics()
        self.given_up: list[int] = []
        self.deliveries = Deliveries(
            self.queue, {"B": self.statistics}, lambda child, count: self.given_up.append(count)
        )

    def send(self, text, now=0.0):
        self.queue.append(b"", b"", text.encode(), ["B"], now)
        return self.deliveries.queued("B", now)

    def ask(self, who, window=None, now=0.0, connection=None, in_hand=()):
        connection = connection or who
        return self.deliveries.asks(connection, who.encode(), "B", window, now, in_hand)

    def handled(self, who, number=None, now=0.0):
        return self.deliveries.handled(who, who.encode(), number, 1.0, now)


def texts(answers):
    return [bytes(each.message.payload).decode() for each in answers if isinstance(each, HandOut)]


def test_a_consumer_of_hkubes_wrappers_gets_one_message_each_time_it_asks():
    producer = Producer()
    producer.send("x")
    producer.send("y")
    (answer,) = producer.ask("one")
    assert isinstance(answer, HandOut)
    assert answer.number is None
    assert producer.handled("one") == []
    assert texts(producer.ask("one")) == ["y"]


def test_an_empty_queue_is_said_at_once():
    assert Producer().ask("one") == [NothingYet("one", has_window=False)]


def test_a_window_gets_messages_as_they_come():
    producer = Producer()
    assert producer.ask("one", OPEN) == [NothingYet("one", has_window=True)]
    assert texts(producer.send("x")) == ["x"]


def test_a_window_takes_so_many_and_more_when_some_are_handled():
    producer = Producer()
    for text in "abcdef":
        producer.send(text)
    answers = producer.ask("one", OPEN)
    assert texts(answers) == list("abcd")
    assert producer.send("g") == []
    assert texts(producer.handled("one", answers[0].number)) == ["e"]


def test_a_window_takes_so_many_bytes_but_always_one_message():
    producer = Producer()
    for size in (600, 600, 2000):
        producer.send("x" * size)
    first = producer.ask("one", Window(10, 1000))
    assert [len(text) for text in texts(first)] == [600]
    second = producer.handled("one", first[0].number)
    assert [len(text) for text in texts(second)] == [600]
    assert len(texts(producer.handled("one", second[0].number))[0]) == 2000


def test_windows_are_served_in_turn():
    producer = Producer()
    producer.ask("one", OPEN)
    producer.ask("two", OPEN)
    got = Counter(producer.send(text)[0].connection for text in "abcdef")
    assert got == {"one": 3, "two": 3}


def test_a_lost_consumers_messages_go_to_others_after_a_while():
    producer = Producer()
    producer.send("x")
    producer.ask("one", OPEN)
    producer.ask("two", OPEN)
    producer.deliveries.gone("one", b"one", 1.0)
    assert producer.deliveries.tick(1.0 + RETURN_WITHIN - 0.1) == []
    answers = producer.deliveries.tick(1.0 + RETURN_WITHIN)
    assert texts(answers) == ["x"]
    assert answers[0].connection == "two"


def test_a_consumer_that_comes_back_in_time_keeps_its_messages():
    producer = Producer()
    producer.send("x")
    (answer,) = producer.ask("one", OPEN)
    producer.deliveries.gone("one", b"one", 1.0)
    back = producer.ask("one", OPEN, 2.0, connection="again", in_hand=(answer.number,))
    assert texts(back) == []
    producer.deliveries.handled("again", b"one", answer.number, 1.0, 3.0)
    assert producer.queue.is_empty
    assert producer.deliveries.tick(100.0) == []


def test_what_did_not_reach_a_consumer_that_comes_back_is_sent_again():
    producer = Producer()
    producer.send("x")
    producer.ask("one", OPEN)
    producer.deliveries.gone("one", b"one", 1.0)
    assert texts(producer.ask("one", OPEN, 2.0, connection="again")) == ["x"]


def test_a_message_lost_with_three_consumers_is_given_up():
    producer = Producer()
    producer.send("poison")
    for number in range(3):
        who = f"consumer-{number}"
        assert texts(producer.ask(who, now=number * 10.0)) == ["poison"]
        producer.deliveries.gone(who, who.encode(), number * 10.0)
        producer.deliveries.tick(number * 10.0 + RETURN_WITHIN)
    assert producer.given_up == [1]
    assert producer.queue.is_empty


def test_an_unknown_report_is_ignored():
    producer = Producer()
    assert producer.handled("nobody") == []
    producer.send("x")
    producer.ask("one", OPEN)
    assert producer.handled("one", 77) == []
    assert not producer.queue.is_empty


def test_the_duration_of_a_window_counts_from_the_end_of_the_message_before():
    producer = Producer()
    producer.send("x")
    producer.send("y")
    first, second = producer.ask("one", OPEN, now=0.0)
    producer.handled("one", first.number, now=1.0)
    producer.handled("one", second.number, now=1.5)
    (report,) = producer.deliveries.report()
    assert report.durations == [1000.0, 500.0]
    assert report.message()["responses"] == 2


class Consumers(RuleBasedStateMachine):
    """Consumers come, ask, handle and die at random: every message is handled by someone."""

    def __init__(self):
        super().__init__()
        self.producer = Producer()
        self.producer.queue = OutgoingQueue(["B"], 10**6, max_deliveries=10**6)
        self.producer.deliveries = Deliveries(
            self.producer.queue, {"B": ChildStatistics()}, lambda child, count: None
        )
        self.now = 0.0
        self.sent = 0
        self.handled: Counter[bytes] = Counter()
        self.hands = {}  # consumer → messages in hand, oldest first
        self.windows = {}
        self.numbers = 0

    def deal(self, answers):
        for answer in answers:
            if isinstance(answer, HandOut):
                self.hands[answer.connection].append((answer.number, answer.message))

    @rule(window=st.sampled_from([None, OPEN, Window(1, 10)]))
    def come(self, window):
        self.numbers += 1
        who = f"c{self.numbers}"
        self.hands[who], self.windows[who] = [], window
        self.deal(self.producer.ask(who, window, self.now))

    @rule()
    def send(self):
        self.deal(self.producer.send(str(self.sent), self.now))
        self.sent += 1

    @precondition(lambda self: any(self.hands.values()))
    @rule(data=st.data())
    def handle(self, data):
        who = data.draw(st.sampled_from([who for who, hand in self.hands.items() if hand]))
        number, message = self.hands[who].pop(0)
        self.handled[bytes(message.payload)] += 1
        self.deal(self.producer.handled(who, number, self.now))
        if self.windows[who] is None:
            self.deal(self.producer.ask(who, None, self.now))

    @precondition(lambda self: self.hands)
    @rule(data=st.data())
    def die(self, data):
        who = data.draw(st.sampled_from(sorted(self.hands)))
        del self.hands[who]
        self.producer.deliveries.gone(who, who.encode(), self.now)

    @rule(seconds=st.sampled_from([0.1, 3.0, RETURN_WITHIN]))
    def wait(self, seconds):
        self.now += seconds
        self.deal(self.producer.deliveries.tick(self.now))

    def teardown(self):
        for who in list(self.hands):
            self.producer.deliveries.gone(who, who.encode(), self.now)
            del self.hands[who]
        self.now += RETURN_WITHIN + 0.1
        self.deal(self.producer.deliveries.tick(self.now))
        self.hands["last"], self.windows["last"] = [], None
        self.deal(self.producer.ask("last", None, self.now))
        order = []
        while self.hands["last"]:
            number, message = self.hands["last"].pop(0)
            order.append(message.number)
            self.handled[bytes(message.payload)] += 1
            self.producer.handled("last", number, self.now)
            self.deal(self.producer.ask("last", None, self.now))
        assert order == sorted(order)
        assert set(self.handled) == {str(number).encode() for number in range(self.sent)}
        assert self.producer.queue.is_empty
        assert self.producer.queue.bytes == 0


TestConsumers = Consumers.TestCase
