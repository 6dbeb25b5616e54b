"""Files that hide another module."""

from __future__ import annotations

from pathlib import Path

from wrapper.local.check.finding import FindingStatus
from wrapper.local.check.shadowed_modules import hiding_files


def test_files_and_packages_that_hide_others(tmp_path: Path) -> None:
    for name in ("main.py", "random.py", "wrapper.py", "test.py", "helper.py", "secrets.txt"):
        (tmp_path / name).touch()
    for folder in ("numpy", "queue", "test"):
        (tmp_path / folder).mkdir()
    (tmp_path / "numpy" / "__init__.py").touch()
    found = list(hiding_files(tmp_path, tmp_path / "main.py"))
    assert {each.status for each in found} == {FindingStatus.NOTE}
    assert [each.text.partition(" ")[0] for each in found] == ["numpy", "random.py", "wrapper.py"]
    assert "hides the package 'numpy': rename it" in found[0].text
    assert "hides the standard module 'random', even from libraries: rename it" in found[1].text
    assert "import wrapper loads your file" in found[2].text


def test_files_next_to_the_module_count(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    for name in ("src/main.py", "src/json.py", "types.py"):
        (tmp_path / name).touch()
    found = [each.text for each in hiding_files(tmp_path, tmp_path / "src" / "main.py")]
    assert [text.partition(" ")[0] for text in found] == ["src/json.py", "types.py"]
