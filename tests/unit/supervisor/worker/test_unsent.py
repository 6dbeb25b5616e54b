"""What waits to be sent: the order, what is dropped, what it costs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from wrapper.supervisor.worker.unsent import MESSAGE_COST, Message, MessageKind, UnsentMessages

TASK, STEP, FINAL = MessageKind.TASK, MessageKind.STEP, MessageKind.FINAL
STOPPED, SIGN, FREE = MessageKind.STOPPED, MessageKind.SIGN, MessageKind.FREE


def waiting(*messages: tuple[MessageKind, str]) -> UnsentMessages:
    unsent = UnsentMessages()
    for kind, text in messages:
        unsent.add(Message(text.encode(), kind, is_progress=text.startswith("progress")))
    return unsent


def rest(unsent: UnsentMessages) -> str:
    """Take all of it; return the texts."""
    texts = []
    while unsent:
        texts.append(bytes(unsent.take().payload).decode())
    assert unsent.cost == 0
    return " ".join(texts)


def test_messages_of_a_task_stay_in_order() -> None:
    order = [(STEP, "initialized"), (STEP, "started"), (TASK, "call"), (TASK, "span")]
    assert rest(waiting(*order, (FINAL, "done"))) == "initialized started call span done"


def test_alive_goes_before_what_user_code_has_sent() -> None:
    unsent = waiting((STEP, "started"), (TASK, "a"), (TASK, "b"), (SIGN, "alive"), (TASK, "c"))
    assert rest(unsent) == "started alive a b c"


def test_the_same_sign_waits_only_once() -> None:
    unsent = waiting((SIGN, "alive"), (SIGN, "stopping"), (SIGN, "alive"), (SIGN, "stopping"))
    assert rest(unsent) == "alive stopping"


def test_stopped_goes_before_what_user_code_has_sent_and_replaces_it() -> None:
    unsent = waiting((STEP, "started"), (TASK, "a"), (FREE, "log"), (STOPPED, "stopped"))
    assert rest(unsent) == "started stopped log"


def test_stopped_leaves_the_task_before_alone() -> None:
    unsent = waiting(
        *((TASK, "a"), (FINAL, "done"), (TASK, "b"), (STEP, "initialized"), (TASK, "c")),
        (STOPPED, "stopped"),
    )
    assert rest(unsent) == "a done initialized stopped"


def test_only_the_newest_progress_is_kept() -> None:
    unsent = waiting((TASK, "progress 1"), (TASK, "a"), (TASK, "progress 2"), (TASK, "progress 30"))
    assert unsent.cost == 2 * MESSAGE_COST + len("a") + len("progress 30")
    assert rest(unsent) == "progress 30 a"


def test_progress_of_another_task_is_another_progress() -> None:
    unsent = waiting((TASK, "progress 1"), (FINAL, "done"), (TASK, "progress 2"))
    assert rest(unsent) == "progress 1 done progress 2"


def test_progress_that_was_taken_is_not_replaced() -> None:
    unsent = waiting((TASK, "progress 1"))
    first = unsent.take()
    unsent.add(Message(b"progress 2", TASK, is_progress=True))
    assert first.payload == b"progress 1"
    assert rest(unsent) == "progress 2"


def test_after_a_loss_what_has_no_meaning_later_is_dropped() -> None:
    unsent = waiting((STEP, "started"), (SIGN, "alive"), (TASK, "a"), (FREE, "log"))
    unsent.put_back([Message(b"old", TASK), Message(b"stopping", SIGN)])
    unsent.drop_passing()
    assert rest(unsent) == "old started a"


def test_cleared_messages_cost_nothing() -> None:
    unsent = waiting((TASK, "a"), (FINAL, "done"))
    unsent.clear()
    assert not unsent
    assert unsent.cost == 0


@given(
    st.lists(
        st.one_of(
            st.tuples(st.sampled_from(list(MessageKind)), st.booleans(), st.binary(max_size=9)),
            st.none(),
        )
    )
)
def test_cost_and_order_hold_for_any_history(
    history: list[tuple[MessageKind, bool, bytes] | None],
) -> None:
    unsent, added, taken = UnsentMessages(), [], []
    for step in history:
        if step is None:
            if unsent:
                taken.append(unsent.take())
            continue
        kind, is_progress, payload = step
        message = Message(payload, kind, is_progress and kind is TASK)
        unsent.add(message)
        added.append(message)
    while unsent:
        taken.append(unsent.take())

    assert unsent.cost == 0
    assert len({id(message) for message in taken}) == len(taken), "none is sent twice"
    for kinds in ({STEP, FINAL, TASK}, {FINAL, STOPPED, STEP}):
        order = [added.index(message) for message in taken if message.kind in kinds]
        assert order == sorted(order)
    kept = [message for message in added if message.kind in (STEP, FINAL, STOPPED)]
    assert [message for message in taken if message in kept] == kept
