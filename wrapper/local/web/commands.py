"""Answers the commands of pages."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, final

from ...text.printed_json import as_json
from .algorithm_state import AlgorithmState
from .results.compare import difference
from .results.pages import page_of, value_at
from .results.views import view_of, views_of
from .runs.export import as_command, as_test
from .runs.history import History
from .runs.run_book import RunBook
from .server.messages import CommandError, PageCommand, parse_command
from .session import DevSession

_MOST_LINES = 10_000
_MOST_PARTS = 500
_MOST_RUNS = 200


@final
class PageCommands:
    """Carries out commands; called from the threads of several pages.

    Args:
        path: the algorithm's path, as it was typed.
        session: runs the algorithm.
        state: the algorithm.
        runs: its runs.
        history: all runs that are kept.
    """

    def __init__(
        self,
        path: str,
        session: DevSession,
        state: AlgorithmState,
        runs: RunBook,
        history: History,
    ) -> None:
        self._path = path
        self._session = session
        self._state = state
        self._runs = runs
        self._history = history
        self._carry_out: Mapping[str, Callable[[PageCommand], dict[str, Any]]] = {
            "run": self._run,
            "stop": self._stop,
            "run_on_save": self._run_on_save,
            "facts": self._facts,
            "log": self._log,
            "value": self._value,
            "view": self._view,
            "history": self._search,
            "compare": self._compare,
            "export": self._export,
        }

    def answer(self, text: str | bytes) -> str:
        """Return the answer to a message of a page."""
        number: int | None = None
        try:
            command = parse_command(text)
            number = command.number
            carry_out = self._carry_out.get(command.name)
            if carry_out is None:
                raise CommandError(f"there is no command '{command.name}'")
            return as_json({"id": number, "answer": carry_out(command)})
        except CommandError as error:
            return as_json({"id": number, "error": str(error)})

    def download(self, number: int) -> str | None:
        """Return the result of a run as JSON; None if it is not kept."""
        try:
            return as_json(self._runs.result(number))
        except CommandError:
            return None

    def _run(self, command: PageCommand) -> dict[str, Any]:
        return {"run": self._session.run(command.text("input"))}

    def _stop(self, command: PageCommand) -> dict[str, Any]:
        self._session.stop()
        return {}

    def _run_on_save(self, command: PageCommand) -> dict[str, Any]:
        self._state.set_run_on_save(command.flag("on"))
        return {}

    def _facts(self, command: PageCommand) -> dict[str, Any]:
        number = command.count("run")
        return {"facts": self._runs.facts(number), "input": self._runs.input_text(number)}

    def _log(self, command: PageCommand) -> dict[str, Any]:
        start, limit = command.count("start"), command.count("limit", most=_MOST_LINES)
        total, lines = self._runs.lines(command.count("run"), start, limit)
        return {"total": total, "lines": lines}

    def _value(self, command: PageCommand) -> dict[str, Any]:
        result = self._runs.result(command.count("run"))
        limit = command.count("limit", 100, most=_MOST_PARTS)
        return page_of(result, command.path(), command.count("start", 0), limit)

    def _view(self, command: PageCommand) -> dict[str, Any]:
        part = value_at(self._runs.result(command.count("run")), command.path())
        kind = command.text("kind")
        if kind not in views_of(part):
            raise CommandError(f"this part of the result cannot be shown as {kind}")
        return view_of(
            part,
            kind,
            start=command.count("start", 0),
            limit=command.count("limit", 100, most=_MOST_PARTS),
            sort=command.text("sort", ""),
            down=command.fields.get("down") is True,
        )

    def _search(self, command: PageCommand) -> dict[str, Any]:
        return self._history.search(
            command.text("text", ""),
            command.text("status", ""),
            command.count("start", 0),
            command.count("limit", 50, most=_MOST_RUNS),
        )

    def _compare(self, command: PageCommand) -> dict[str, Any]:
        left, right = command.count("left"), command.count("right")
        return {
            "left": self._runs.facts(left),
            "right": self._runs.facts(right),
            "input": difference(
                json.loads(self._runs.input_text(left)), json.loads(self._runs.input_text(right))
            ),
            "result": difference(self._result_or_none(left), self._result_or_none(right)),
        }

    def _result_or_none(self, number: int) -> Any:
        try:
            return self._runs.result(number)
        except CommandError:
            return None

    def _export(self, command: PageCommand) -> dict[str, Any]:
        number, form = command.count("run"), command.text("form")
        input_text = self._runs.input_text(number)
        if form == "command":
            return {"text": as_command(self._path, input_text)}
        if form != "test":
            raise CommandError("a run can be exported as a test or as a command")
        error = self._runs.facts(number)["error"]
        result = None if error else self._runs.result(number)
        message = error["message"] if error else None
        return {"text": as_test(self._path, json.loads(input_text), result, message)}
