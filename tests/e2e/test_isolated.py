"""`hkube.run(…, isolated=True)`: the real supervisor and algorithm process, as a test uses them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from wrapper.local.worker.timeouts import EXIT_TIMEOUT
from wrapper.testing import AlgorithmFailed, HKube


@pytest.fixture
def hkube(tmp_path: Path) -> Iterator[HKube]:
    """The plugin's fixture, made here because the plugin may not be installed."""
    hkube = HKube([tmp_path])
    yield hkube
    hkube.close()


@pytest.fixture
def main(tmp_path: Path) -> Path:
    """The path of the algorithm's file."""
    return tmp_path / "main.py"


def test_outcome_matches_an_in_process_run(hkube: HKube, main: Path) -> None:
    main.write_text(
        "import os, sys\nruns = 0\n"
        "def start(args, hkubeApi):\n"
        "    global runs\n    runs += 1\n"
        "    print('printed', runs)\n    print('to stderr', file=sys.stderr)\n"
        "    print('no end', end='')\n"
        "    with hkubeApi.span('s'):\n        hkubeApi.progress(50)\n"
        "    other = hkubeApi.start_algorithm('other', args['input'])\n"
        "    return [(runs, other), float('nan'), os.getpid()]\n"
    )
    hkube.answer_algorithm("other", lambda given: given[0])
    seen = []
    for isolated in (True, True, False):
        outcome = hkube.run("main.py", input=[5], isolated=isolated)
        seen.append((outcome.logs, outcome.progress, [span.name for span in outcome.spans]))
        (runs, other), nan, pid = outcome.result
        assert (other, nan) == (5, None)
        assert (pid == os.getpid()) is not isolated
        assert outcome.logs == [f"printed {runs}", "to stderr", "no end"]
    assert [logs[0] for logs, _, _ in seen] == ["printed 1", "printed 2", "printed 1"]
    assert seen[0] == seen[2]


def test_run_that_ends_before_the_processes_start(hkube: HKube, main: Path) -> None:
    main.write_text("def start(args): pass\n")
    with pytest.raises(AlgorithmFailed, match=r"0.001 s"):
        hkube.run(main, isolated=True, timeout=0.001)
    began = time.monotonic()
    hkube.close()
    assert time.monotonic() - began < EXIT_TIMEOUT / 2


def test_failure_includes_its_frames(hkube: HKube, main: Path) -> None:
    main.write_text("def start(args):\n    return 1 / 0\n")
    outcome = hkube.run(main, isolated=True)
    assert outcome.error is not None
    assert outcome.error.message == "ZeroDivisionError: division by zero (main.py:2, in start)"
    assert outcome.error.exception is None
    assert outcome.logs == []
    with pytest.raises(AlgorithmFailed, match=r"> 2 \|     return 1 / 0"):
        _ = outcome.result


def test_crash(hkube: HKube, main: Path) -> None:
    main.write_text(
        "import os\n"
        "def start(args):\n    print('last line')\n    os.kill(os.getpid(), args['input'][0])\n"
    )
    outcome = hkube.run(main, input=[11], isolated=True)
    assert outcome.error is not None
    assert outcome.error.code == "Lost"
    assert outcome.error.message == "the algorithm's process was ended by SIGSEGV (exit code 139)"
    assert "in start" in outcome.error.details
    assert outcome.logs == ["last line"]
    main.write_text("def start(args):\n    return 'another process'\n")
    assert hkube.run(main, isolated=True).result == "another process"


def test_exit_code(hkube: HKube, main: Path) -> None:
    main.write_text("import os\ndef start(args):\n    os._exit(7)\n")
    outcome = hkube.run(main, isolated=True)
    assert outcome.error is not None
    assert outcome.error.message == "the algorithm's process ended with exit code 7"


def test_timeout_and_stop(hkube: HKube, main: Path) -> None:
    main.write_text("def start(args):\n    while True:\n        pass\n")
    with pytest.raises(AlgorithmFailed, match=r"no result within 0.2 s \(timeout=0.2\)"):
        hkube.run(main, isolated=True, timeout=0.2)
    hkube.stop()
    assert hkube.run(main, isolated=True).stopped


def test_algorithm_that_must_be_killed(hkube: HKube, main: Path) -> None:
    main.write_text(
        "def start(args):\n"
        "    while args['input']:\n"
        "        try:\n            while True: pass\n"
        "        except BaseException:\n            pass\n"
        "    return 'served by a new process'\n"
    )
    hkube.stop()
    assert hkube.run(main, input=[1], isolated=True).stopped
    assert hkube.run(main, isolated=True).result == "served by a new process"


def test_processes_end_with_the_test(tmp_path: Path, main: Path) -> None:
    main.write_text(
        "import os\nfrom pathlib import Path\n"
        "def start(args):\n    return os.getpid()\n"
        "def exit(args):\n    Path('exited').write_text('yes')\n"
    )
    hkube = HKube([tmp_path])
    pid = hkube.run(main, isolated=True).result
    hkube.close()
    assert (tmp_path / "exited").read_text() == "yes"
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
