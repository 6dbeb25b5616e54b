"""A strict cluster: no root, no capabilities, a read-only file system, any uid."""

from __future__ import annotations

import pytest

from .conftest import Run, Serve

RESTRICTED = [
    "--read-only",
    *("--cap-drop", "all"),
    *("--security-opt", "no-new-privileges"),
]
UIDS = ["10001:10001", "10001:0", "1000730000:0", "1000730000:1000730000"]

TELLS = """\
import getpass, os

def start(args, hkubeApi):
    status = dict(line.split(":\\t") for line in open("/proc/self/status").read().splitlines()
                  if ":\\t" in line)
    return {
        "user": f"{os.getuid()}:{os.getgid()}",
        "name": getpass.getuser(),
        "home": os.path.expanduser("~"),
        "capabilities": status["CapEff"],
        "privileges": status["NoNewPrivs"],
    }
"""


@pytest.mark.parametrize("user", UIDS)
def test_any_user_without_rights_and_a_read_only_root(serve: Serve, user: str) -> None:
    session = serve({"main.py": TELLS}, options=[*RESTRICTED, "--user", user])

    assert session.worker.run() == {
        "user": user,
        "name": "hkube",
        "home": "/tmp",
        "capabilities": "0000000000000000",
        "privileges": "1",
    }
    session.worker.send("exit", {})
    assert session.container.wait() == 0


def test_metrics_under_any_user(serve: Serve) -> None:
    session = serve("metrics", options=["--user", "1000730000:0"])

    assert session.worker.run()


@pytest.mark.parametrize("options", [[], [*RESTRICTED, "--tmpfs", "/tmp", "--user", "1000730000"]])
def test_local_tool(run: Run, options: list[str], serve: Serve) -> None:
    code = serve("echo").code
    container = run(
        *("run", "--input", '["x"]'),
        options=[
            *("--volume", f"{code}:/hkube/algorithm-runner/algorithm_unique_folder:ro"),
            *options,
        ],
    )

    assert container.wait() == 0, container.story()
    assert "x" in container.stdout
