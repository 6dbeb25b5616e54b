"""The exit code and the report of each way to end."""

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
    """A file as kubelet makes it: anybody may write it."""
    path = scratch / name
    path.touch()
    path.chmod(0o666)
    return path


def test_the_worker_s_code(serve: Serve) -> None:
    for code in (0, 7):
        session = serve("echo")
        assert session.worker.run("x") is not None
        session.worker.send("exit", {"exitCode": code})
        assert session.container.wait() == code


def test_a_code_of_the_user_s(serve: Serve) -> None:
    session = serve({"main.py": "import os\n\ndef start(args): os._exit(7)\n"})
    session.worker.initialize()
    session.worker.expect("initialized")
    session.worker.send("start", {})

    assert session.container.wait() == 7


def test_a_segmentation_fault_with_its_report(serve: Serve, scratch: Path) -> None:
    report = termination_log(scratch, "segfault")
    session = serve("segfault", options=["--volume", f"{report}:/dev/termination-log"])
    session.worker.initialize()
    session.worker.expect("initialized")
    session.worker.send("start", {})

    assert session.container.wait() == 139
    for text in (report.read_text(), session.container.stderr + session.container.stdout):
        assert "signal 11 (SIGSEGV)" in text
        assert "main.py" in text


def test_out_of_memory_with_a_report_that_names_the_limit(serve: Serve, scratch: Path) -> None:
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
