import socket

import pytest
import zmq

from wrapper.protocol.zmtp.connection import ZmtpConnection
from wrapper.protocol.zmtp.frames import Limits, ZmtpError, command_bytes
from wrapper.protocol.zmtp.handshake import (
    DEALER,
    GREETING,
    ROUTER,
    Ready,
    check_greeting,
    parse_ready,
    ready_command,
)

LIMITS = Limits(message_bytes=10_000_000)
LIMIT = 10.0


class Peer:
    """A connection over a blocking socket."""

    def __init__(self, sock, socket_type, identity=b""):
        sock.settimeout(LIMIT)
        self.sock = sock
        self.zmtp = ZmtpConnection(Ready(socket_type, identity), LIMITS)
        sock.sendall(self.zmtp.opening)

    def receive(self):
        received = self.zmtp.filled(self.sock.recv_into(self.zmtp.space()))
        self.sock.sendall(received.reply)
        return received.messages

    def shake_hands(self):
        while not self.zmtp.is_ready:
            assert self.receive() == []

    def next_message(self):
        while True:
            messages = self.receive()
            if messages:
                (message,) = messages
                return [bytes(frame) for frame in message]

    def send(self, frames):
        for piece in self.zmtp.message(frames):
            self.sock.sendall(piece)


@pytest.fixture
def sockets():
    """A function that opens sockets of libzmq."""
    made: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    opened: list[zmq.Socket[bytes]] = []

    def open_socket(kind):
        opened.append(made.socket(kind))
        return opened[-1]

    yield open_socket
    for each in opened:
        each.close(linger=0)
    made.term()


def test_a_dealer_talks_to_a_router_of_libzmq(sockets):
    router = sockets(zmq.ROUTER)
    router.rcvtimeo = int(LIMIT * 1000)
    port = router.bind_to_random_port("tcp://127.0.0.1")
    with socket.create_connection(("127.0.0.1", port)) as sock:
        peer = Peer(sock, DEALER, b"abc")
        peer.shake_hands()
        frames = [b"\x01", b"n" * 300, b"x" * 100_000]
        peer.send(frames)
        assert router.recv_multipart() == [b"abc", *frames]
        router.send_multipart([b"abc", b"\x04", b"y" * 70_000, b"", b"z"])
        assert peer.next_message() == [b"\x04", b"y" * 70_000, b"", b"z"]


def test_a_router_talks_to_a_dealer_of_libzmq(sockets):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        dealer = sockets(zmq.DEALER)
        dealer.rcvtimeo = int(LIMIT * 1000)
        dealer.identity = b"me"
        dealer.connect(f"tcp://127.0.0.1:{listener.getsockname()[1]}")
        dealer.send_multipart([b"\x01", b"B", b"\x03"])
        sock, _ = listener.accept()
        with sock:
            peer = Peer(sock, ROUTER)
            assert peer.next_message() == [b"\x01", b"B", b"\x03"]
            assert peer.zmtp.peer == Ready(DEALER, b"me")
            peer.send([b"\x05"])
            assert dealer.recv_multipart() == [b"\x05"]


def test_heartbeats_of_libzmq_are_answered(sockets):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        dealer = sockets(zmq.DEALER)
        dealer.setsockopt(zmq.HEARTBEAT_IVL, 20)
        dealer.setsockopt(zmq.HEARTBEAT_TIMEOUT, 2000)
        dealer.connect(f"tcp://127.0.0.1:{listener.getsockname()[1]}")
        sock, _ = listener.accept()
        with sock:
            peer = Peer(sock, ROUTER)
            peer.shake_hands()
            replies = 0
            while replies < 3:
                received = peer.zmtp.filled(sock.recv_into(peer.zmtp.space()))
                if received.reply:
                    assert received.reply.startswith(b"\x04\x05\x04PONG"[:1])
                    replies += 1
                    sock.sendall(received.reply)


def feed(connection, data):
    space = connection.space()
    space[: len(data)] = data
    return connection.filled(len(data))


@pytest.mark.parametrize(
    "data, text",
    [
        (GREETING + b"\x00\x01x", "before the handshake"),
        (GREETING + ready_command(Ready("PUB", b"")), "a PUB, which does not fit"),
        (GREETING + command_bytes(b"\x05ERROR\x03bad"), "refused the connection: bad"),
        (GREETING + command_bytes(b"\x05HELLO"), "'HELLO' in place of READY"),
        (GREETING + command_bytes(b"\x09x"), "malformed"),
        (GREETING + command_bytes(b"\x05READY\x0bSocket-Type\0\0\0\xffx"), "cut short"),
    ],
)
def test_a_bad_handshake_is_refused(data, text):
    with pytest.raises(ZmtpError, match=text):
        feed(ZmtpConnection(Ready(ROUTER, b""), LIMITS), data)


@pytest.mark.parametrize(
    "greeting, text",
    [
        (GREETING[:10] + b"\x01" + GREETING[11:], "too old"),
        (
            GREETING[:12] + b"CURVE".ljust(20, b"\0") + GREETING[32:],
            "CURVE, which is not supported",
        ),
    ],
)
def test_an_old_version_or_a_mechanism_is_refused(greeting, text):
    with pytest.raises(ZmtpError, match=text):
        check_greeting(greeting)


def test_a_ready_command_comes_back():
    ready = Ready(DEALER, b"\x00\xffid")
    assert parse_ready(ready_command(ready)[2:]) == ready


def test_an_error_after_the_handshake_ends_the_connection():
    connection = ZmtpConnection(Ready(ROUTER, b""), LIMITS)
    feed(connection, GREETING + ready_command(Ready(DEALER, b"")))
    with pytest.raises(ZmtpError, match="reported an error"):
        feed(connection, command_bytes(b"\x05ERROR\x00"))


def test_a_ping_carries_its_time_to_live():
    assert ZmtpConnection.ping(1.5) == b"\x04\x07\x04PING\x00\x0f"
