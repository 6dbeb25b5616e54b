"""Reads the fields of a JSON object and checks their types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....errors import WrapperError
from ....text.suggestions import did_you_mean, near_miss


class DescriptorError(WrapperError):
    """A pipeline's descriptor is invalid; the text says where."""

    code = "DescriptorError"

    def __init__(self, text: str) -> None:
        # Names and values from the descriptor may contain line breaks: an error is one line.
        super().__init__("".join(c if c.isprintable() else repr(c)[1:-1] for c in text))


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
        """Return a whole number within limits."""
        value = self.get(name)
        if value is None:
            return default
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        if not is_whole or value < least or (most is not None and value > most):
            wanted = f"from {least} to {most}" if most is not None else f"of {least} or more"
            raise self.error(name, f"must be a whole number {wanted}, not {shown(value)}")
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
