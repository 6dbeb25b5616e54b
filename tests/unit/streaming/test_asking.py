from wrapper.streaming.asking import (
    ANSWER_WITHIN,
    FIRST_CREDITS,
    FIRST_PAUSE,
    LONGEST_PAUSE,
    Ask,
    Asking,
    Handled,
    Reconnect,
)


def asking(*parents):
    made = Asking()
    for parent in parents:
        made.add(parent, "A")
        made.connected(parent)
    made.listen(True)
    return made


def asked(actions):
    return [each.address for each in actions if isinstance(each, Ask)]


def test_nobody_is_asked_before_listening_begins():
    made = asking("p")
    made.listen(False)
    assert made.due(0.0) == []
    assert made.deadline(0.0) is None


def test_a_parent_is_asked_once_until_it_answers():
    made = asking("p")
    assert made.due(0.0) == [Ask("p", FIRST_CREDITS, ())]
    assert made.due(1.0) == []
    assert made.awaits_answer


def test_an_idle_parent_is_asked_again_and_again_more_rarely():
    made = asking("p")
    now, pauses = 0.0, []
    for _ in range(12):
        assert asked(made.due(now)) == ["p"]
        made.nothing("p", has_window=False, now=now)
        deadline = made.deadline(now)
        assert deadline is not None
        assert made.due(now) == []
        pauses.append(round(deadline - now, 4))
        now = deadline
    assert pauses[0] == FIRST_PAUSE
    assert pauses[-1] == LONGEST_PAUSE
    assert pauses == sorted(pauses)


def test_a_parent_is_asked_again_as_soon_as_its_message_was_handled():
    made = asking("p")
    made.due(0.0)
    delivery = made.received("p", None, 1.0)
    assert made.due(1.0) == []
    assert made.handled(delivery, 3.0) == Handled("p", None, 3.0)
    assert asked(made.due(1.0)) == ["p"]


def test_only_one_message_waits_behind_the_one_in_work():
    made = asking("p", "q", "r")
    assert asked(made.due(0.0)) == ["p", "q"]
    made.received("p", None, 0.0)
    second = made.received("q", None, 0.0)
    assert made.due(0.0) == []
    assert made.in_hand == 2
    made.handled(second, 1.0)
    assert asked(made.due(0.0)) == ["r"]


def test_parents_are_asked_in_turn():
    made = asking("p", "q", "r")
    order = []
    for _ in range(6):
        for address in asked(made.due(0.0)):
            order.append(address)
            made.handled(made.received(address, None, 0.0), 1.0)
    assert order[:6] in (list("pqrpqr"), list("pqrpqr"))


def test_a_parent_that_does_not_answer_gets_a_new_connection():
    made = asking("p")
    made.due(0.0)
    assert made.deadline(0.0) == ANSWER_WITHIN
    assert made.due(ANSWER_WITHIN) == [Reconnect("p")]
    made.connected("p")
    assert asked(made.due(ANSWER_WITHIN)) == ["p"]


def test_a_parent_with_a_window_is_not_asked_again():
    made = asking("p")
    made.due(0.0)
    made.nothing("p", has_window=True, now=0.0)
    assert made.due(100.0) == []
    assert made.deadline(0.0) is None
    assert not made.awaits_answer


def test_a_window_is_made_smaller_for_slow_work():
    made = asking("p")
    made.due(0.0)
    delivery = made.received("p", 0, 0.0)
    made.handled(delivery, 10_000.0)
    (ask,) = made.due(0.0)
    assert isinstance(ask, Ask)
    assert ask.credits == 2


def test_after_a_reconnection_the_parent_learns_what_is_in_hand():
    made = asking("p")
    made.due(0.0)
    made.received("p", 7, 0.0)
    made.received("p", 8, 0.0)
    made.disconnected("p")
    made.connected("p")
    (ask,) = made.due(0.0)
    assert isinstance(ask, Ask)
    assert ask.in_hand == (7, 8)


def test_a_message_of_a_parent_that_has_gone_needs_no_report():
    made = asking("p")
    made.due(0.0)
    delivery = made.received("p", 7, 0.0)
    made.remove("p")
    assert made.handled(delivery, 1.0) is None
    assert made.in_hand == 0


def test_what_a_silent_parent_sent_is_not_reported_under_a_new_identity():
    made = asking("p")
    made.due(0.0)
    delivery = made.received("p", 3, 0.0)
    made.nothing("p", has_window=False, now=0.0)
    made.due(1.0)
    assert made.due(1.0 + ANSWER_WITHIN) == [Reconnect("p")]
    made.connected("p")
    assert made.handled(delivery, 1.0) is None


def test_unknown_parents_and_deliveries_are_ignored():
    made = Asking()
    made.connected("x")
    made.disconnected("x")
    made.nothing("x", has_window=False, now=0.0)
    made.remove("x")
    assert made.handled(99, 1.0) is None
