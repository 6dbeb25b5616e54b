"""Checks of what users hand to HKubeApi, made before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def check_name(call: str, parameter: str, name: object) -> str:
    """`name`, if it is a text that is not empty.

    Raises:
        TypeError: it is no text.
        ValueError: it is empty.
    """
    if not isinstance(name, str):
        raise TypeError(f"{call}: {parameter} must be a str, not {_type(name)}")
    if not name.strip():
        raise ValueError(f"{call}: {parameter} must not be empty")
    return name


def check_list(call: str, parameter: str, value: object) -> list[Any]:
    """`value` as a list, if it is a list or a tuple.

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
    """`value` as a list of nodes of a pipeline.

    Raises:
        TypeError: it is no list, or one of its items is no dict.
    """
    nodes = check_list(call, "nodes", value)
    for position, node in enumerate(nodes):
        if not isinstance(node, Mapping):
            raise TypeError(f"{call}: nodes[{position}] must be a dict, not {_type(node)}")
    return nodes


def check_dict(call: str, parameter: str, value: object) -> dict[str, Any]:
    """`value` as a dict; None is an empty one.

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
    """`timeout` in seconds; None, and infinity, for no limit.

    Raises:
        TypeError: it is no number.
        ValueError: it is not above 0.
    """
    if timeout is None:
        return None
    problem = f"{call}: timeout must be a number of seconds or None, not {_type(timeout)}"
    if isinstance(timeout, (bool, str, bytes)):  # float() would take them
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
    """The id of a call, from the id itself or the future that the call gave.

    Args:
        call: the function that was called, for the text of the error.
        started_by: the functions whose futures are meant, for the text of the error.
        future_or_id: what the user handed over.

    Raises:
        TypeError: it is neither.
        ValueError: it is an empty id.
    """
    call_id = future_or_id if isinstance(future_or_id, str) else getattr(future_or_id, "id", None)
    if not isinstance(call_id, str):
        raise TypeError(
            f"{call}: needs the future that {' or '.join(started_by)} gave with blocking=False, "
            f"or its id, not {_type(future_or_id)}"
        )
    if not call_id:
        raise ValueError(f"{call}: the id must not be empty")
    return call_id


def _type(value: object) -> str:
    """How to name the type of `value` in a sentence."""
    return "None" if value is None else type(value).__name__
