"""docs/tutorial.md: its commands, run in order, print what the page shows."""

from __future__ import annotations

import importlib.metadata
import re
from pathlib import Path

from .conftest import ROOT, run_block

BLOCK = re.compile(
    r"`(?P<file>\w+\.\w+)`[^`]*\n\n```(?:python|text)\n(?P<text>.*?)^```$"
    r"|^```console\n(?P<console>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
# They install packages or need a container engine.
NOT_RUN = [
    "python3 -m venv .venv && . .venv/bin/activate",
    "pip install . numpy pytest",
    "hkube-wrapper build . --tag longest-word:1",
    "docker run --rm longest-word:1 run --input '[\"to err is human\"]'",
]
FAILING = ["run . --input '[\"\"]'", "check ."]  # each fails once, and works once it is fixed


def test_tutorial(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    page = re.sub(r"numpy(==| )2\.4\.6", rf"numpy\g<1>{importlib.metadata.version('numpy')}", page)
    folder = tmp_path
    not_run, failed = [], []
    for block in BLOCK.finditer(page):
        if block["file"]:
            assert (folder / block["file"]).exists(), "the page replaces files that exist"
            (folder / block["file"]).write_text(block["text"], encoding="utf-8")
            continue
        for shown in re.split(r"^(?=\$ )", block["console"], flags=re.MULTILINE)[1:]:
            command = shown.splitlines()[0].removeprefix("$ ")
            if command in NOT_RUN:
                not_run.append(command)
            elif command.startswith("cd "):
                folder /= command.removeprefix("cd ")
            else:
                session = run_block(shown, folder)
                session.check()
                if session.code:
                    failed.append(command.removeprefix("hkube-wrapper "))
    assert not_run == NOT_RUN
    assert failed == FAILING
