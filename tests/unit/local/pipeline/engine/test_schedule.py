"""Which task goes to which process, and which processes exist."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from wrapper.local.pipeline.engine.schedule import Assign, Close, Decision, Open, Schedule


def added(limit: int, *tasks: tuple[str, str] | tuple[str, str, int]) -> Schedule:
    schedule = Schedule(limit)
    for name, algorithm, *depth in tasks:
        schedule.add(name, algorithm, depth[0] if depth else 0)
    return schedule


def numbers(decisions: list[Decision]) -> dict[str, int]:
    return {each.task: each.process for each in decisions if not isinstance(each, Close)}


def test_limit_is_respected() -> None:
    schedule = added(2, ("t1", "a"), ("t2", "a"), ("t3", "a"))
    first = schedule.decide()
    assert [type(each) for each in first] == [Open, Open]
    assert list(numbers(first)) == ["t1", "t2"]
    assert schedule.decide() == []


def test_idle_process_is_reused() -> None:
    schedule = added(2, ("t1", "a"), ("t2", "a"), ("t3", "a"))
    second = numbers(schedule.decide())["t2"]
    schedule.freed(second)
    assert schedule.decide() == [Assign(second, "t3")]


def test_nothing_is_looked_at_again_without_a_change(monkeypatch: pytest.MonkeyPatch) -> None:
    schedule = added(2, ("t1", "a"), ("t2", "a"), ("t3", "a"))
    first, _ = numbers(schedule.decide()).values()
    schedule.call_closed(first)  # it waits for no call
    with monkeypatch.context() as patched:
        patched.setattr(schedule, "_running", None)
        patched.setattr(schedule, "_make_room", None)
        assert schedule.decide() == []
    schedule.call_opened(first)
    assert [type(each) for each in schedule.decide()] == [Open]


def test_process_idle_for_longest_makes_room() -> None:
    schedule = added(2, ("t1", "a"), ("t2", "b"))
    first, second = numbers(schedule.decide()).values()
    schedule.freed(second)
    schedule.freed(first)
    schedule.add("t3", "c", 0)
    close, opened = schedule.decide()
    assert close == Close(second)
    assert isinstance(opened, Open)
    assert opened.algorithm == "c"


def test_task_that_waits_for_a_call_does_not_count() -> None:
    schedule = added(1, ("parent", "a"))
    parent = numbers(schedule.decide())["parent"]
    schedule.add("child", "a", 1)
    assert schedule.decide() == []
    schedule.call_opened(parent)
    child = numbers(schedule.decide())["child"]
    schedule.freed(child)
    schedule.call_closed(parent)
    assert schedule.decide() == [Close(child)], "the limit applies again"


def test_task_that_another_waits_for_goes_first() -> None:
    schedule = added(1, ("p1", "a"), ("p2", "a"), ("p3", "a"))
    first = numbers(schedule.decide())["p1"]
    schedule.call_opened(first)
    schedule.add("child", "a", 1)
    assert list(numbers(schedule.decide())) == ["child"]


def test_removed_task_does_not_start() -> None:
    schedule = added(1, ("t1", "a"), ("t2", "a"))
    assert schedule.remove("t1")
    assert list(numbers(schedule.decide())) == ["t2"]
    assert not schedule.remove("t1")
    assert not schedule.remove("t2")


def test_exited_process_makes_room() -> None:
    schedule = added(1, ("t1", "a"), ("t2", "a"))
    schedule.gone(numbers(schedule.decide())["t1"])
    (opened,) = schedule.decide()
    assert isinstance(opened, Open)
    assert opened.task == "t2"


class RandomLoad(RuleBasedStateMachine):
    """Tasks arrive, make calls, end and crash; processes start, are used and end."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.waiting: dict[str, int] = {}
        self.on: dict[int, str | None] = {}
        self.algorithm: dict[int, str] = {}
        self.parents: dict[str, int] = {}
        self.open_calls: dict[int, int] = {}

    @initialize(limit=st.integers(1, 4))
    def begin(self, limit: int) -> None:
        self.limit = limit
        self.schedule = Schedule(limit)

    def add(self, algorithm: str, depth: int) -> str:
        self.count += 1
        task = f"t{self.count}"
        self.waiting[task] = depth
        self.schedule.add(task, algorithm, depth)
        return task

    def arrange(self) -> None:
        for decision in self.schedule.decide():
            if isinstance(decision, Close):
                assert self.on.pop(decision.process) is None, "it had a task"
                continue
            depth = self.waiting.pop(decision.task)
            assert depth >= max(self.waiting.values(), default=0), "another must go first"
            if isinstance(decision, Open):
                self.algorithm[decision.process] = decision.algorithm
            else:
                assert self.on[decision.process] is None, "it has a task"
            self.on[decision.process] = decision.task

    def busy(self, calling: bool = False) -> list[int]:
        found = [number for number, task in self.on.items() if task is not None]
        return [each for each in found if bool(self.open_calls.get(each)) == calling]

    @rule(algorithm=st.sampled_from("abc"))
    def task_arrives(self, algorithm: str) -> None:
        self.add(algorithm, 0)
        self.arrange()

    @precondition(lambda self: self.busy())
    @rule(data=st.data(), algorithm=st.sampled_from("abc"))
    def task_calls(self, data: st.DataObject, algorithm: str) -> None:
        number = data.draw(st.sampled_from(self.busy()))
        self.open_calls[number] = self.open_calls.get(number, 0) + 1
        self.schedule.call_opened(number)
        self.parents[self.add(algorithm, 1)] = number
        self.arrange()

    @precondition(lambda self: self.busy())
    @rule(data=st.data(), crash=st.booleans())
    def task_ends(self, data: st.DataObject, crash: bool) -> None:
        number = data.draw(st.sampled_from(self.busy()))
        task = self.on[number]
        assert task is not None
        if crash:
            del self.on[number]
            self.schedule.gone(number)
        else:
            self.on[number] = None
            self.schedule.freed(number)
        parent = self.parents.pop(task, None)
        if parent is not None:
            self.open_calls[parent] -= 1
            self.schedule.call_closed(parent)
        self.arrange()

    @precondition(lambda self: any(task not in self.parents for task in self.waiting))
    @rule(data=st.data())
    def task_is_stopped(self, data: st.DataObject) -> None:
        tasks = sorted(task for task in self.waiting if task not in self.parents)
        task = data.draw(st.sampled_from(tasks))
        del self.waiting[task]
        assert self.schedule.remove(task)
        self.arrange()

    @invariant()
    def no_task_waits_below_the_limit(self) -> None:
        if self.waiting:
            assert len(self.busy()) >= self.limit

    @invariant()
    def some_task_can_always_end(self) -> None:
        assert self.busy() or not self.busy(calling=True), "every task waits for a call"

    @invariant()
    def idle_processes_do_not_accumulate(self) -> None:
        counting = [number for number in self.on if not self.open_calls.get(number)]
        assert len(counting) <= max(getattr(self, "limit", 0), len(self.busy()))


TestRandomLoad = RandomLoad.TestCase
TestRandomLoad.settings = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
