"""Code inside runs a loop of its own; the test's loop goes on afterwards."""

from __future__ import annotations

import asyncio

from wrapper.testing.sessions.running_loop import running_loop_hidden


async def answer() -> int:
    await asyncio.sleep(0)
    return 5


def test_second_loop_runs_and_the_first_goes_on() -> None:
    async def test() -> int:
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        with running_loop_hidden():
            assert asyncio.run(answer()) == 5
        assert asyncio.current_task() is task
        assert asyncio.get_running_loop() is loop
        return await asyncio.wait_for(answer(), timeout=None)

    assert asyncio.run(test()) == 5


def test_loop_is_restored_after_an_error() -> None:
    async def test() -> None:
        loop = asyncio.get_running_loop()
        try:
            with running_loop_hidden():
                raise KeyError
        except KeyError:
            assert asyncio.get_running_loop() is loop

    asyncio.run(test())


def test_nothing_happens_without_a_running_loop() -> None:
    with running_loop_hidden():
        assert asyncio.run(answer()) == 5
