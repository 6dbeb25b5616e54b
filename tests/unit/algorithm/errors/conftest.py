from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from wrapper.algorithm.errors.failure import FailureReport
from wrapper.algorithm.errors.report import report_exception
from wrapper.algorithm.loading.signature import call_with_api


class User:
    """Runs a source text as the user's main.py, the way the wrapper does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def report(
        self, source: str, *, file: str = "main.py", code: str = "AlgorithmError"
    ) -> FailureReport:
        return report_exception(self.error(source, file), code, str(self.folder))

    def error(self, source: str, file: str = "main.py") -> BaseException:
        path = self.folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
        names: dict[str, Any] = {"__name__": "main", "__file__": str(path)}
        exec(compile(source, str(path), "exec"), names)
        start = call_with_api(names["start"])
        assert start is not None
        with pytest.raises(BaseException) as caught:  # noqa: PT011 - whatever the source raises
            start({}, None)
        # The frame of this function is the test's, not the wrapper's.
        return caught.value.with_traceback(caught.tb.tb_next)


@pytest.fixture
def user(tmp_path: Path) -> User:
    return User(tmp_path / "algo")
