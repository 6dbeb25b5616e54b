"""The modules of the page have the types that their JSDoc says."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.page.node_packages import FOLDER, node_modules
from wrapper.local.web.server.static_files import STATIC


def test_types_of_the_page_are_right() -> None:
    checked = check(FOLDER / "tsconfig.json")

    assert checked.returncode == 0, checked.stdout


def test_wrong_types_are_found(tmp_path: Path) -> None:
    (tmp_path / "wrong.js").write_text("/** @type {number} */\nexport const a = 'text';\n")
    (tmp_path / "tsconfig.json").write_text(
        (FOLDER / "tsconfig.json")
        .read_text()
        .replace("../../wrapper/local/web/server/static/js/", "")
    )

    checked = check(tmp_path / "tsconfig.json")

    assert checked.returncode != 0
    assert "wrong.js" in checked.stdout


def test_nothing_of_the_page_becomes_html() -> None:
    for file in (STATIC / "js").glob("*.js"):
        text = file.read_text()
        for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "dangerously", "eval("):
            assert way not in text, file.name


def check(project: Path) -> subprocess.CompletedProcess[str]:
    """Run TypeScript's checker."""
    return subprocess.run(
        [node_modules() / ".bin" / "tsc", "--project", project],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
