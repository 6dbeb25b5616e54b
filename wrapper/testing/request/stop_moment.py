"""When a test wants its run to be stopped, from the arguments of `hkube.stop`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...protocol.messages import commands
from ...text.suggestions import did_you_mean, near_miss
from ..outcome.recorder import Message, StopAt
from .wrong_use import WrongUse

_ALGORITHM_MESSAGES = (
    *(commands.INITIALIZED, commands.STARTED, commands.PROGRESS),
    *(commands.START_SPAN, commands.FINISH_SPAN, commands.START_ALGORITHM_EXECUTION),
    *(commands.START_RAW_SUB_PIPELINE, commands.START_STORED_SUB_PIPELINE),
    *(commands.STOP_SUB_PIPELINE, commands.STOP_ALGORITHM_EXECUTION),
    commands.DATA_SOURCE_REQUEST,
)
"""The messages that the wrapper sends to HKube during a task."""


def stop_at(after: object, force: bool, report: Callable[[BaseException], None]) -> StopAt:
    """Return when to stop the next run.

    Args:
        after: Seconds from its start, the name of a message, or a function of each message; None
            for its start.
        force: True for a stop by a user, False for a scale-down.
        report: Receives what the function raises; the run is then stopped.

    Raises:
        WrongUse: `after` is something else.
    """
    if callable(after):
        return StopAt(_reporting_errors(after, report), force=force)
    if isinstance(after, (int, float)) and not isinstance(after, bool) and after >= 0:
        return StopAt(_is_command(commands.STARTED), float(after), force)
    if after is None or after in _ALGORITHM_MESSAGES:
        return StopAt(_is_command(str(after or commands.STARTED)), force=force)
    raise WrongUse(_no_moment(after))


def _is_command(command: str) -> Callable[[Message], bool]:
    return lambda message: message.get("command") == command


def _reporting_errors(
    moment: Callable[[Message], Any], report: Callable[[BaseException], None]
) -> Callable[[Message], Any]:
    def is_moment(message: Message) -> Any:
        try:
            return moment(message)
        except BaseException as error:
            report(error)
            return True

    return is_moment


def _no_moment(after: object) -> str:
    if isinstance(after, str):
        hint = (
            did_you_mean(near_miss(after, _ALGORITHM_MESSAGES))
            or f": it may be {', '.join(_ALGORITHM_MESSAGES)}"
        )
        return f"hkube.stop(after={after!r}): the wrapper sends no message of this name{hint}"
    return (
        "hkube.stop(after=…) takes seconds, the name of a message such as 'progress', or a "
        f"function of a message, not {after!r}"
    )
