"""The slow way to encode a message: walk it value by value, and make each value plain.

Used only if a message contains something that the encoder rejects. The walk either makes all values
plain or says where the first one is that cannot be sent. It does not recurse, so neither Python's
recursion limit nor the size of the C stack can end it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from ...errors import EncodingError
from ..messages.shapes import users_path
from .value_path import path_text
from .values import BINARY, Unsupported, is_container, key_text, simplify, unsupported

MAX_DEPTH = 500
"""The deepest nesting to send; msgpack's library can write 511 levels, orjson can read 1,024."""

WALK = object()
"""Returned by a format for a value that has to be walked."""


@dataclass(frozen=True)
class Format:
    """What an encoding needs done to the values of a message: by default, nothing.

    Attributes:
        name: the name of the encoding for the user.
        binary: the encoding can express bytes.
        leaves: the exact types of values that it can write and that contain no other values.
        bad_keys: keys that must not be sent.
    """

    name: str
    binary: bool
    leaves: frozenset[type]
    bad_keys: frozenset[str] = frozenset()

    def flat(self, container: Any, types: set[type]) -> Any:
        """Return a dict or list of leaves in a form that can be written at once, or WALK.

        Args:
            types: the types of its values. All keys are str.
        """
        return container

    def native(self, value: Any) -> Any:
        """Return a value that is no leaf or container in a form that can be written, or WALK."""
        return WALK

    def leaf(self, value: Any) -> Any:
        """Return a leaf in a form that can be written.

        Raises:
            Unsupported: it has none.
        """
        return value

    def key(self, key: str) -> str:
        """Return a key in a form that can be written.

        Raises:
            Unsupported: it has none.
        """
        return key

    def close(self, container: dict[str, Any] | list[Any]) -> Any:
        """Return a container of finished values in a form that can be written."""
        return container


def is_plain(message: Any, form: Format) -> bool:
    """Return whether a message is a tree of exact dicts, lists, tuples and leaves, with str keys.

    Goes level by level with loops in C: checking a message must not cost more than writing it. It
    does not look at the values of leaves.

    Returns:
        False also if the walk has to decide: a container appears twice on one level (which may
        mean a cycle), the nesting exceeds MAX_DEPTH, or there are more than ``_MANY`` containers.
    """
    level: list[Any] = [message]
    visited = 0
    for _ in range(MAX_DEPTH):
        visited += len(level)
        if len(set(map(id, level))) < len(level) or visited > _MANY:
            return False
        dicts, lists = _split(level)
        if dicts and not _has_good_keys(dicts, form):
            return False
        types = set(map(type, _children(dicts, lists)))
        if types <= form.leaves:
            return True
        if not types <= form.leaves | _EXACT:
            return False
        # Skip empty containers: they need no check, and () is the same object everywhere.
        level = [child for child in _children(dicts, lists) if type(child) in _EXACT and child]
    return not level


def convert(message: Mapping[str, Any], form: Format, subject: str) -> Any:
    """Return a message in a form that the encoder can write.

    Args:
        subject: the name of the value in error messages.

    Raises:
        EncodingError: a value cannot be sent; the message names its path.
    """
    stack: list[_Frame] = []
    try:
        return _walk(dict(message), form, stack)
    except Unsupported as problem:
        path = users_path(message, [frame.key for frame in stack], subject)
        raise EncodingError(_sentence(problem, path, form.name, subject)) from None


_EXACT = frozenset({dict, list, tuple})
_MANY = 20_000_000


class _Cycle(Unsupported):
    """A value contains itself."""


class _TooDeep(Unsupported):
    """Values are nested deeper than MAX_DEPTH."""


class _Frame:
    """A container on the way from the message to the current value.

    Attributes:
        source: the user's value: a container, or a value that was simplified to one.
        items: the remaining keys and values.
        out: the container for their plain forms.
        key: the user's key of the current value.
    """

    __slots__ = ("_text", "items", "key", "out", "source")

    def __init__(self, source: Any, container: Any) -> None:
        self.source = source
        self.key: Any = None
        self._text = ""
        self.items: Iterator[tuple[Any, Any]]
        self.out: dict[str, Any] | list[Any]
        # Copy, because another thread of the user may change it. Copy what it really contains,
        # as the encoders in C see it, whatever a subclass overrides.
        if isinstance(container, dict):
            self.items, self.out = iter(list(dict.items(container))), {}
        elif isinstance(container, list):
            self.items, self.out = enumerate(list.copy(container)), []
        else:
            self.items, self.out = enumerate(list(tuple.__iter__(container))), []

    def take(self, key: Any, form: Format) -> None:
        """Make the value at a key the current one."""
        self.key = key
        if isinstance(self.out, dict):
            self._text = form.key(key if type(key) is str else _ask_user(key_text, key))

    def put(self, value: Any) -> None:
        """Store the plain form of the current value."""
        if isinstance(self.out, dict):
            self.out[self._text] = value
        else:
            self.out.append(value)


def _split(level: list[Any]) -> tuple[list[Any], list[Any]]:
    """Return the dicts of a level, and its lists and tuples."""
    kinds = set(map(type, level))
    if dict not in kinds:
        return [], level
    if len(kinds) == 1:
        return level, []
    dicts = [container for container in level if type(container) is dict]
    return dicts, [container for container in level if type(container) is not dict]


def _has_good_keys(dicts: list[Any], form: Format) -> bool:
    keys = chain.from_iterable
    if not set(map(type, keys(dicts))) <= {str}:
        return False
    return not form.bad_keys or form.bad_keys.isdisjoint(keys(dicts))


def _children(dicts: list[Any], lists: list[Any]) -> Iterator[Any]:
    return chain(chain.from_iterable(map(dict.values, dicts)), chain.from_iterable(lists))


def _walk(message: dict[str, Any], form: Format, stack: list[_Frame]) -> Any:
    stack.append(_Frame(message, message))
    open_ids: set[int] = set()
    while True:
        frame = stack[-1]
        opened = _advance(frame, form, open_ids)
        if opened is not None:
            if len(stack) >= MAX_DEPTH:
                raise _TooDeep
            stack.append(opened)
            open_ids.add(id(opened.source))
            continue
        done = form.close(frame.out)
        stack.pop()
        if not stack:
            return done
        open_ids.remove(id(frame.source))
        stack[-1].put(done)


def _advance(frame: _Frame, form: Format, open_ids: set[int]) -> _Frame | None:
    """Convert values of a container until one is a container that has to be walked."""
    for key, value in frame.items:
        frame.take(key, form)
        if type(value) in form.leaves:
            frame.put(form.leaf(value))
            continue
        if id(value) in open_ids:
            raise _Cycle
        plain, container = _resolve(value, form)
        if container is not None:
            return _Frame(value, container)
        frame.put(plain)
    return None


def _resolve(value: Any, form: Format) -> tuple[Any, Any]:
    """Return a value in a form that can be written, or else the container to walk for it."""
    while True:
        kind = type(value)
        if kind in form.leaves:
            return form.leaf(value), None
        if is_container(kind):
            plain = _flat(value, kind, form)
            return (None, value) if plain is WALK else (plain, None)
        if issubclass(kind, BINARY):
            if not form.binary:
                raise unsupported(value)
            return bytes(value), None
        plain = form.native(value)
        if plain is not WALK:
            return plain, None
        value = _ask_user(simplify, value)


def _flat(container: Any, kind: type, form: Format) -> Any:
    if kind not in _EXACT:
        return WALK
    values = container
    if kind is dict:
        if not _has_good_keys([container], form):
            return WALK
        values = container.values()
    types = set(map(type, values))
    return form.flat(container, types) if types <= form.leaves else WALK


def _ask_user(function: Callable[[Any], Any], value: Any) -> Any:
    try:
        return function(value)
    except Unsupported:
        raise
    except Exception as error:
        # This ran user code: a time zone, a __str__, a subclass of an array.
        name, reason = type(value).__name__, f"{type(error).__name__}: {error}"
        raise Unsupported(f"contains a {name} that cannot be read: {reason}") from error


def _sentence(problem: Unsupported, keys: list[Any], encoding: str, subject: str) -> str:
    path = path_text(keys)
    if isinstance(problem, _Cycle):
        return f"the {subject} refers to itself at {path}; {encoding} cannot express that"
    if isinstance(problem, _TooDeep):
        return (
            f"the {subject} cannot be sent as {encoding}: "
            f"it is nested more than {MAX_DEPTH} levels deep, at {path}"
        )
    return f"the {subject} cannot be sent as {encoding}: {path} {problem}"
