"""The slow way to a message that can be written: walk it, value by value.

Taken only when a message holds something that an encoder does not take as it is. It either makes
such values plain or says where the first one is that cannot be sent. No recursion: neither
Python's limit nor the C stack bounds it, so that any input ends in an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from ...errors import EncodingError
from ..messages.shapes import users_path
from .values import BINARY, Unsupported, is_container, key_text, simplify, unsupported

MAX_DEPTH = 500
"""The deepest nesting that is sent; msgpack's library writes 511, orjson reads 1,024."""

WALK = object()
"""What a format returns for a value that has to be walked."""


@dataclass(frozen=True)
class Format:
    """What an encoding needs done to the values of a message; here, nothing.

    Attributes:
        name: as the user reads it.
        binary: whether it has a form for bytes.
        leaves: the exact types of values that hold no others and that it can write.
        bad_keys: keys that must not be sent.
    """

    name: str
    binary: bool
    leaves: frozenset[type]
    bad_keys: frozenset[str] = frozenset()

    def flat(self, container: Any, types: set[type]) -> Any:
        """A dict or list of leaves as it can be written at once, or WALK.

        Args:
            types: those of its values. The keys are all str.
        """
        return container

    def native(self, value: Any) -> Any:
        """A value that is neither leaf nor container as it can be written at once, or WALK."""
        return WALK

    def leaf(self, value: Any) -> Any:
        """A leaf as it can be written.

        Raises:
            Unsupported: it cannot.
        """
        return value

    def key(self, key: str) -> str:
        """A key as it can be written.

        Raises:
            Unsupported: it cannot.
        """
        return key

    def close(self, container: dict[str, Any] | list[Any]) -> Any:
        """A container whose values are done, as it can be written."""
        return container


def is_plain(message: Any, form: Format) -> bool:
    """Whether a message is a tree of exact dicts, lists, tuples and leaves, with str keys.

    Goes level by level through loops in C: what an encoder then writes must not cost more to look
    at than to write. The values of the leaves are not looked at.

    Returns:
        False also where the walk is to decide: a container twice on one level (a cycle may be),
        nesting beyond MAX_DEPTH, more than ``_MANY`` containers.
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
        # An empty one needs no look, and () is one object wherever it stands.
        level = [child for child in _children(dicts, lists) if type(child) in _EXACT and child]
    return not level


def convert(message: Mapping[str, Any], form: Format, subject: str) -> Any:
    """Makes a message such that the encoder can write it.

    Args:
        subject: what an error calls the value that is sent.

    Raises:
        EncodingError: a value cannot be sent; the text names its path.
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
    """A value holds itself."""


class _TooDeep(Unsupported):
    """Values are nested deeper than MAX_DEPTH."""


class _Frame:
    """A container on the way from the message to the value in hand.

    Attributes:
        source: what the user gave: a container, or what was simplified to one.
        items: keys and values that are still to come.
        out: the container that takes their plain forms.
        key: the key of the value in hand, as the user knows it.
    """

    __slots__ = ("_text", "items", "key", "out", "source")

    def __init__(self, source: Any, container: Any) -> None:
        self.source = source
        self.key: Any = None
        self._text = ""
        self.items: Iterator[tuple[Any, Any]]
        self.out: dict[str, Any] | list[Any]
        # Copies, since another thread of the user's may be changing it; of what it really holds,
        # as the encoders in C see it.
        if isinstance(container, dict):
            self.items, self.out = iter(list(dict.items(container))), {}
        elif isinstance(container, list):
            self.items, self.out = enumerate(list.copy(container)), []
        else:
            self.items, self.out = enumerate(list(tuple.__iter__(container))), []

    def take(self, key: Any, form: Format) -> None:
        """Turns to the value at a key."""
        self.key = key
        if isinstance(self.out, dict):
            self._text = form.key(key if type(key) is str else _ask_user(key_text, key))

    def put(self, value: Any) -> None:
        """Stores the plain form of the value in hand."""
        if isinstance(self.out, dict):
            self.out[self._text] = value
        else:
            self.out.append(value)


def _split(level: list[Any]) -> tuple[list[Any], list[Any]]:
    """The dicts of a level, and its lists and tuples."""
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
    """Goes on with a container until it meets another that has to be walked."""
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
    """A value as it can be written, or the container that has to be walked in its place."""
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
        # The user's code runs here: a time zone, a __str__, a subclass of an array.
        name, reason = type(value).__name__, f"{type(error).__name__}: {error}"
        raise Unsupported(f"has a {name} which cannot be read: {reason}") from error


def _sentence(problem: Unsupported, keys: list[Any], encoding: str, subject: str) -> str:
    path = path_text(keys)
    if isinstance(problem, _Cycle):
        return f"the {subject} refers to itself at {path}; {encoding} has no form for that"
    if isinstance(problem, _TooDeep):
        return (
            f"the {subject} cannot be sent as {encoding}: "
            f"it is nested more than {MAX_DEPTH} levels deep, at {path}"
        )
    return f"the {subject} cannot be sent as {encoding}: {path} {problem}"


def path_text(keys: list[Any]) -> str:
    """Write a place as users do: a name, and the keys that lead on from it."""
    parts = [str(keys[0]), *map(_step, keys[1:])]
    if len(parts) > 20:
        parts[10:-5] = ["…"]
    return "".join(parts)


def _step(key: Any) -> str:
    if type(key) is str and key.isidentifier() and len(key) <= 80:
        return f".{key}"
    if type(key) is str:
        import json

        text = json.dumps(
            key[:80] + "…" if len(key) > 80 else key, ensure_ascii=not key.isprintable()
        )
        return f"[{text}]"
    return f"[{_key_repr(key)}]"


def _key_repr(key: Any) -> str:
    try:
        text = repr(key)
    except Exception:  # the user's own __repr__
        text = f"a {type(key).__name__}"
    return text if len(text) <= 80 else text[:80] + "…"
