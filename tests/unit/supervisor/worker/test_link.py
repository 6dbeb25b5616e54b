"""Decisions about the link: reconnecting, giving up, pings, and what is kept."""

from __future__ import annotations

import pytest

from wrapper.supervisor.worker.link import (
    PING_EVERY,
    SETTLE_AFTER,
    Admission,
    LinkAction,
    LinkSettings,
    WorkerLink,
)

MEGABYTE = 1 << 20


def make_link(
    give_up_after: float | None = 60.0, pings: bool = False, max_payload: int = 100_000_000
) -> WorkerLink:
    """A link whose delays are as long as they can be."""
    return WorkerLink(LinkSettings(give_up_after, pings, max_payload), rand=lambda: 1.0)


def opened_link(give_up_after: float | None = 60.0, pings: bool = False) -> WorkerLink:
    link = make_link(give_up_after, pings)
    link.opened(0.0, task_under_way=False)
    return link


def tick_to(link: WorkerLink, until: float) -> list[LinkAction]:
    """Call `tick` whenever it is due, up to a moment; stop if the worker counts as gone."""
    actions: list[LinkAction] = []
    while (due := link.deadline()) is not None and due <= until:
        actions += link.tick(due)
        if LinkAction.GIVE_UP in actions:
            break
    return actions


def refuse_until(link: WorkerLink, until: float) -> list[LinkAction]:
    """Refuse each attempt to connect; return what else is decided."""
    actions: list[LinkAction] = []
    while (due := link.deadline()) is not None and due < until:
        decided = link.tick(due)
        actions += [action for action in decided if action is not LinkAction.CONNECT]
        if LinkAction.CONNECT in decided:
            link.refused(due)
    return actions


# ---------------------------------------------------------------------------- connecting --
def test_nothing_is_due_during_the_first_attempt() -> None:
    assert make_link().deadline() is None


def test_refused_connection_is_tried_again_after_growing_delays() -> None:
    link = make_link()
    delays = []
    now = 0.0
    for _ in range(12):
        link.refused(now)
        due = link.deadline()
        assert due is not None
        delays.append(due - now)
        assert link.tick(due - 0.001) == []
        assert link.tick(due) == [LinkAction.CONNECT]
        assert link.deadline() is None, "one attempt at a time"
        now = due

    assert delays[:3] == pytest.approx([0.1, 0.16, 0.256])
    assert delays[-1] == pytest.approx(5.0)


def test_first_worker_is_awaited_without_limit() -> None:
    link = make_link(give_up_after=60.0)
    link.refused(0.0)

    assert refuse_until(link, 10_000.0) == []


def test_lost_connection_is_opened_again() -> None:
    link = opened_link()

    link.closed(10.0, all_sent=True)

    assert tick_to(link, 10.2) == [LinkAction.CONNECT]


def test_only_a_stable_connection_resets_the_delay() -> None:
    link = make_link()
    for _ in range(9):
        link.refused(0.0)

    link.opened(100.0, task_under_way=False)
    link.closed(104.9, all_sent=True)
    assert link.deadline() == pytest.approx(104.9 + 5.0)

    link.opened(110.0, task_under_way=False)
    link.closed(115.0, all_sent=True)
    assert link.deadline() == pytest.approx(115.0 + 0.1)


# ----------------------------------------------------------------------------- giving up --
def test_link_gives_up_some_time_after_a_loss() -> None:
    link = opened_link(give_up_after=60.0)
    link.closed(100.0, all_sent=True)

    assert refuse_until(link, 159.9) == []
    assert LinkAction.GIVE_UP in tick_to(link, 160.0)


def test_reconnecting_in_time_restarts_the_count() -> None:
    link = opened_link(give_up_after=60.0)
    link.closed(100.0, all_sent=True)
    link.opened(159.0, task_under_way=False)
    assert tick_to(link, 1000.0) == []

    link.closed(1000.0, all_sent=True)
    assert link.tick(1000.1) == [LinkAction.CONNECT]
    assert link.deadline() == 1060.0


def test_dev_mode_and_debug_never_give_up() -> None:
    link = opened_link(give_up_after=None)
    link.closed(1.0, all_sent=True)

    assert refuse_until(link, 100_000.0) == []


def test_link_without_patience_gives_up_immediately() -> None:
    link = opened_link(give_up_after=0.0)
    link.closed(1.0, all_sent=True)

    assert tick_to(link, 1.0) == [LinkAction.GIVE_UP]


# ----------------------------------------------------------------------- while ending --
def test_ending_link_does_not_reconnect() -> None:
    link = opened_link()
    link.end()
    link.closed(1.0, all_sent=True)

    assert tick_to(link, 1000.0) == []


def test_lost_worker_is_reported_once() -> None:
    """Otherwise the loop would spin, and fill the log, while the user's `exit` runs."""
    link = opened_link(give_up_after=60.0)
    link.closed(0.0, all_sent=True)
    assert tick_to(link, 60.0)[-1] is LinkAction.GIVE_UP

    link.end()
    link.refused(60.5)  # an attempt was under way

    assert link.deadline() is None


# --------------------------------------------------------------------------------- pings --
def test_pings_are_sent_while_the_worker_answers() -> None:
    link = opened_link(pings=True)

    for number in range(1, 11):
        assert tick_to(link, number * PING_EVERY) == [LinkAction.PING]
        link.received(number * PING_EVERY + 0.1)


def test_no_pings_are_sent_within_a_pod() -> None:
    assert opened_link(pings=False).deadline() is None


def test_worker_that_answers_no_pings_is_disconnected() -> None:
    link = opened_link(pings=True, give_up_after=None)

    actions = tick_to(link, 3 * PING_EVERY)
    assert actions == [LinkAction.PING] * 3
    assert tick_to(link, 4 * PING_EVERY) == [LinkAction.DISCONNECT]

    link.closed(4 * PING_EVERY, all_sent=True)
    assert tick_to(link, 4 * PING_EVERY + 1) == [LinkAction.CONNECT]


# -------------------------------------------------------------------------------- messages --
def test_message_too_large_for_the_worker_is_refused() -> None:
    link = make_link(max_payload=1000)
    link.opened(0.0, task_under_way=False)

    assert link.admit(b"x" * 1000, keep=True) is Admission.SEND
    assert link.admit(b"x" * 1001, keep=True, final=True) is Admission.REFUSED


def test_messages_for_an_unreachable_worker_are_kept_or_skipped() -> None:
    link = make_link()

    assert link.admit(b"progress", keep=True) is Admission.KEPT
    assert link.admit(b"alive", keep=False) is Admission.SKIPPED
    assert link.admit(b"done", keep=True, final=True) is Admission.KEPT
    assert link.take_kept() == [b"progress", b"done"]
    assert link.take_kept() == []


def test_reconnected_worker_gets_time_to_start_another_task() -> None:
    link = opened_link()
    link.closed(10.0, all_sent=True)
    link.opened(20.0, task_under_way=True)

    assert link.admit(b"progress", keep=True) is Admission.KEPT
    assert link.deadline() == 20.0 + SETTLE_AFTER
    assert link.tick(20.0 + SETTLE_AFTER) == [LinkAction.SEND_KEPT]
    assert link.take_kept() == [b"progress"]
    assert link.admit(b"next", keep=True) is Admission.SEND


def test_limited_number_of_bytes_is_kept() -> None:
    link = make_link()
    piece = bytes(16 * MEGABYTE)

    admitted = [link.admit(piece, keep=True) for _ in range(5)]

    assert admitted == [Admission.KEPT] * 4 + [Admission.REFUSED]
    assert link.admit(piece, keep=True, final=True) is Admission.KEPT, "whatever its size"


def test_large_final_message_leaves_room_for_the_answer_to_a_stop() -> None:
    """A stop that is not answered by `stopped` ends the container."""
    link = make_link()
    link.admit(bytes(90 * MEGABYTE), keep=True, final=True)

    assert link.admit(b"stopped", keep=True) is Admission.KEPT


def test_partly_sent_final_message_comes_first() -> None:
    link = opened_link()
    link.partly_sent(b"done")
    link.not_sent(b"progress")

    link.closed(1.0, all_sent=False)

    assert link.take_kept() == [b"done", b"progress"]


@pytest.mark.parametrize("flushed", [True, False])
def test_completely_sent_final_message_is_not_kept(flushed: bool) -> None:
    link = opened_link()
    link.partly_sent(b"done")
    if flushed:
        link.flushed()

    link.closed(1.0, all_sent=True)

    assert link.take_kept() == []


def test_another_task_drops_what_is_kept() -> None:
    link = opened_link()
    link.partly_sent(b"done")
    link.not_sent(b"progress")

    link.forget_kept()
    link.closed(1.0, all_sent=False)

    assert link.take_kept() == []
