"""`hkube-wrapper apply` and `exec` as a user runs them, against a server with HKube's API."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster_server import DROPPED, Asked, ClusterServer, Reply
from tests.e2e.harness.terminal import TerminalRun
from tests.paths import ROOT

LIMIT = 120.0
APPLY = "POST store/algorithms/apply"
JOB = "green:job-1.green"


@pytest.fixture
def server() -> Iterator[ClusterServer]:
    with ClusterServer() as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "green"
    made.mkdir()
    (made / "main.py").write_text("def start(args):\n    return 42\n")
    (made / "algorithm.yml").write_text(
        "name: green\nbaseImage: hkube/python-wrapper:1\nresources: {mem: 512Mi}\ncode: {path: .}\n"
    )
    return made


def environment(server: ClusterServer | None, home: Path, **more: str) -> dict[str, str]:
    endpoint = {"HKUBE_ENDPOINT": server.url} if server is not None else {}
    proxies = {"no_proxy": "*"}
    return {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(home), **endpoint, **proxies, **more}


def command(
    server: ClusterServer | None, cwd: Path, *arguments: str, **environ: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "wrapper", *arguments],
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
        cwd=cwd,
        env=environment(server, cwd.parent, **environ),
    )


def test_apply_sends_the_code_follows_the_build_and_prints_the_image(
    server: ClusterServer, folder: Path, tmp_path: Path
) -> None:
    server.build_states = deque(
        [{"status": "active"}, {"status": "completed", "algorithmImage": "r/green:1"}]
    )
    done = command(server, tmp_path, "apply", "green", "--force-build")
    assert (done.returncode, done.stdout) == (0, "r/green:1\n"), done.stderr
    sent = server.requests(APPLY)[0]
    assert json.loads(sent.form["payload"]) == {
        "name": "green",
        "baseImage": "hkube/python-wrapper:1",
        "mem": "512Mi",
        "env": "python",
        "type": "Code",
        "entryPoint": "main.py",
    }
    assert json.loads(sent.form["options"]) == {"forceBuild": True}
    assert set(sent.code) == {"main.py", "algorithm.yml"}
    lines = done.stderr.splitlines()
    assert lines[0].startswith("[cluster] sending green (")
    assert lines[1:] == ["[cluster] first build", "[cluster] build green-b1: active"]


def test_apply_makes_the_new_version_current(server: ClusterServer, folder: Path) -> None:
    done = command(server, folder, "apply", "--set-current", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["status"], document["image"], document["version"]) == (
        *("completed", "r/green:1", "v-1"),
    )
    made = server.requests("POST versions/algorithms/apply")
    assert [each.json for each in made] == [{"name": "green", "version": "v-1", "force": True}]


def test_apply_without_a_build_makes_the_answer_s_version_current(
    server: ClusterServer, folder: Path
) -> None:
    server.applied = {"messages": ["no changes"], "algorithm": {"version": "v-9"}}
    done = command(server, folder, "apply", "--set-current")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert server.requests("POST versions/algorithms/apply")[0].json["version"] == "v-9"


def test_apply_that_finds_no_version_to_make_current_fails(
    server: ClusterServer, folder: Path
) -> None:
    server.versions = []
    done = command(server, folder, "apply", "--set-current")
    assert done.returncode == 1
    assert "error: HKube lists no version of green for this build" in done.stderr


def test_apply_does_not_wait_if_asked(server: ClusterServer, folder: Path) -> None:
    done = command(server, folder, "apply", "--no-wait", "--json")
    assert (done.returncode, json.loads(done.stdout)["buildId"]) == (0, "green-b1")
    assert [each.path for each in server.asked] == ["store/algorithms/apply"]
    both = command(server, folder, "apply", "--no-wait", "--set-current")
    assert (both.returncode, "cannot go with --no-wait" in both.stderr) == (2, True)


def test_failed_build_shows_its_errors(server: ClusterServer, folder: Path) -> None:
    result = {"errors": "No matching distribution found for nunpy", "warnings": "pip is old"}
    server.build_states = deque([{"status": "failed", "result": result}])
    done = command(server, folder, "apply", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["errors"] == result["errors"]
    assert done.stderr.splitlines()[2:] == [
        "[cluster] warnings of the build:",
        "[cluster] pip is old",
        "[cluster] No matching distribution found for nunpy",
        "error: the build green-b1 failed",
    ]


def test_algorithm_that_check_refuses_is_not_sent(server: ClusterServer, folder: Path) -> None:
    (folder / "main.py").write_text("import no_such_module\n\ndef start(args): pass\n")
    done = command(server, folder, "apply")
    assert (done.returncode, server.asked) == (1, [])
    assert "No module named 'no_such_module'" in done.stderr
    assert "not sent: fix what is wrong, or send it anyway with --no-check" in done.stderr
    assert command(server, folder, "apply", "--no-check").returncode == 0


def test_base_image_on_which_the_builder_fails_is_refused(
    server: ClusterServer, folder: Path
) -> None:
    done = command(server, folder, "apply", "--base", "python:3.12")
    assert (done.returncode, server.asked) == (2, [])
    assert "error: baseImage python:3.12: HKube's builder first installs" in done.stderr
    assert done.stderr.rstrip().endswith("; --no-check sends it anyway")
    done = command(server, folder, "apply", "--base", "python:3.12", "--no-check", "--no-wait")
    assert done.returncode == 0
    assert "note: baseImage python:3.12" in done.stderr


def test_dry_run_shows_the_request_without_a_cluster(folder: Path) -> None:
    done = command(None, folder, "apply", "--dry-run")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["request"] == "POST store/algorithms/apply"
    assert document["payload"]["name"] == "green"
    assert document["file"]["files"] == ["algorithm.yml", "main.py"]


def test_algorithm_in_git_goes_without_code(server: ClusterServer, folder: Path) -> None:
    (folder / "algorithm.yml").write_text("name: green\ngitRepository: {url: 'https://h/r.git'}\n")
    done = command(server, folder, "apply")
    assert done.returncode == 0, done.stderr
    sent = server.requests(APPLY)[0]
    assert set(sent.form) == {"payload", "options"}
    assert json.loads(sent.form["payload"])["type"] == "Git"


def test_too_long_name_is_refused_before_anything_is_sent(
    server: ClusterServer, folder: Path
) -> None:
    done = command(server, folder, "apply", "--name", "a" * 33)
    assert (done.returncode, server.asked) == (2, [])
    assert "33 characters, but HKube allows at most 32" in done.stderr


def test_settings_of_hkubectl_are_used(server: ClusterServer, folder: Path) -> None:
    server.account = ("ann", "secret")
    settings = {"endpoint": server.url, "username": "ann", "password": "secret"}
    (folder / ".hkuberc").write_text(json.dumps(settings))
    done = command(None, folder, "apply")
    assert done.returncode == 0, done.stderr
    assert ".hkuberc" not in server.requests(APPLY)[0].code
    settings["password"] = "wrong"
    (folder / ".hkuberc").write_text(json.dumps(settings))
    done = command(None, folder, "exec", "stored", "p")
    assert done.returncode == 3
    assert "the account 'ann'" in done.stderr
    assert "wrong" not in done.stderr


def test_expired_token_is_said(server: ClusterServer, folder: Path) -> None:
    server.account = ("ann", "secret")
    done = command(server, folder, "exec", "stored", "p", "--json", HKUBE_TOKEN="old")
    assert done.returncode == 3
    assert json.loads(done.stdout)["error"]["code"] == "ClusterRefused"
    assert "the token is not valid, or has expired" in done.stderr


def test_no_cluster_named(folder: Path) -> None:
    done = command(None, folder, "apply", HKUBE_ENDPOINT="")
    assert done.returncode == 2
    assert done.stderr.startswith("error: which cluster? ")


@pytest.mark.parametrize(
    "fault, text",
    [
        (DROPPED, "the connection broke"),
        (Reply(200, b'{"buildId": "gr'), "the answer is not JSON"),
        (Reply(200, {"buildId": "b"}, sent=4), "the connection broke"),
        (Reply(403, b"<html>no</html>", "text/html"), "a web page. (HTTP 403)"),
        (Reply(400, {"error": {"message": "algorithm type cannot be changed"}}), "cannot be chang"),
    ],
)
def test_refused_or_broken_apply_is_one_line_and_sent_once(
    server: ClusterServer, folder: Path, fault: Reply, text: str
) -> None:
    server.fault(APPLY, fault)
    done = command(server, folder, "apply")
    assert (done.returncode, done.stdout) == (3, "")
    assert len(server.requests(APPLY)) == 1
    error = done.stderr.splitlines()[-1]
    assert error.startswith("error: ") and text in error
    assert "Traceback" not in done.stderr


def test_exec_algorithm_shows_progress_and_prints_the_result(
    server: ClusterServer, tmp_path: Path
) -> None:
    active = {"status": "active", "data": {"progress": 0, "details": "0/1 completed"}}
    server.job_states = deque([active, {"status": "completed", "data": {}}])
    server.result = {
        "status": "completed",
        "data": [{"nodeName": "green", "algorithmName": "green", "result": {"sum": 3, "ü": None}}],
    }
    done = command(server, tmp_path, "exec", "algorithm", "green", "--input", "[1, 2]")
    assert (done.returncode, json.loads(done.stdout)) == (0, {"sum": 3, "ü": None}), done.stderr
    assert server.requests("POST exec/algorithm")[0].json == {"name": "green", "input": [1, 2]}
    assert done.stderr.splitlines()[:2] == [
        f"[cluster] job {JOB}: pending",
        f"[cluster] job {JOB}: active · 0/1 completed",
    ]


def test_exec_stored_and_raw_print_results_in_hkube_s_form(
    server: ClusterServer, tmp_path: Path
) -> None:
    data = [{"nodeName": "a", "algorithmName": "x", "result": 1}]
    server.result = {"status": "completed", "data": data}
    done = command(server, tmp_path, "exec", "stored", "p", "--flow-input", '{"n": 1}')
    assert (done.returncode, json.loads(done.stdout)) == (0, data), done.stderr
    assert server.requests("POST exec/stored")[0].json == {"name": "p", "flowInput": {"n": 1}}
    descriptor: dict[str, Any] = {"name": "p", "nodes": [{"nodeName": "a", "algorithmName": "x"}]}
    (tmp_path / "p.json").write_text(json.dumps(descriptor))
    done = command(server, tmp_path, "exec", "raw", "p.json", "--json")
    document = json.loads(done.stdout)
    assert (done.returncode, document["status"], document["result"]) == (0, "completed", data)
    assert server.requests("POST exec/raw")[0].json == descriptor


def test_exec_writes_the_result_to_a_file(server: ClusterServer, tmp_path: Path) -> None:
    server.result = {"data": [{"nodeName": "green", "result": [1]}]}
    done = command(server, tmp_path, "exec", "algorithm", "green", "--output", "r.json")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert json.loads((tmp_path / "r.json").read_text()) == [1]


@pytest.mark.parametrize(
    "status, said", [("failed", "failed: bad"), ("stopped", "was stopped: bad")]
)
def test_job_that_does_not_complete_fails_the_command(
    server: ClusterServer, tmp_path: Path, status: str, said: str
) -> None:
    server.job_states = deque([{"status": status}])
    server.result = {"status": status, "error": {"message": "bad"}}
    done = command(server, tmp_path, "exec", "algorithm", "green")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1] == f"error: the job {JOB} {said}"


def test_job_without_kept_results_still_says_why_it_failed(
    server: ClusterServer, tmp_path: Path
) -> None:
    server.job_states = deque([{"status": "failed", "error": "node x crashed"}])
    server.fault(f"GET exec/results/{JOB}", Reply(404, {"error": {"message": "none"}}))
    done = command(server, tmp_path, "exec", "stored", "p")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"error: the job {JOB} failed: node x crashed"


def test_exec_without_waiting_prints_the_job(server: ClusterServer, tmp_path: Path) -> None:
    done = command(server, tmp_path, "exec", "stored", "p", "--no-wait")
    assert (done.returncode, done.stdout) == (0, f"{JOB}\n")
    assert len(server.asked) == 1


def test_exec_stop(server: ClusterServer, tmp_path: Path) -> None:
    done = command(server, tmp_path, "exec", "stop", JOB, "--reason", "enough")
    assert (done.returncode, done.stdout) == (0, "")
    assert server.asked[0].json == {"jobId": JOB, "reason": "enough"}


def test_raw_pipeline_without_nodes_is_refused(server: ClusterServer, tmp_path: Path) -> None:
    (tmp_path / "p.yml").write_text("name: p\n")
    done = command(server, tmp_path, "exec", "raw", "p.yml")
    assert (done.returncode, server.asked) == (2, [])
    assert "p.yml is not a pipeline: it must be an object with nodes" in done.stderr


def test_ctrl_c_leaves_the_job_and_says_how_to_stop_it(
    server: ClusterServer, tmp_path: Path
) -> None:
    server.job_states = deque([{"status": "active"}])
    running = subprocess.Popen(
        [sys.executable, "-m", "wrapper", "exec", "stored", "p"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=environment(server, tmp_path.parent),
    )

    def interrupt(asked: Asked) -> None:
        if asked.path.startswith("exec/status"):
            running.send_signal(signal.SIGINT)

    server.on_request = interrupt
    out, said = running.communicate(timeout=LIMIT)
    assert (running.returncode, out) == (130, "")
    assert f"note: job {JOB} goes on; stop it with: hkube-wrapper exec stop {JOB}" in said
    assert not server.requests("POST exec/stop")


def test_build_is_one_live_line_on_a_terminal(server: ClusterServer, folder: Path) -> None:
    server.build_states = deque([{"status": "active", "progress": "40"}])
    command_line = [sys.executable, "-m", "wrapper", "apply", "--no-check"]
    environ = environment(server, folder.parent)
    with TerminalRun(command_line, folder, environ=environ) as terminal:
        terminal.wait_for("build green-b1: active")
        terminal.wait_for("40 %")
        server.build_states.append({"status": "completed", "algorithmImage": "r/green:1"})
        assert terminal.wait() == 0
    assert terminal.lines == ["[cluster] first build", "r/green:1"]


def test_error_takes_the_place_of_the_live_line(server: ClusterServer, folder: Path) -> None:
    server.job_states = deque([{"status": "active"}])
    command_line = [sys.executable, "-m", "wrapper", "exec", "stored", "p"]
    environ = environment(server, folder.parent)
    with TerminalRun(command_line, folder, columns=200, environ=environ) as terminal:
        terminal.wait_for("active")
        server.fault(f"GET exec/status/{JOB}", Reply(404, {"error": {"message": "no such job"}}))
        assert terminal.wait() == 3
    assert len(terminal.lines) == 1
    assert terminal.lines[0].startswith("error: GET ")
    assert terminal.lines[0].endswith("no such job (HTTP 404)")
