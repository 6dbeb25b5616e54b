"""The fields of a JSON object, taken with a look at their types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....errors import WrapperError
from ....text.suggestions import did_you_mean, near_miss


class DescriptorError(WrapperError):
    """A pipeline's descriptor cannot be used; the text names the place."""

    code = "DescriptorError"


class Fields:
    """The fields of a JSON object, taken with a look at their types."""

    def __init__(self, document: Any, where: str) -> None:
        if not isinstance(document, Mapping):
            raise DescriptorError(f"{where}: must be an object, not {type_name(document)}")
        self._document = document
        self.where = where

    def error(self, name: str, text: str) -> DescriptorError:
        """Return the error that a field is wrong."""
        return DescriptorError(f"{self.where}: {name}: {text}")

    def refuse_misspelt(self, known: tuple[str, ...]) -> None:
        """Refuse a field that is called almost as one that is not there.

        Fields of other names are HKube's, or somebody's own, and make no difference here.
        """
        missing = [name for name in known if name not in self._document]
        for name in self._document:
            if isinstance(name, str) and name not in known:
                alike = near_miss(name, missing, likeness=0.8)
                if alike is not None:
                    raise self.error(name, f"there is no such field{did_you_mean(alike)}")

    def get(self, name: str) -> Any:
        """Return a field as it is, None if it is not there."""
        return self._document.get(name)

    def text(self, name: str, default: str | None = None) -> str:
        """Return a text that is not empty."""
        value = self.get(name)
        if value is None and default is not None:
            return default
        if value is None:
            alike = near_miss(name, [key for key in self._document if isinstance(key, str)], 0.75)
            raise DescriptorError(f"{self.where}: it has no '{name}'{_instead(alike)}")
        if not isinstance(value, str) or not value:
            raise self.error(name, f"must be a text, not {shown(value)}")
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
        """Return true or false; false if it is not there."""
        return bool(self._typed(name, bool, "true or false", False))

    def one_of(self, name: str, allowed: tuple[str, ...], default: str) -> str:
        """Return one of a few words."""
        value = self.get(name)
        if value is None:
            return default
        if value not in allowed:
            alike = near_miss(value, allowed) if isinstance(value, str) else None
            choices = ", ".join(allowed[:-1]) + " or " + allowed[-1]
            raise self.error(name, f"must be {choices}, not {shown(value)}{did_you_mean(alike)}")
        return str(value)

    def integer(self, name: str, default: int, *, least: int, most: int | None = None) -> int:
        """Return a whole number within its limits."""
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
                raise DescriptorError(f"{self.where}: it has no '{name}'")
            return default
        if not isinstance(value, kind):
            raise self.error(name, f"must be {wanted}, not {shown(value)}")
        return value


def _instead(found: str | None) -> str:
    return f", but a '{found}'" if found else ""


def type_name(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    names = {dict: "an object", list: "an array", str: "a text", int: "a number", float: "a number"}
    return names.get(type(value), f"a {type(value).__name__}")


def shown(value: Any, limit: int = 40) -> str:
    """A value as a sentence names it: itself if it is short, its type otherwise."""
    if isinstance(value, str) and 0 < len(value) <= limit:
        return f"'{value}'"
    if value == "":
        return "an empty text"
    if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e18:
        return str(value)
    return type_name(value)
