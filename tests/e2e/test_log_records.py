"""The file that HKube's worker reads: it takes each line as a record of its own."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from image import process_one

from .conftest import Serve


def lines_with(log: Path, text: str) -> list[str]:
    return [line for line in log.read_text().splitlines() if text in line]


@pytest.mark.parametrize("form", ["text", "short", "json"])
def test_report_of_a_failed_task_and_of_a_crash_are_one_record_each(
    serve: Serve, tmp_path: Path, form: str
) -> None:
    code = (
        "import os\n\ndef start(args):\n    if args['input'][0] == 'crash':\n"
        "        os.abort()\n    return 1 / 0\n"
    )
    log = tmp_path / "stdout.log"
    process = ("-I", "-S", process_one.__file__, str(log), sys.executable, "-m", "wrapper")
    worker, wrapper = serve({"main.py": code}, arguments=process, env={"HKUBE_LOG_FORMAT": form})
    worker.begin("fail")
    worker.wait_for("errorMessage")
    worker.begin("crash")
    assert wrapper.wait(20) == 134

    key = "message" if form == "json" else "log"
    for text in ("ZeroDivisionError", "SIGABRT"):
        (line,) = lines_with(log, text)
        record = json.loads(line)[key]
        assert "main.py" in record and "in start" in record
        assert len(record.splitlines()) > 2
    assert "\x1e" not in wrapper.stdout + wrapper.stderr + log.read_text()
    assert "\n    " in wrapper.stdout or form == "json", "people read lines"
