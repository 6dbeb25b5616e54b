"""Hints for a failed task, where the error message does not say what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ...text.suggestions import near_miss
from ..worker import events

_INPUT = r"\[\s*['\"]input['\"]\s*\]|get\(\s*['\"]input['\"]"

# Don't advise installing a package whose name is only a guess: anybody may own that name.
_PACKAGE = r"which is not installed: add '([\w.-]+)' to requirements"
_LISTED = "which is not installed, though requirements.txt lists it"
_SHOWN = 60  # characters
_REFERENCE = r"\*?#\[.*\]|(\*|\*?#)@\w.*"


def advice(failure: events.Failed, job: Mapping[str, Any]) -> str | None:
    """Return a hint for a task whose input the user typed, or None.

    Args:
        failure: the task's failure.
        job: the `initialize` data, which the algorithm received as `args`.
    """
    return (
        _empty_input(failure, job)
        or pipeline_advice(failure, job)
        or _unread_reference(failure, job)
    )


def pipeline_advice(failure: events.Failed, job: Mapping[str, Any]) -> str | None:
    """Return a hint for a task of a pipeline, or None; see `advice`."""
    rules = (_input_by_name, _unknown_key, _no_answer, _exit_in_start, _no_module, _no_terminal)
    return next((text for rule in rules if (text := rule(failure, job))), None)


def _empty_input(failure: events.Failed, job: Mapping[str, Any]) -> str | None:
    if failure.message.startswith("IndexError") and job.get("input") == []:
        return "args['input'] is an empty list here; give it items with --input '[...]'"
    return None


def _input_by_name(failure: events.Failed, job: Mapping[str, Any]) -> str | None:
    wrong = "list indices must be integers or slices, not str"
    if wrong in failure.message and re.search(_INPUT, failure.details):
        return (
            "args['input'] is a list with an item for each input of the node: "
            "the first is args['input'][0]"
        )
    return None


def _unknown_key(failure: events.Failed, job: Mapping[str, Any]) -> str | None:
    match = re.match(r"KeyError: '(\w+)'", failure.message)
    if match is None or f"args['{match[1]}']" not in failure.details.replace('"', "'"):
        return None
    guess = near_miss(match[1], job)
    if guess:
        return f"args has no '{match[1]}'; did you mean '{guess}'?"
    return f"args has no '{match[1]}'; it has {', '.join(job)}"


def _no_answer(failure: events.Failed, job: Mapping[str, Any]) -> str | None:
    if "there is no answer for" in failure.message:
        return (
            "on this machine, calls are answered by the algorithms of --algorithms, the pipelines "
            "of --pipelines and the replies in --answers"
        )
    return None


def _exit_in_start(failure: events.Failed, job: Mapping[str, Any]) -> str | None:
    if failure.message.startswith("SystemExit"):
        return "sys.exit() fails the task, whatever its code; return a result instead"
    return None


def _no_module(failure: events.Failed, job: Mapping[str, Any]) -> str | None:
    if failure.code == "LoadError" and (package := re.search(_PACKAGE, failure.message)):
        return f"to run it on this machine: pip install {package[1]}"
    if failure.code == "LoadError" and _LISTED in failure.message:
        return "to run it on this machine: pip install -r requirements.txt, in its folder"
    match = re.match(r"ModuleNotFoundError: No module named '([\w.]+)'", failure.message)
    if match is None:
        return None
    return (
        f"install the package that contains {match[1]} here, and add it to requirements.txt for "
        "the image"
    )


def _no_terminal(failure: events.Failed, job: Mapping[str, Any]) -> str | None:
    if failure.message.startswith("BdbQuit"):
        return "the debugger could not read from the terminal; use breakpoint() with --in-process"
    if failure.message.startswith("EOFError") and "input(" in failure.details:
        return "nobody can answer input() in HKube: read values from args['input']"
    return None


def _unread_reference(failure: events.Failed, job: Mapping[str, Any]) -> str | None:
    for item in job.get("input") or ():
        if isinstance(item, str) and re.fullmatch(_REFERENCE, item):
            return (
                f"'{item[:_SHOWN]}' is plain text here; add --flow-input '{{}}' to read the input "
                "as HKube reads the input of a pipeline's node"
            )
    return None
