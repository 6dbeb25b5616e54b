"""Asking the parents' pods for messages, and reporting those that were handled.

HKube's wrappers answer each question with one message, or that there is none. Producers of this
wrapper take a window instead: they send messages as they come, up to the window's credits.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple

# A parent that has nothing is asked again after this many seconds, growing to the second number.
FIRST_PAUSE = 0.005
LONGEST_PAUSE = 0.05
_PAUSE_FACTOR = 1.5
# A parent that does not answer for so long gets a new connection, as HKube's Python wrapper does.
ANSWER_WITHIN = 5.0
# Of messages from HKube's wrappers, one may wait behind the one that is being handled: their
# producers measure the wait as work, and HKube would start more pods than needed.
_MOST_FROM_OTHERS = 2
# A window holds the messages of about this many seconds of work, so that another consumer may
# take what this one would only keep waiting.
_WINDOW_SECONDS = 0.05
FIRST_CREDITS = 16
MOST_CREDITS = 256
WINDOW_BYTES = 8 * 1024 * 1024

Address = Hashable


class Ask(NamedTuple):
    """Ask this parent.

    Attributes:
        credits: of the window that is offered to a producer of this wrapper.
        in_hand: numbers of the messages that were not handled yet, for a new connection.
    """

    address: Address
    credits: int
    in_hand: tuple[int, ...]


class Reconnect(NamedTuple):
    """This parent does not answer: open a new connection."""

    address: Address


class Handled(NamedTuple):
    """Report to a parent that a message was handled.

    Attributes:
        number: the producer's number of the message; None: it gave none.
    """

    address: Address
    number: int | None
    milliseconds: float


class _Parent:
    """One pod of a parent node."""

    __slots__ = (
        *("asked_at", "credits", "has_window", "in_hand"),
        *("is_connected", "is_new", "next_ask", "node", "pause"),
    )

    def __init__(self, node: str) -> None:
        self.node = node
        self.is_connected = False
        self.is_new = True  # the connection was not asked through yet
        self.asked_at: float | None = None  # an answer is due
        self.next_ask = 0.0
        self.pause = FIRST_PAUSE
        self.has_window = False
        self.credits = FIRST_CREDITS
        self.in_hand: dict[int, int | None] = {}  # delivery → the producer's number


class Asking:
    """The parents of a node, and the messages from them that were not handled yet."""

    def __init__(self) -> None:
        self._parents: dict[Address, _Parent] = {}
        self._from: dict[int, Address] = {}  # delivery → the parent it came from
        self._is_listening = False
        self._next_delivery = 1
        self._average = 0.0  # milliseconds of handling, of the last messages
        self._turn: Address | None = None

    # ------------------------------------------------------------------------- parents --
    def add(self, address: Address, node: str) -> None:
        """A pod of a parent node is there."""
        self._parents[address] = _Parent(node)

    def remove(self, address: Address) -> None:
        """A pod of a parent node has gone. What came from it is handled all the same."""
        self._parents.pop(address, None)

    def connected(self, address: Address) -> None:
        """The connection to a parent is ready."""
        parent = self._parents.get(address)
        if parent is not None:
            parent.is_connected = True
            parent.is_new = True
            parent.asked_at = None
            parent.has_window = False
            parent.next_ask = 0.0
            parent.pause = FIRST_PAUSE

    def disconnected(self, address: Address) -> None:
        """The connection to a parent has ended."""
        parent = self._parents.get(address)
        if parent is not None:
            parent.is_connected = False
            parent.asked_at = None
            parent.has_window = False

    def listen(self, listening: bool) -> None:
        """Begin or cease to ask."""
        self._is_listening = listening

    @property
    def is_listening(self) -> bool:
        """Whether parents are asked."""
        return self._is_listening

    @property
    def in_hand(self) -> int:
        """Messages that were received and not handled yet."""
        return len(self._from)

    @property
    def awaits_answer(self) -> bool:
        """Whether a parent's answer is due, which may be a message."""
        return any(each.asked_at is not None for each in self._parents.values())

    # ------------------------------------------------------------------------- answers --
    def received(self, address: Address, number: int | None, now: float) -> int:
        """A message came from a parent.

        Args:
            number: the producer's; None: it gave none.

        Returns:
            The delivery's number, by which the algorithm reports that it was handled.
        """
        delivery = self._next_delivery
        self._next_delivery += 1
        self._from[delivery] = address
        parent = self._parents.get(address)
        if parent is not None:
            parent.in_hand[delivery] = number
            parent.asked_at = None
            parent.has_window = number is not None
            parent.pause = FIRST_PAUSE
            parent.next_ask = now
        return delivery

    def nothing(self, address: Address, has_window: bool, now: float) -> None:
        """A parent has no message.

        Args:
            has_window: it took the window, and sends messages without being asked again.
        """
        parent = self._parents.get(address)
        if parent is None:
            return
        parent.asked_at = None
        parent.has_window = has_window
        parent.next_ask = now + parent.pause
        parent.pause = min(parent.pause * _PAUSE_FACTOR, LONGEST_PAUSE)

    def handled(self, delivery: int, milliseconds: float) -> Handled | None:
        """The algorithm has handled a message; returns what to report, if its parent is there."""
        address = self._from.pop(delivery, None)
        parent = self._parents.get(address) if address is not None else None
        self._average += (milliseconds - self._average) * 0.2
        if parent is None or delivery not in parent.in_hand:
            return None
        number = parent.in_hand.pop(delivery)
        return Handled(address, number, milliseconds)

    # ----------------------------------------------------------------------- questions --
    def due(self, now: float) -> list[Ask | Reconnect]:
        """Whom to ask now, and who has not answered."""
        actions: list[Ask | Reconnect] = []
        wanted = self._wanted_credits()
        for address, parent in self._in_turn():
            if not parent.is_connected:
                continue
            if parent.asked_at is not None:
                if now - parent.asked_at >= ANSWER_WITHIN:
                    parent.asked_at = None
                    parent.is_connected = False
                    # The new connection has a new identity, under which these numbers mean
                    # nothing: the producer will hand their messages out again.
                    parent.in_hand.clear()
                    actions.append(Reconnect(address))
                continue
            if not self._is_listening or not self._may_ask(parent, wanted, now):
                continue
            in_hand = tuple(each for each in parent.in_hand.values() if each is not None)
            actions.append(Ask(address, wanted, in_hand if parent.is_new else ()))
            parent.is_new = False
            parent.credits = wanted
            if not parent.has_window:
                parent.asked_at = now
                self._turn = address
        return actions

    def deadline(self, now: float) -> float | None:
        """When `due` has something next, as far as it depends on time alone; None: never."""
        earliest: float | None = None
        wanted = self._wanted_credits()
        for parent in self._parents.values():
            if not parent.is_connected:
                continue
            if parent.asked_at is not None:
                at = parent.asked_at + ANSWER_WITHIN
            elif self._is_listening and self._may_ask(parent, wanted, parent.next_ask):
                at = parent.next_ask
            else:
                continue
            if earliest is None or at < earliest:
                earliest = at
        return earliest

    def _may_ask(self, parent: _Parent, wanted: int, now: float) -> bool:
        if parent.has_window:
            # A window is renewed when it should be much larger or smaller.
            return not parent.credits / 2 <= wanted <= parent.credits * 2
        if now < parent.next_ask or self._outstanding() >= _MOST_FROM_OTHERS:
            return False
        # HKube's producers lose count of a consumer that asks again before it has reported.
        return None not in parent.in_hand.values()

    def _outstanding(self) -> int:
        """Messages of parents without a window, in hand or asked for."""
        return sum(
            sum(number is None for number in each.in_hand.values())
            + (each.asked_at is not None and not each.has_window)
            for each in self._parents.values()
        )

    def _in_turn(self) -> list[tuple[Address, _Parent]]:
        """All parents, the one that was asked last at the end."""
        parents = list(self._parents.items())
        for number, (address, _) in enumerate(parents):
            if address == self._turn:
                return parents[number + 1 :] + parents[: number + 1]
        return parents

    def _wanted_credits(self) -> int:
        if self._average <= 0.0:
            return FIRST_CREDITS
        return max(2, min(MOST_CREDITS, int(_WINDOW_SECONDS * 1000 / self._average)))
