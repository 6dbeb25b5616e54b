"""Pages follow what changes, and miss nothing that is still true."""

from __future__ import annotations

from wrapper.local.web.server.topics import Topics


def test_new_page_gets_every_topic_once() -> None:
    topics, seen = Topics(), dict[str, int]()
    topics.offer("a", lambda: 1)
    topics.offer("b", lambda: 2)

    assert topics.wait(seen, timeout=0)
    assert topics.newer(seen) == [("a", 1), ("b", 2)]
    assert not topics.wait(seen, timeout=0)
    assert topics.newer(seen) == []


def test_changes_that_were_not_taken_become_one() -> None:
    topics, seen, value = Topics(), dict[str, int](), [0]
    topics.offer("a", lambda: value[0])
    topics.newer(seen)
    for _ in range(5):
        value[0] += 1
        topics.touch("a")

    assert topics.newer(seen) == [("a", 5)]


def test_change_while_a_value_is_made_is_not_lost() -> None:
    topics, seen, made = Topics(), dict[str, int](), list[int]()

    def make() -> int:
        made.append(len(made))
        if len(made) == 1:
            topics.touch("a")
        return made[-1]

    topics.offer("a", make)

    assert topics.newer(seen) == [("a", 0)]
    assert topics.newer(seen) == [("a", 1)]


def test_nobody_waits_after_the_end() -> None:
    topics = Topics()
    topics.offer("a", lambda: 1)
    topics.close()

    assert not topics.wait({}, timeout=None)
