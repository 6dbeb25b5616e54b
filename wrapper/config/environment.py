"""Typed values out of environment variables; what is wrong with them is collected, not raised."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

_YES = ("true", "1", "yes", "on")
_NO = ("false", "0", "no", "off")
_LONGEST_SHOWN = 200  # characters of a value


class EnvironmentReader:
    """Reads one setting after the other.

    An empty variable counts as not set, and space around a value does not count: both are what
    deployment files leave behind. A value that cannot be used adds a sentence to `problems`, and
    reads as its default, so that one look finds everything.

    Args:
        environ: the environment.

    Attributes:
        problems: a sentence for each value that cannot be used: name, value, what is accepted.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.problems: list[str] = []
        self._environ = environ

    def text(self, name: str, default: str = "") -> str:
        """A setting that may be any text."""
        return self._environ.get(name, "").strip() or default

    def flag(self, name: str, default: bool) -> bool:
        """A setting that is on or off."""
        value = self.text(name).lower()
        if not value:
            return default
        if value not in _YES + _NO:
            self.reject(name, "true or false")
            return default
        return value in _YES

    def whole(self, name: str, default: int, low: int = 1, high: int | None = None) -> int:
        """A whole number within bounds, which are both allowed themselves."""
        value = self.text(name)
        if not value:
            return default
        number = int(value) if value.isdecimal() and value.isascii() and len(value) < 20 else -1
        if number < low or (high is not None and number > high):
            bounds = f"of at least {low}" if high is None else f"from {low} to {high}"
            self.reject(name, f"a whole number {bounds}")
            return default
        return number

    def port(self, name: str, default: int) -> int:
        """A TCP port."""
        return self.whole(name, default, 1, 65535)

    def seconds(self, name: str, default: float) -> float:
        """A duration, with a fraction if need be."""
        value = self.text(name)
        if not value:
            return default
        try:
            number = float(value)
        except ValueError:
            number = -1.0
        if not 0 <= number < float("inf"):
            self.reject(name, "a number of seconds, 0 or more")
            return default
        return number

    def milliseconds(self, name: str, default: int) -> float:
        """A duration that the environment gives in milliseconds; returns seconds."""
        return self.whole(name, default) / 1000

    def choice(
        self,
        name: str,
        accepted: tuple[str, ...],
        default: str,
        aliases: Mapping[str, str] | None = None,
    ) -> str:
        """One of a few words, in lower or upper case.

        Args:
            name: the variable.
            accepted: the words; one of them is returned.
            default: if it is not set.
            aliases: other words for them.
        """
        value = self.text(name).lower()
        if not value:
            return default
        value = (aliases or {}).get(value, value)
        if value not in accepted:
            self.reject(name, f"{', '.join(accepted[:-1])} or {accepted[-1]}", accepted)
            return default
        return value

    def reject(self, name: str, must: str, known: Iterable[str] = ()) -> None:
        """Add a problem.

        Args:
            name: the variable whose value cannot be used.
            must: what the value must be.
            known: values that would do; one that is near is offered.
        """
        value = self.text(name)
        shown = repr(value if len(value) <= _LONGEST_SHOWN else value[:_LONGEST_SHOWN] + "…")
        from ..text.suggestions import near_miss  # needed only if a value is invalid

        meant = near_miss(value, known)
        hint = "" if meant is None else f"; did you mean {meant!r}?"
        self.problems.append(f"{name} is {shown}, but must be {must}{hint}")
