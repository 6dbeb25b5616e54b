from wrapper.supervisor.streams.notices import EVERY, Notices


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_the_first_is_logged_at_once_and_the_rest_with_a_count():
    lines: list[str] = []
    clock = Clock()
    notices = Notices(lines.append, clock)
    for number in range(1000):
        notices.count("full", 1, f"text {number}")
    assert lines == ["streaming: text 0"]
    assert notices.deadline() == EVERY
    notices.tick(EVERY - 0.1)
    assert len(lines) == 1
    notices.tick(EVERY)
    assert lines[1:] == ["streaming: text 999 (999 times)"]
    assert notices.deadline() is None


def test_kinds_are_counted_apart():
    lines: list[str] = []
    notices = Notices(lines.append, Clock())
    notices.count("a", 1, "x")
    notices.count("b", 3, "y")
    assert lines == ["streaming: x", "streaming: y (3 times)"]


def test_the_rest_is_logged_at_the_end():
    lines: list[str] = []
    notices = Notices(lines.append, Clock())
    notices.count("a", 1, "x")
    notices.count("a", 1, "x")
    notices.close()
    assert len(lines) == 2
