"""Exit codes and termination reports."""

from __future__ import annotations

from pathlib import Path

from .conftest import Serve

MEMORY = 200 * 1024 * 1024
EATS_MEMORY = """\
def start(args):
    kept = []
    while True:
        kept.append(b"x" * 10_000_000)
"""


def termination_log(scratch: Path, name: str) -> Path:
    """A file that anyone may write, like the one that kubelet creates."""
    path = scratch / name
    path.touch()
    path.chmod(0o666)
    return path


def test_exit_code_of_the_worker(serve: Serve) -> None:
    for code in (0, 7):
        session = serve("echo")
        assert session.worker.run("x") is not None
        session.worker.send("exit", {"exitCode": code})
        assert session.container.wait() == code


def test_exit_code_of_the_user(serve: Serve) -> None:
    session = serve({"main.py": "import os\n\ndef start(args): os._exit(7)\n"})
    session.worker.initialize()
    session.worker.expect("initialized")
    session.worker.send("start", {})

    assert session.container.wait() == 7


def test_segmentation_fault_is_reported(serve: Serve, scratch: Path) -> None:
    report = termination_log(scratch, "segfault")
    session = serve("segfault", options=["--volume", f"{report}:/dev/termination-log"])
    session.worker.initialize()
    session.worker.expect("initialized")
    session.worker.send("start", {})

    assert session.container.wait() == 139
    for text in (report.read_text(), session.container.stderr + session.container.stdout):
        assert "signal 11 (SIGSEGV)" in text
        assert "main.py" in text


def test_out_of_memory_report_names_the_limit(serve: Serve, scratch: Path) -> None:
    report = termination_log(scratch, "oom")
    session = serve(
        {"main.py": EATS_MEMORY},
        options=[
            *("--memory", str(MEMORY), "--memory-swap", str(MEMORY)),
            *("--volume", f"{report}:/dev/termination-log"),
        ],
    )
    session.worker.initialize()
    session.worker.expect("initialized")
    session.worker.send("start", {})

    assert session.container.wait() == 137
    for text in (report.read_text(), session.container.stderr + session.container.stdout):
        assert "signal 9 (SIGKILL)" in text
        assert "out of memory: the kernel killed 1 process(es)" in text
        assert f"memory limit is {MEMORY:,} bytes" in text
