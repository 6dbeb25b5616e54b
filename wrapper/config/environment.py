"""Reading typed values from environment variables; invalid ones are collected, not raised."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

_YES = ("true", "1", "yes", "on")
_NO = ("false", "0", "no", "off")
_LONGEST_SHOWN = 200  # characters of a value


class EnvironmentReader:
    """Reads settings one by one.

    An empty variable counts as not set, and space around a value is ignored: deployment files
    often contain both. An invalid value adds a sentence to `problems` and reads as the default, so
    that one run finds all problems.

    Args:
        environ: the environment.

    Attributes:
        problems: a sentence for each invalid value, with its name, the value and what is accepted.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.problems: list[str] = []
        self._environ = environ

    def text(self, name: str, default: str = "") -> str:
        """Read any text."""
        return self._environ.get(name, "").strip() or default

    def flag(self, name: str, default: bool) -> bool:
        """Read a setting that is on or off."""
        value = self.text(name).lower()
        if not value:
            return default
        if value not in _YES + _NO:
            self.reject(name, "true or false")
            return default
        return value in _YES

    def whole(self, name: str, default: int, low: int = 1, high: int | None = None) -> int:
        """Read a whole number from `low` to `high`, inclusive."""
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
        """Read a TCP port."""
        return self.whole(name, default, 1, 65535)

    def seconds(self, name: str, default: float) -> float:
        """Read a duration in seconds, which may have a fraction."""
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
        """Read a duration in milliseconds; return seconds."""
        return self.whole(name, default) / 1000

    def choice(
        self,
        name: str,
        accepted: tuple[str, ...],
        default: str,
        aliases: Mapping[str, str] | None = None,
    ) -> str:
        """Read one of a few words; case does not matter.

        Args:
            name: the variable.
            accepted: the words; one of them is returned.
            default: the result if the variable is not set.
            aliases: other names for accepted words.
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
            name: the variable with the invalid value.
            must: what the value must be.
            known: valid values; a similar one is suggested.
        """
        value = self.text(name)
        shown = repr(value if len(value) <= _LONGEST_SHOWN else value[:_LONGEST_SHOWN] + "…")
        from ..text.redaction import redacted  # needed only if a value is invalid
        from ..text.suggestions import near_miss

        meant = near_miss(value, known)
        hint = "" if meant is None else f"; did you mean {meant!r}?"
        self.problems.append(redacted(f"{name} is {shown}, but must be {must}{hint}"))


_SET_BY_HKUBE = frozenset(
    {
        *("ALGORITHM_TYPE", "CLUSTER_NAME", "DEFAULT_STORAGE", "STORAGE_PROTOCOL"),
        *("WORKER_ALGORITHM_ENCODING", "WORKER_SOCKET_HOST", "WORKER_SOCKET_PORT"),
        *("WORKER_ALGORITHM_PROTOCOL", "WORKER_SOCKET_PROTOCOL", "WORKER_SOCKET_URL"),
        *("POD_ID", "POD_NAME", "KUBERNETES_SERVICE_HOST"),
    }
)


def is_outside_hkube(environ: Mapping[str, str]) -> bool:
    """Whether no variable is set that HKube or Kubernetes would set."""
    return _SET_BY_HKUBE.isdisjoint(environ)
