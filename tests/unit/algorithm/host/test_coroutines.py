"""`async def` functions of the user's, run on the main thread."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Generator, Iterator
from threading import Event, Thread, current_thread, main_thread
from typing import Any

import pytest

from wrapper.algorithm.host.coroutines import Coroutines
from wrapper.algorithm.host.interruption import Interruption
from wrapper.ipc.frames import INTERRUPT_SIGNAL

LIMIT = 10.0


@pytest.fixture
def interruption() -> Iterator[Interruption]:
    before = signal.getsignal(INTERRUPT_SIGNAL)
    interruption = Interruption()
    interruption.install()
    yield interruption
    signal.signal(INTERRUPT_SIGNAL, before)


@pytest.fixture
def coroutines(interruption: Interruption) -> Iterator[Coroutines]:
    coroutines = Coroutines(interruption)
    yield coroutines
    if coroutines._loop is not None:
        coroutines._loop.close()
    asyncio.set_event_loop(None)


class Elsewhere:
    """A call in another thread, as the user's `stop` is run."""

    def __init__(self, coroutines: Coroutines, value: Any) -> None:
        self.result: Any = None
        self.error: BaseException | None = None
        self._coroutines = coroutines
        self._value = value
        self._thread = Thread(target=self._run)
        self._thread.start()

    def join(self) -> None:
        self._thread.join(LIMIT)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self.result = self._coroutines.finish_elsewhere(self._value)
        except BaseException as error:
            self.error = error


def test_a_plain_value_is_returned(coroutines: Coroutines) -> None:
    value = [1, 2]

    assert coroutines.finish(value) is value
    assert coroutines.finish(None) is None
    assert coroutines.finish_elsewhere(value) is value


def test_asyncio_is_not_imported_for_those_who_do_not_use_it() -> None:
    import subprocess

    code = (
        "import sys\n"
        "from wrapper.algorithm.host.coroutines import Coroutines\n"
        "from wrapper.algorithm.host.interruption import Interruption\n"
        "Coroutines(Interruption()).finish(5)\n"
        "sys.exit('asyncio' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=30).returncode == 0


def test_a_coroutine_runs_on_the_main_thread(coroutines: Coroutines) -> None:
    async def start() -> Any:
        await asyncio.sleep(0)
        return current_thread()

    assert coroutines.finish(start()) is main_thread()


def test_any_awaitable_works(coroutines: Coroutines) -> None:
    class Answer:
        def __await__(self) -> Generator[Any, None, int]:
            yield from asyncio.sleep(0).__await__()
            return 42

    assert coroutines.finish(Answer()) == 42


def test_a_future_of_another_loop_is_refused_unless_it_is_done(coroutines: Coroutines) -> None:
    loop = asyncio.new_event_loop()
    future = loop.create_future()
    with pytest.raises(TypeError, match="returned a Future of another event loop"):
        coroutines.finish(future)
    future.set_result(5)
    assert coroutines.finish(future) == 5
    loop.close()


def test_its_exception_is_raised(coroutines: Coroutines) -> None:
    async def start() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        coroutines.finish(start())


def test_all_coroutines_share_one_loop(coroutines: Coroutines) -> None:
    """A session that `initialize` opened is bound to its loop."""

    async def loop() -> Any:
        return asyncio.get_running_loop()

    assert coroutines.finish(loop()) is coroutines.finish(loop())


def test_a_loop_that_user_code_closed_is_replaced(coroutines: Coroutines) -> None:
    async def start() -> int:
        return 1

    coroutines.finish(start())
    asyncio.get_event_loop_policy().get_event_loop().close()

    assert coroutines.finish(start()) == 1


def test_asyncio_run_in_between_is_allowed(coroutines: Coroutines) -> None:
    async def start() -> int:
        return 1

    coroutines.finish(start())
    asyncio.run(start())

    assert coroutines.finish(start()) == 1


def test_tasks_left_running_are_cancelled(coroutines: Coroutines) -> None:
    ended: list[str] = []

    async def leftover() -> None:
        try:
            await asyncio.sleep(LIMIT)
        finally:
            ended.append("leftover")

    async def start() -> str:
        start.task = asyncio.ensure_future(leftover())  # type: ignore[attr-defined]
        await asyncio.sleep(0)
        return "result"

    assert coroutines.finish(start()) == "result"
    assert ended == ["leftover"]


# -------------------------------------------------------------------------- interruption --
def test_an_interruption_cancels_the_task(
    coroutines: Coroutines, interruption: Interruption
) -> None:
    cleaned: list[str] = []

    async def start() -> None:
        Thread(target=interruption.request).start()
        try:
            await asyncio.sleep(LIMIT)
        finally:
            await asyncio.sleep(0)
            cleaned.append("with await")

    with interruption.user_code, pytest.raises(asyncio.CancelledError):
        coroutines.finish(start())

    assert cleaned == ["with await"]
    assert interruption._cancel is None


def test_the_loop_works_for_the_next_task(
    coroutines: Coroutines, interruption: Interruption
) -> None:
    async def wait() -> None:
        Thread(target=interruption.request).start()
        await asyncio.sleep(LIMIT)

    async def start() -> int:
        await asyncio.sleep(0)
        return 1

    with interruption.user_code, pytest.raises(asyncio.CancelledError):
        coroutines.finish(wait())
    with interruption.user_code:
        assert coroutines.finish(start()) == 1


# ------------------------------------------------------------------------------ elsewhere --
def test_stop_shares_the_loop_of_a_start_that_runs(coroutines: Coroutines) -> None:
    async def start() -> str:
        over = asyncio.Event()

        async def stop() -> Any:
            over.set()  # fails in any other loop's thread, or is not noticed
            return asyncio.get_running_loop()

        start.stopping = Elsewhere(coroutines, stop())  # type: ignore[attr-defined]
        await asyncio.wait_for(over.wait(), LIMIT)
        return "stopped"

    assert coroutines.finish(start()) == "stopped"
    stopping = start.stopping  # type: ignore[attr-defined]
    stopping.join()
    assert stopping.result is coroutines._loop


def test_a_stop_that_outlives_start_is_finished(coroutines: Coroutines) -> None:
    """It makes `start` return, and then goes on."""
    finished: list[str] = []

    async def start() -> str:
        over = asyncio.Event()

        async def stop() -> None:
            over.set()
            for _ in range(10):
                await asyncio.sleep(0.001)
            finished.append("stop")

        start.stopping = Elsewhere(coroutines, stop())  # type: ignore[attr-defined]
        await asyncio.wait_for(over.wait(), LIMIT)
        return "stopped"

    assert coroutines.finish(start()) == "stopped"
    stopping = start.stopping  # type: ignore[attr-defined]
    stopping.join()
    assert (stopping.error, finished) == (None, ["stop"])


def test_a_stop_just_as_start_returns_is_always_finished(coroutines: Coroutines) -> None:
    async def stop() -> str:
        await asyncio.sleep(0)
        return "done"

    for _ in range(200):
        begun = Event()

        async def start(begun: Event = begun) -> None:
            begun.set()

        def call(begun: Event = begun) -> Any:
            begun.wait(LIMIT)
            return stop()

        stopping = LateElsewhere(coroutines, call)
        coroutines.finish(start())
        stopping.join()
        assert (stopping.error, stopping.result) == (None, "done")


class LateElsewhere(Elsewhere):
    """The same, with a value that is made in the thread."""

    def _run(self) -> None:
        self._value = self._value()
        super()._run()


def test_a_stop_without_a_start_gets_a_new_loop(coroutines: Coroutines) -> None:
    async def stop() -> str:
        await asyncio.sleep(0)
        return "done"

    stopping = Elsewhere(coroutines, stop())
    stopping.join()

    assert stopping.result == "done"


def test_an_error_in_stop_is_raised_to_its_caller(coroutines: Coroutines) -> None:
    async def start() -> int:
        async def stop() -> None:
            raise KeyError("x")

        start.stopping = Elsewhere(coroutines, stop())  # type: ignore[attr-defined]
        await asyncio.sleep(0.01)
        return 1

    assert coroutines.finish(start()) == 1
    stopping = start.stopping  # type: ignore[attr-defined]
    stopping.join()
    assert isinstance(stopping.error, KeyError)


def test_tasks_that_initialize_leaves_in_the_loop_keep_running(coroutines: Coroutines) -> None:
    """The background task of a session, say, that `start` uses."""
    beats: list[str] = []

    async def session() -> None:
        while True:
            beats.append("beat")
            await asyncio.sleep(0)

    async def initialize() -> None:
        beats.append("opened")
        tasks.append(asyncio.create_task(session()))

    async def start() -> None:
        count = len(beats)
        while len(beats) < count + 3:
            await asyncio.sleep(0)

    tasks: list[asyncio.Task[None]] = []
    coroutines.finish(initialize(), keep_tasks=True)
    coroutines.finish(start())
    coroutines.finish(start())
    assert not tasks[0].done()

    tasks[0].cancel()
    coroutines.finish(asyncio.gather(tasks[0], return_exceptions=True), keep_tasks=True)
