"""Producer and consumer over real sockets, on one poller; libzmq as the other side."""

import socket
import time
from collections.abc import Callable

import pytest
import zmq

from tests.free_ports import free_port
from wrapper.protocol.encoding.encoding import get_encoding
from wrapper.storage.format.header import make_header
from wrapper.supervisor.loop.burst import Burst
from wrapper.supervisor.loop.poller import Poller
from wrapper.supervisor.streams import producer as producer_module
from wrapper.supervisor.streams.consumer import Consumer, ParentAddress
from wrapper.supervisor.streams.notices import Notices
from wrapper.supervisor.streams.producer import Producer

LIMIT = 10.0
MSGPACK = get_encoding("msgpack")
HEADER = make_header(False, "msgpack")
EMPTY_FLOW = b"\x90"


class Loop:
    """Drives a producer and consumers, as the supervisor does."""

    def __init__(self):
        self.poller = Poller()
        self.lines: list[str] = []
        self.notices = Notices(self.lines.append)
        self.parts: list[Producer | Consumer] = []
        self.posted: list[Callable[[], None]] = []

    def producer(self, limit=10**6):
        port = free_port()
        made = Producer(port, ["B"], limit, MSGPACK, self.poller, self.notices, Burst())
        made.start()
        self.parts.append(made)
        return made, port

    def consumer(self, deliver):
        made = Consumer(
            "B", MSGPACK, self.poller, self.posted.append, self.notices, deliver, Burst()
        )
        self.parts.append(made)
        return made

    def run_until(self, is_true):
        deadline = time.monotonic() + LIMIT
        while not is_true():
            now = time.monotonic()
            assert now < deadline, "\n".join(["it did not happen", *self.lines])
            for part in self.parts:
                part.tick(now)
            while self.posted:
                self.posted.pop()()
            self.poller.wait(0.01)

    def close(self):
        for part in self.parts:
            part.close()


@pytest.fixture
def loop():
    made = Loop()
    yield made
    made.close()


def send(producer, text):
    producer.append(EMPTY_FLOW, HEADER, text.encode(), ["B"], time.monotonic())


def test_messages_go_from_a_producer_to_a_consumer_and_back_comes_that_they_were_handled(loop):
    producer, port = loop.producer()
    got = []

    def deliver(delivery, node, message):
        got.append((node, bytes(message.payload).decode()))
        consumer.handled(delivery, 1.0)

    consumer = loop.consumer(deliver)
    for number in range(100):
        send(producer, str(number))
    consumer.listen(True)
    consumer.add(ParentAddress("127.0.0.1", port), "A")
    loop.run_until(lambda: producer.is_drained)
    assert got == [("A", str(number)) for number in range(100)]
    assert consumer.asking.in_hand == 0


def test_large_messages_arrive_whole(loop):
    producer, port = loop.producer(limit=10**8)
    sizes = [200_000, 3_000_000, 0, 70_000]
    got = []

    def deliver(delivery, node, message):
        got.append(len(message.payload))
        consumer.handled(delivery, 1.0)

    consumer = loop.consumer(deliver)
    for size in sizes:
        send(producer, "x" * size)
    consumer.listen(True)
    consumer.add(ParentAddress("127.0.0.1", port), "A")
    loop.run_until(lambda: producer.is_drained)
    assert got == sizes


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_parents_are_reached_by_ipv4_ipv6_and_by_name(loop, host):
    if host == "::1" and not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    producer, port = loop.producer()
    got = []
    consumer = loop.consumer(lambda delivery, node, message: got.append(bytes(message.payload)))
    consumer.listen(True)
    consumer.add(ParentAddress(host, port), "A")
    send(producer, "hello")
    loop.run_until(lambda: got)
    assert got == [b"hello"]


def test_a_parent_that_listens_later_is_found(loop):
    port = free_port()
    got = []
    consumer = loop.consumer(lambda delivery, node, message: got.append(bytes(message.payload)))
    consumer.listen(True)
    consumer.add(ParentAddress("localhost", port), "A")
    loop.run_until(lambda: consumer.deadline(time.monotonic()) is not None)
    producer = Producer(port, ["B"], 10**6, MSGPACK, loop.poller, loop.notices, Burst())
    producer.start()
    loop.parts.append(producer)
    send(producer, "x")
    loop.run_until(lambda: got == [b"x"])


@pytest.fixture
def dealer():
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    made = context.socket(zmq.DEALER)
    yield made
    made.close(linger=0)
    context.term()


def test_a_consumer_of_libzmq_gets_one_message_each_time_it_asks(loop, dealer):
    producer, port = loop.producer()
    send(producer, "x")
    dealer.connect(f"tcp://127.0.0.1:{port}")
    dealer.send_multipart([b"\x01", b"\xa1B", b"\x03"])
    loop.run_until(lambda: dealer.poll(0))
    assert dealer.recv_multipart() == [b"\x04", EMPTY_FLOW, HEADER, b"x"]
    dealer.send_multipart([b"\x02", b"\xa1B", b"\x81\xa8duration\xcb?\xf0\0\0\0\0\0\0"])
    loop.run_until(lambda: producer.is_drained)
    dealer.send_multipart([b"\x01", b"\xa1B", b"\x03"])
    loop.run_until(lambda: dealer.poll(0))
    assert dealer.recv_multipart() == [b"\x05"]


@pytest.mark.parametrize(
    "frames, text",
    [
        ([b"\x01", b"\xa1X", b"\x03"], "no child of this node"),
        ([b"\x09", b"\xa1B", b"\x03"], "begins with 09"),
        ([b"\x01"], "1 frames, not 3"),
    ],
)
def test_strangers_and_junk_are_ignored_with_a_line(loop, dealer, frames, text):
    _, port = loop.producer()
    dealer.connect(f"tcp://127.0.0.1:{port}")
    dealer.send_multipart(frames)
    loop.run_until(lambda: any(text in line for line in loop.lines))


def test_another_protocol_is_closed_with_a_line(loop):
    _, port = loop.producer()
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        loop.run_until(lambda: any("does not speak ZMTP" in line for line in loop.lines))


def test_idle_strangers_are_limited_and_well_behaved_consumers_served(loop, dealer, monkeypatch):
    monkeypatch.setattr(producer_module, "_MOST_CONNECTIONS", 3)
    producer, port = loop.producer()
    dealer.connect(f"tcp://127.0.0.1:{port}")
    dealer.send_multipart([b"\x01", b"\xa1B", b"\x03"])
    loop.run_until(lambda: dealer.poll(0))
    strangers = [socket.create_connection(("127.0.0.1", port)) for _ in range(10)]
    loop.run_until(lambda: any("refused a consumer" in line for line in loop.lines))
    dealer.recv_multipart()
    send(producer, "x")
    dealer.send_multipart([b"\x01", b"\xa1B", b"\x03"])
    loop.run_until(lambda: dealer.poll(0))
    assert dealer.recv_multipart()[3] == b"x"
    for sock in strangers:
        sock.close()


def test_a_full_queue_drops_the_oldest_with_a_line(loop):
    producer, _ = loop.producer(limit=100)
    for number in range(50):
        send(producer, f"{number:050}")
    assert producer.queue.counts("B").dropped == 48
    assert any("the oldest messages were dropped" in line for line in loop.lines)
