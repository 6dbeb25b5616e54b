"""Checks the arguments that users pass to HKubeApi, before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def check_name(call: str, parameter: str, name: object) -> str:
    """Return `name` if it is a str that is not empty.

    Raises:
        TypeError: it is not a str.
        ValueError: it is empty.
    """
    if not isinstance(name, str):
        raise TypeError(f"{call}: {parameter} must be a str, not {_type(name)}")
    if not name.strip():
        raise ValueError(f"{call}: {parameter} must not be empty")
    return name


def check_list(call: str, parameter: str, value: object) -> list[Any]:
    """Return `value`, a list or a tuple, as a list.

    Raises:
        TypeError: it is something else.
    """
    if isinstance(value, list):
        return value
    if isinstance(value, tuple):
        return list(value)
    raise TypeError(
        f"{call}: {parameter} must be a list, not {_type(value)}; "
        f"for a single value pass {parameter}=[value]"
    )


def check_nodes(call: str, value: object) -> list[Any]:
    """Return `value`, the nodes of a pipeline, as a list.

    Raises:
        TypeError: it is not a list, or one of its items is not a dict.
    """
    nodes = check_list(call, "nodes", value)
    for position, node in enumerate(nodes):
        if not isinstance(node, Mapping):
            raise TypeError(f"{call}: nodes[{position}] must be a dict, not {_type(node)}")
    return nodes


def check_dict(call: str, parameter: str, value: object) -> dict[str, Any]:
    """Return `value` as a dict; None becomes an empty one.

    Raises:
        TypeError: it is something else.
    """
    if value is None:
        return {}
    if isinstance(value, dict):
        return value
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{call}: {parameter} must be a dict, not {_type(value)}")


def check_timeout(call: str, timeout: Any) -> float | None:
    """Return `timeout` in seconds; None for no limit, which infinity means too.

    Raises:
        TypeError: it is not a number.
        ValueError: it is not above 0.
    """
    if timeout is None:
        return None
    problem = f"{call}: timeout must be a number of seconds or None, not {_type(timeout)}"
    if isinstance(timeout, (bool, str, bytes)):  # float() would accept them
        raise TypeError(problem)
    try:
        seconds = float(timeout)
    except (TypeError, ValueError):
        raise TypeError(problem) from None
    except OverflowError:
        seconds = float("inf") if timeout > 0 else float("-inf")
    if not seconds > 0:
        raise ValueError(f"{call}: timeout must be above 0 seconds, not {seconds:g}")
    return None if seconds == float("inf") else seconds


def check_call_id(call: str, started_by: Sequence[str], future_or_id: Any) -> str:
    """Return the id of a call, given that id or the call's future.

    Args:
        call: the function that the user called, for the text of the error.
        started_by: the functions that return such futures, for the text of the error.
        future_or_id: the user's argument.

    Raises:
        TypeError: it is neither.
        ValueError: it is an empty id.
    """
    call_id = future_or_id if isinstance(future_or_id, str) else getattr(future_or_id, "id", None)
    if not isinstance(call_id, str):
        raise TypeError(
            f"{call}: needs the future that {' or '.join(started_by)} returned with "
            f"blocking=False, or its id, not {_type(future_or_id)}"
        )
    if not call_id:
        raise ValueError(f"{call}: the id must not be empty")
    return call_id


def _type(value: object) -> str:
    """Name the type of `value`, for a sentence."""
    return "None" if value is None else type(value).__name__
