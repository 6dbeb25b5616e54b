"""What a person sees of `run` and `pipeline run`: on a terminal, and in a pipe."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.harness.terminal import LIMIT, TerminalRun

WRAPPER = (sys.executable, "-m", "wrapper")
TASK = """\
def initialize(args):
    print("preparing")


def start(args, hkubeApi):
    for number in range(5):
        print("line", number)
    print("half", end="")
    return {"a": [1, 2]}
"""
SHOWN = [
    "preparing",
    "[local] initialized after # s",
    "[local] started after # s",
    *(f"line {number}" for number in range(5)),
    "half",
    "[local] done after # s",
]
RESULT = ["{", '  "a": [', "    1,", "    2", "  ]", "}"]
FLOOD = """\
import sys, time


def start(args):
    began = time.perf_counter()
    for number in range(20_000):
        print("line number", number)
    return time.perf_counter() - began
"""
TORN = """\
import time


def start(args, hkubeApi):
    for number in range(300):
        print("epoch", number, "loss", 0.5, "accuracy", 0.25)
        hkubeApi.progress(number / 3)
"""
RAW = """\
import os


def start(args):
    os.write(1, b"\\xff\\x1b[31mred\\x1b[0m\\n")
"""
STUCK = """\
import time


def start(args):
    print("at work")
    while True:
        time.sleep(0.01)
"""


def without_times(lines: list[str]) -> list[str]:
    return [re.sub(r"\d+\.\d\d s", "# s", line) for line in lines]


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    return folder


def write_pipeline(folder: Path, nodes: list[dict[str, object]], **algorithms: str) -> list[str]:
    (folder / "algorithms").mkdir()
    write(folder / "algorithms", **algorithms)
    (folder / "pipeline.json").write_text(json.dumps({"name": "p", "nodes": nodes}))
    return [*WRAPPER, "pipeline", "run", "pipeline.json"]


def test_output_comes_before_done_and_the_result(tmp_path: Path) -> None:
    write(tmp_path, one=TASK)
    command = [*WRAPPER, "run", "one.py", "--repeat", "2"]
    with TerminalRun(command, tmp_path) as terminal:
        assert terminal.wait() == 0
    lines = without_times(terminal.lines)
    assert lines[0] == "[local] connected after # s"
    assert lines[1:-1] == [*SHOWN, *RESULT] * 2
    assert lines[-1].startswith("[local] 2 tasks: median ")
    assert "━" in terminal.output


def test_output_keeps_its_order_in_a_pipe(tmp_path: Path) -> None:
    write(tmp_path, one=TASK)
    done = subprocess.run(
        [*WRAPPER, "run", "one.py"],
        check=True,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LIMIT,
    )
    assert without_times(done.stdout.splitlines()[1:]) == [*SHOWN, '{"a": [1, 2]}']


def test_terminal_does_not_slow_user_code(tmp_path: Path) -> None:
    write(tmp_path, flood=FLOOD)
    with TerminalRun([*WRAPPER, "run", "flood.py"], tmp_path) as terminal:
        assert terminal.wait() == 0
    numbers = [line for line in terminal.lines if line.startswith("line number")]
    assert numbers == [f"line number {number}" for number in range(20_000)]
    # 0.06 s on an idle machine; 9.9 s if each line waits for the drawing.
    assert float(terminal.lines[-1]) < 3


@pytest.mark.parametrize("on_terminal", [True, False])
def test_lines_are_not_torn(tmp_path: Path, on_terminal: bool) -> None:
    write(tmp_path, torn=TORN)
    command = [*WRAPPER, "run", "torn.py"]
    if on_terminal:
        with TerminalRun(command, tmp_path) as terminal:
            assert terminal.wait() == 0
        lines = terminal.lines
    else:
        done = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, timeout=LIMIT, check=True
        )
        lines = done.stderr.splitlines()
        assert sum(line.startswith("[local] progress ") for line in lines) == 300
    assert [line for line in lines if "epoch" in line] == [
        f"epoch {number} loss 0.5 accuracy 0.25" for number in range(300)
    ]


def test_bytes_in_a_pipe_are_unchanged(tmp_path: Path) -> None:
    write(tmp_path, raw=RAW)
    done = subprocess.run(
        [*WRAPPER, "run", "raw.py"], cwd=tmp_path, capture_output=True, timeout=LIMIT, check=True
    )
    assert b"\n\xff\x1b[31mred\x1b[0m\n" in done.stderr


def test_unfinished_line_is_shown_soon(tmp_path: Path) -> None:
    write(tmp_path, ask=STUCK.replace('"at work"', '"at work", end=""'))
    with subprocess.Popen(
        [*WRAPPER, "run", "ask.py"], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr is not None
            lines = [process.stderr.readline() for _ in range(4)]
            assert lines[-1] == "at work\n"
        finally:
            process.terminate()


@pytest.mark.parametrize("on_terminal", [True, False])
def test_pipeline_labels_each_line_with_its_node(tmp_path: Path, on_terminal: bool) -> None:
    prints = """\
def start(args):
    for number in range(50):
        print("line", number, "of", args["nodeName"])
"""
    nodes: list[dict[str, object]] = [
        {"nodeName": name, "algorithmName": "prints", "input": inputs}
        for name, inputs in (("a", []), ("b", ["@a"]), ("c", ["@b"]), ("many", ["#[1,2]", "@c"]))
    ]
    command = write_pipeline(tmp_path, nodes, prints=prints)
    if on_terminal:
        with TerminalRun(command, tmp_path) as terminal:
            assert terminal.wait() == 0
        lines = terminal.lines
    else:
        done = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, timeout=LIMIT, check=True
        )
        lines = done.stderr.splitlines()
    labelled = sorted(line for line in lines if " of " in line)
    assert labelled == sorted(
        f"[{label}] line {number} of {label.partition('[')[0]}"
        for label in ("a", "b", "c", "many[1]", "many[2]")
        for number in range(50)
    )


@pytest.mark.parametrize("columns", [40, 80])
def test_narrow_terminal_shortens_names(tmp_path: Path, columns: int) -> None:
    name = "a-very-long-name-of-a-node-that-does-not-fit-in-any-column-of-the-table"
    node: dict[str, object] = {"nodeName": name, "algorithmName": "quick", "input": []}
    command = write_pipeline(tmp_path, [node], quick="def start(args): return 1\n")
    with TerminalRun(command, tmp_path, columns) as terminal:
        assert terminal.wait() == 0
    heading = next(line for line in terminal.lines if line.startswith("node "))
    row = next(line for line in terminal.lines if line.startswith("a-very"))
    assert len(heading) <= columns and len(row) <= columns
    assert re.fullmatch(r"a-very[a-z-]*…( +quick)? +1 +\d\.\d s", row)
    assert re.fullmatch(r"node +(algorithm +)?(waiting|wait) +(running|run) .*time", heading)


def test_bar_fits_a_narrow_terminal(tmp_path: Path) -> None:
    name = "an_algorithm_whose_name_is_longer_than_the_terminal"
    write(tmp_path, **{name: STUCK})
    with TerminalRun([*WRAPPER, "run", f"{name}.py"], tmp_path, 40) as terminal:
        terminal.wait_for("…")
        terminal.interrupt()
        assert terminal.wait() == 130
    assert all("━" not in line for line in terminal.lines)


def test_ctrl_c_shows_stopped_tasks_in_the_table(tmp_path: Path) -> None:
    nodes: list[dict[str, object]] = [
        {"nodeName": "one", "algorithmName": "stuck", "input": []},
        {"nodeName": "many", "algorithmName": "stuck", "input": ["#[1,2]"]},
    ]
    command = write_pipeline(tmp_path, nodes, stuck=STUCK)
    with TerminalRun(command, tmp_path) as terminal:
        for label in ("[one]", "[many[1]]", "[many[2]]"):
            terminal.wait_for(f"{label} at work")
        terminal.interrupt()
        assert terminal.wait() == 130
    table = terminal.lines[terminal.lines.index("[local] stopping; Ctrl-C again ends at once") :]
    assert any(re.match(r"one +stuck +stopped", line) for line in table)
    assert any(re.match(r"many +stuck +2 stopped", line) for line in table)


@pytest.mark.parametrize("arguments", [["--timeout", "1"], []])
def test_stop_says_where_the_code_was(tmp_path: Path, arguments: list[str]) -> None:
    write(tmp_path, stuck=STUCK)
    with TerminalRun([*WRAPPER, "run", "stuck.py", *arguments], tmp_path) as terminal:
        terminal.wait_for("at work")
        if not arguments:
            terminal.interrupt()
        assert terminal.wait() == (1 if arguments else 130)
    places = [line for line in terminal.lines if "asked to stop at" in line]
    assert len(places) == 1
    assert re.search(r"asked to stop at stuck.py:[67], in start$", places[0])


def test_silent_successes_get_a_note(tmp_path: Path) -> None:
    text = """\
from pathlib import Path


def start(args, hkubeApi):
    hkubeApi.progress(0.25)
    hkubeApi.progress(0.5)
    Path(hkubeApi.metrics_dir, "events.1").write_text("x")
"""
    write(tmp_path, silent=text)
    environ = {name: value for name, value in os.environ.items() if name != "ALGO_METRICS_DIR"}
    done = subprocess.run(
        [*WRAPPER, "run", "silent.py", "--repeat", "2"],
        cwd=tmp_path,
        env={**environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=True,
    )
    assert done.stdout == "null\nnull\n"
    notes = [line for line in done.stderr.splitlines() if line.startswith("[local] note: ")]
    assert notes == [
        "[local] note: progress never went above 1; it is a percentage: report 50, not 0.5",
        "[local] note: the result is null, because start (silent.py:4) returns nothing",
    ]
    (folder,) = tmp_path.glob("hkube-metrics-silent-*")
    assert f"tensorboard --logdir {folder}" in done.stderr
    assert (folder / "events.1").read_text() == "x"


def test_metrics_of_each_task_stay_in_the_folder_that_was_chosen(tmp_path: Path) -> None:
    text = """\
import os


def start(args, hkubeApi):
    assert os.environ["ALGO_METRICS_DIR"] == str(hkubeApi.metrics_dir)
    (hkubeApi.metrics_dir / "events.1").write_text("x")
    return hkubeApi.job.task_id
"""
    (tmp_path / "green.py").write_text(text)
    (tmp_path / "p.json").write_text(
        '{"name": "p", "nodes": [{"nodeName": "a", "algorithmName": "green", "input": ["#[1,2]"]}]}'
    )
    for arguments, pipeline, node in (
        (("run", "green.py", "--repeat", "2"), "local", "local"),
        (("run", "green.py", "--in-process"), "local", "local"),
        (("pipeline", "run", "p.json", "--algorithms", "."), "p", "a"),
    ):
        done = subprocess.run(
            [*WRAPPER, *arguments, "--metrics", "kept"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=True,
        )
        assert f"tensorboard --logdir {tmp_path / 'kept'}" in done.stderr
        tasks = {path.parent.name for path in tmp_path.glob(f"kept/{pipeline}/{node}/*/*/events.1")}
        ran = {each for each in tasks if f'"{each}"' in done.stdout}
        assert len(ran) == (1 if "--in-process" in arguments else 2), (tasks, done.stdout)
