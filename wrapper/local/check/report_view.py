"""Shows the report of `check`: as JSON for programs, as lines for people."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from .check import CheckReport
from .finding import FindingStatus

_MARKS = {
    FindingStatus.FINE: ("✓", "green"),
    FindingStatus.NOTE: ("!", "yellow"),
    FindingStatus.WRONG: ("✗", "red"),
}
_PLAIN_MARKS = {FindingStatus.FINE: "ok", FindingStatus.NOTE: "note", FindingStatus.WRONG: "WRONG"}
_MAX_LISTED = 5


def as_document(report: CheckReport) -> dict[str, Any]:
    """Return the report as one object; docs/package.md describes its keys."""
    probed, tree = report.probed, report.tree
    return {
        "ok": report.is_fine,
        "name": report.source.name,
        "folder": str(report.source.folder),
        "entryPoint": report.source.entry_point,
        "file": report.file,
        "loadSeconds": round(probed.seconds, 3) if probed else None,
        "functions": [
            {
                "role": each.role,
                "name": each.name,
                "file": each.file,
                "line": each.line,
                "signature": each.signature,
                "call": each.call,
                "async": each.is_async,
            }
            for each in (probed.functions if probed else ())
        ],
        "packages": [asdict(each) for each in report.packages],
        "python": asdict(report.python),
        "size": {
            "files": len(tree.files),
            "bytes": tree.size,
            "largest": [asdict(each) for each in tree.largest(_MAX_LISTED)],
            "leftOut": [asdict(each) for each in tree.left_out],
        }
        if tree
        else None,
        "findings": [
            {"status": each.status.value, "topic": each.topic, "text": each.text}
            for each in report.findings
        ],
        "details": probed.details if probed else "",
    }


def show(report: CheckReport, console: Console) -> None:
    """Print the report, one line for each finding."""
    is_plain = not console.is_terminal
    place = _shown(report.source.folder)
    console.print(Text(f"{report.source.name} in {place}", style="bold"))
    for finding in report.findings:
        mark, style = _MARKS[finding.status]
        if is_plain:
            mark = f"{_PLAIN_MARKS[finding.status]:5}"
        # A file name may hold bytes that a terminal cannot show.
        text = finding.text.encode(errors="backslashreplace").decode()
        console.print(Text.assemble("  ", (mark, style), " ", text), soft_wrap=True)
        if finding.topic == "module" and finding.status is FindingStatus.WRONG and report.probed:
            for line in report.probed.details.splitlines():
                console.print(Text(f"      {line}", style="dim"), soft_wrap=True)
    errors = sum(finding.status is FindingStatus.WRONG for finding in report.findings)
    if errors:
        what = "1 thing is" if errors == 1 else f"{errors} things are"
        console.print(Text(f"{what} wrong", style="bold red"))
    else:
        console.print(Text("fine", style="bold green"))


def _shown(folder: Path) -> str:
    here = Path.cwd()
    return str(folder.relative_to(here) if folder.is_relative_to(here) else folder)
