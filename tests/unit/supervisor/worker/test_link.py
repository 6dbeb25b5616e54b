"""Decisions about the link: reconnecting, giving up, pings, and what is kept."""

from __future__ import annotations

import pytest

from wrapper.supervisor.worker.link import (
    PING_EVERY,
    SETTLE_AFTER,
    LinkAction,
    LinkSettings,
    WorkerLink,
)


def make_link(
    give_up_after: float | None = 60.0, pings: bool = False, max_payload: int = 100_000_000
) -> WorkerLink:
    """A link whose delays are as long as they can be."""
    return WorkerLink(LinkSettings(give_up_after, pings, max_payload), rand=lambda: 1.0)


def opened_link(give_up_after: float | None = 60.0, pings: bool = False) -> WorkerLink:
    link = make_link(give_up_after, pings)
    link.opened(0.0, has_old_messages=False)
    return link


def may_send(link: WorkerLink) -> bool:
    return link.may_send


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


def local_link() -> WorkerLink:
    return WorkerLink(LinkSettings(60.0, False, 1000, is_local=True), rand=lambda: 1.0)


def test_worker_on_this_machine_is_tried_often_while_nothing_listens() -> None:
    link, now, attempts = local_link(), 0.0, 0
    while now < 59.0:
        link.refused(now, nothing_listens=True)
        due = link.deadline() or 0.0
        assert due == pytest.approx(now + 0.05)
        now = due
        assert link.tick(now) == [LinkAction.CONNECT]
        attempts += 1
    assert attempts > 1000

    delays = []
    for _ in range(40):
        link.refused(now, nothing_listens=True)
        due = link.deadline() or 0.0
        delays.append(due - now)
        now = due
        link.tick(now)
    assert delays[-1] == pytest.approx(5.0), "a worker that stays away"


def test_worker_on_this_machine_that_refuses_is_not_tried_often() -> None:
    """Something listens there, and each attempt costs it something."""
    link = local_link()
    link.refused(0.0)
    assert link.deadline() == pytest.approx(0.1)
    link.refused(1.0)
    assert link.deadline() == pytest.approx(1.16)


def test_worker_that_accepts_and_closes_is_tried_after_growing_delays() -> None:
    link, delays = local_link(), []
    for second in range(4):
        link.opened(float(second), has_old_messages=False)
        link.closed(float(second))
        delays.append((link.deadline() or 0.0) - second)
    assert delays == pytest.approx([0.1, 0.16, 0.256, 0.4096])


def test_remote_worker_is_not_tried_often() -> None:
    link = make_link()
    for now in range(20):
        link.refused(float(now), nothing_listens=True)
    assert link.deadline() == pytest.approx(19.0 + 5.0)


def test_first_worker_is_awaited_without_limit() -> None:
    link = make_link(give_up_after=60.0)
    link.refused(0.0)

    assert refuse_until(link, 10_000.0) == []


def test_lost_connection_is_opened_again() -> None:
    link = opened_link()

    link.closed(10.0)

    assert tick_to(link, 10.2) == [LinkAction.CONNECT]


def test_only_a_stable_connection_resets_the_delay() -> None:
    link = make_link()
    for _ in range(9):
        link.refused(0.0)

    link.opened(100.0, has_old_messages=False)
    link.closed(104.9)
    assert link.deadline() == pytest.approx(104.9 + 5.0)

    link.opened(110.0, has_old_messages=False)
    link.closed(115.0)
    assert link.deadline() == pytest.approx(115.0 + 0.1)


# ----------------------------------------------------------------------------- giving up --
def test_link_gives_up_some_time_after_a_loss() -> None:
    link = opened_link(give_up_after=60.0)
    link.closed(100.0)

    assert refuse_until(link, 159.9) == []
    assert LinkAction.GIVE_UP in tick_to(link, 160.0)


def test_reconnecting_in_time_restarts_the_count() -> None:
    link = opened_link(give_up_after=60.0)
    link.closed(100.0)
    link.opened(159.0, has_old_messages=False)
    assert tick_to(link, 1000.0) == []

    link.closed(1000.0)
    assert link.tick(1000.1) == [LinkAction.CONNECT]
    assert link.deadline() == 1060.0


def test_dev_mode_and_debug_never_give_up() -> None:
    link = opened_link(give_up_after=None)
    link.closed(1.0)

    assert refuse_until(link, 100_000.0) == []


def test_link_without_patience_gives_up_immediately() -> None:
    link = opened_link(give_up_after=0.0)
    link.closed(1.0)

    assert tick_to(link, 1.0) == [LinkAction.GIVE_UP]


# ----------------------------------------------------------------------- while ending --
def test_ending_link_does_not_reconnect() -> None:
    link = opened_link()
    link.end()
    link.closed(1.0)

    assert tick_to(link, 1000.0) == []


def test_lost_worker_is_reported_once() -> None:
    """Otherwise the loop would spin, and fill the log, while the user's `exit` runs."""
    link = opened_link(give_up_after=60.0)
    link.closed(0.0)
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

    link.closed(4 * PING_EVERY)
    assert tick_to(link, 4 * PING_EVERY + 1) == [LinkAction.CONNECT]


# ---------------------------------------------------------------------- when to send --
def test_messages_wait_while_there_is_no_connection() -> None:
    link = make_link()
    assert not may_send(link)
    link.opened(0.0, has_old_messages=False)
    assert may_send(link)
    link.closed(1.0)
    assert not may_send(link)


def test_reconnected_worker_gets_time_to_begin_another_task() -> None:
    link = opened_link()
    link.closed(10.0)
    link.opened(20.0, has_old_messages=True)

    assert not may_send(link)
    assert link.deadline() == 20.0 + SETTLE_AFTER
    assert link.tick(20.0 + SETTLE_AFTER) == [LinkAction.SEND_WAITING]
    assert may_send(link)


def test_another_task_ends_the_wait() -> None:
    link = opened_link()
    link.closed(10.0)
    link.opened(20.0, has_old_messages=True)

    link.task_begins()

    assert may_send(link)
    assert link.deadline() is None


def test_every_connection_is_silent_at_first() -> None:
    """HKube's worker may handle a job twice if `initialized` comes as soon as it connects."""
    link = WorkerLink(LinkSettings(60.0, False, 1000, silent_for=0.3), rand=lambda: 1.0)
    for opened in (0.0, 10.0):
        link.opened(opened, has_old_messages=False)
        link.task_begins()
        assert not may_send(link)
        assert link.tick(opened + 0.29) == []
        assert link.tick(opened + 0.3) == [LinkAction.SEND_WAITING]
        assert may_send(link)
        link.closed(opened + 5.0)


def test_silence_and_the_time_for_another_task_both_have_to_pass() -> None:
    settings = LinkSettings(60.0, False, 1000, worker_waits=True, silent_for=0.3)
    link = WorkerLink(settings, rand=lambda: 1.0)
    link.opened(0.0, has_old_messages=False)
    link.closed(5.0)
    link.opened(10.0, has_old_messages=True)

    assert link.tick(10.3) == []
    assert link.tick(10.0 + SETTLE_AFTER) == [LinkAction.SEND_WAITING]


def test_pings_are_sent_as_often_as_the_server_asks() -> None:
    link = make_link(pings=True)
    link.opened(0.0, has_old_messages=False, ping_every=0.5)
    assert [tick_to(link, number * 0.5) for number in range(1, 4)] == [[LinkAction.PING]] * 3
    assert tick_to(link, 2.0) == [LinkAction.DISCONNECT]
