"""Reads the fields of a JSON object and checks their types."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar

from ....errors import WrapperError
from ....text.suggestions import did_you_mean, near_miss

P = ParamSpec("P")
T = TypeVar("T")

_WHOLE = re.compile(r"-?\d{1,18}(\.0*)?")


class DescriptorError(WrapperError):
    """A pipeline's descriptor is invalid; the text says where, with a line for each mistake."""

    code = "DescriptorError"

    def __init__(self, *texts: str) -> None:
        # Names and values from the descriptor may contain line breaks: a mistake is one line.
        self.texts = tuple(map(_one_line, texts))
        super().__init__("\n".join(self.texts))


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


class Mistakes:
    """Collects the mistakes in a descriptor, so that all of them are reported at once."""

    def __init__(self) -> None:
        self._texts: list[str] = []

    def read(self, instead: T, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what a call returns; if it raises a DescriptorError, another value instead."""
        try:
            return call(*args, **kwargs)
        except DescriptorError as error:
            self._texts += error.texts
            return instead

    def add(self, error: DescriptorError) -> None:
        """Add a mistake."""
        self._texts += error.texts

    def check(self) -> None:
        """Raise a DescriptorError if there are mistakes."""
        if self._texts:
            raise DescriptorError(*dict.fromkeys(self._texts))


class Fields:
    """The fields of a JSON object, each checked when it is read."""

    def __init__(self, document: Any, where: str) -> None:
        if not isinstance(document, Mapping):
            raise DescriptorError(f"{where}: must be an object, not {type_name(document)}")
        self._document = document
        self.where = where

    def error(self, name: str, text: str) -> DescriptorError:
        """Return the error for an invalid field."""
        return DescriptorError(f"{self.where}: {name}: {text}")

    def refuse_misspelt(self, known: tuple[str, ...]) -> None:
        """Reject a field whose name is almost that of a missing one.

        Other unknown fields are HKube's or the user's, and are ignored.

        Raises:
            DescriptorError: a field's name seems misspelt.
        """
        missing = [name for name in known if name not in self._document]
        for name in self._document:
            if isinstance(name, str) and name not in known:
                alike = near_miss(name, missing, likeness=0.8)
                if alike is not None:
                    raise self.error(name, f"unknown field{did_you_mean(alike)}")

    def get(self, name: str) -> Any:
        """Return a field unchecked, or None without it."""
        return self._document.get(name)

    def text(self, name: str, default: str | None = None) -> str:
        """Return a non-empty string."""
        value = self.get(name)
        if value is None and default is not None:
            return default
        if value is None:
            alike = near_miss(name, [key for key in self._document if isinstance(key, str)], 0.75)
            raise DescriptorError(f"{self.where}: '{name}' is missing{_instead(alike)}")
        if not isinstance(value, str) or not value:
            raise self.error(name, f"must be a string, not {shown(value)}")
        return value

    def array(self, name: str, default: list[Any] | None = None) -> list[Any]:
        """Return an array."""
        value: list[Any] = self._typed(name, list, "an array", default)
        return value

    def object(self, name: str, default: dict[str, Any]) -> dict[str, Any]:
        """Return an object."""
        value: dict[str, Any] = self._typed(name, dict, "an object", default)
        return value

    def flag(self, name: str) -> bool:
        """Return a boolean; False without the field."""
        value = self.get(name)
        if isinstance(value, str) and value.lower() in ("true", "false"):  # as HKube's API
            return value.lower() == "true"
        return bool(self._typed(name, bool, "true or false", False))

    def one_of(self, name: str, allowed: tuple[str, ...], default: str) -> str:
        """Return a string that must be one of the allowed ones."""
        value = self.get(name)
        if value is None:
            return default
        if value not in allowed:
            alike = near_miss(value, allowed) if isinstance(value, str) else None
            choices = ", ".join(allowed[:-1]) + " or " + allowed[-1]
            raise self.error(name, f"must be {choices}, not {shown(value)}{did_you_mean(alike)}")
        return str(value)

    def integer(self, name: str, default: int, *, least: int, most: int | None = None) -> int:
        """Return a whole number within limits; HKube's API accepts one as text too."""
        given = value = self.get(name)
        if value is None:
            return default
        if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
            value = int(value.strip().partition(".")[0])
        elif isinstance(value, float) and value.is_integer():
            value = int(value)
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        if not is_whole or value < least or (most is not None and value > most):
            wanted = f"from {least} to {most}" if most is not None else f"of {least} or more"
            raise self.error(name, f"must be a whole number {wanted}, not {shown(given)}")
        return int(value)

    def _typed(self, name: str, kind: type, wanted: str, default: Any) -> Any:
        value = self.get(name)
        if value is None:
            if default is None:
                raise DescriptorError(f"{self.where}: '{name}' is missing")
            return default
        if not isinstance(value, kind):
            raise self.error(name, f"must be {wanted}, not {shown(value)}")
        return value


def _instead(found: str | None) -> str:
    return f"; found '{found}' instead" if found else ""


def type_name(value: Any) -> str:
    """Return the JSON type of a value, with its article, for a message."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    names = {
        dict: "an object",
        list: "an array",
        str: "a string",
        int: "a number",
        float: "a number",
    }
    return names.get(type(value), f"a {type(value).__name__}")


def shown(value: Any, limit: int = 40) -> str:
    """Return a value for a message: itself if it is short, otherwise its type."""
    if isinstance(value, str) and 0 < len(value) <= limit:
        return f"'{value}'"
    if value == "":
        return "an empty string"
    if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e18:
        return str(value)
    return type_name(value)
