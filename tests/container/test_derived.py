"""Images built on ours: the README's three lines, HKube's builder, a private index."""

from __future__ import annotations

import base64
import http.server
import io
import re
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from wrapper import __version__

from .conftest import IMAGE, ROOT, Serve
from .engine import Engine

SIX = "six==1.17.0\n"
ALGORITHM = """\
import os, {module}

def start(args, hkubeApi):
    return [{module}.__version__, os.getuid()]
"""


@pytest.fixture(autouse=True)
def _image(image: str) -> None:
    """All tests here build on the image."""


@pytest.fixture
def tag(request: pytest.FixtureRequest) -> str:
    """The name of a test's image. It is kept: removing it would break parallel builds."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")
    return f"hkube-test/{name}"


def readme_s_dockerfile() -> str:
    """The Dockerfile in the README, unchanged."""
    text = (ROOT / "README.md").read_text()
    return text.partition("```dockerfile\n")[2].partition("```")[0]


@pytest.mark.parametrize("user", ["10001:0", "1000730000:0", "4711:4711"])
def test_three_lines_and_a_requirement(
    engine: Engine, serve: Serve, tmp_path: Path, tag: str, user: str
) -> None:
    context = tmp_path / "context"
    context.mkdir()
    (context / "Dockerfile").write_text(readme_s_dockerfile())
    (context / "main.py").write_text(ALGORITHM.format(module="six"))
    (context / "requirements.txt").write_text(SIX)
    engine.build(context, tag)

    # Nothing is mounted over the code of a derived image.
    session = serve("echo", image=tag, options=["--user", user, "--read-only"], mounted=False)
    assert session.worker.run() == ["1.17.0", int(user.split(":", maxsplit=1)[0])]


def test_hkube_wrapper_build(engine: Engine, serve: Serve, tmp_path: Path, tag: str) -> None:
    (tmp_path / "main.py").write_text(ALGORITHM.format(module="six"))
    (tmp_path / "requirements.txt").write_text(SIX)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "hkube_python_wrapper", "build", str(tmp_path), "--tag", tag),
            *("--engine", engine.command, "--", *engine.build_options),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr

    session = serve("echo", image=tag, options=["--user", "1000730000:0"], mounted=False)
    assert session.worker.run() == ["1.17.0", 1000730000]


# What HKube's builder makes of `baseImage`, in the order of its template: the builder's wrapper
# folder, the code and the scripts are copied; a script installs the pinned published package, and
# then the user's packages. `envsubst` has run over it, so the base's PYTHONPATH is lost.
TEMPLATE = f"""\
FROM {IMAGE}:{__version__}
RUN mkdir -p /hkube-logs
COPY wrapper/ /hkube/algorithm-runner/
COPY algorithm_unique_folder/ /hkube/algorithm-runner/algorithm_unique_folder/
COPY dockerfile/ /hkube/algorithm-runner/dockerfile/
WORKDIR /hkube/algorithm-runner
RUN ./dockerfile/requirements.sh
ENV PYTHONPATH=:/hkube/algorithm-runner/algorithm_unique_folder
COPY docker-entrypoint.sh nodemon /hkube/
ENTRYPOINT ["/hkube/docker-entrypoint.sh"]
CMD ["/bin/sh", "-c", "mkfifo /tmp/pipe; (tee -a /hkube-logs/stdout.log </tmp/pipe &) ; \
exec python -u app.py >/tmp/pipe 2>&1"]
"""
APP = """\
from hkube_python_wrapper import Algorunner

def main():
    print("starting algorithm runner")
    Algorunner.Run()

if __name__ == "__main__":
    main()
"""
PINNED = "pip install -r /hkube/algorithm-runner/requirements.txt"
USERS_LIST = "pip install -r ./algorithm_unique_folder/requirements.txt"
USERS_COMMAND = "(cd algorithm_unique_folder && sh -c 'pip install six==1.17.0')"


@pytest.mark.parametrize(
    ("install", "requirements"),
    [
        (USERS_LIST, SIX),
        (USERS_LIST, f"{SIX}hkube-wrapper\nhkube-python-wrapper\n"),
        (USERS_COMMAND, ""),
    ],
    ids=["requirements", "requirements that name the wrapper", "dependencyInstallCmd"],
)
def test_builder_of_hkube(
    engine: Engine,
    serve: Serve,
    tmp_path: Path,
    logs: Path,
    tag: str,
    install: str,
    requirements: str,
) -> None:
    """`baseImage: hkube/python-wrapper:VERSION` is enough: pip leaves the pinned package alone."""
    context = tmp_path / "context"
    for folder in ("wrapper", "algorithm_unique_folder", "dockerfile"):
        (context / folder).mkdir(parents=True)
    (context / "Dockerfile").write_text(TEMPLATE)
    (context / "nodemon").write_text("")
    scripts = {
        "docker-entrypoint.sh": '#!/bin/sh\nset -e\nexec "$@"\n',
        "dockerfile/requirements.sh": f"#!/bin/sh\nset -e\n{PINNED}\n{install}\n",
    }
    for name, text in scripts.items():
        (context / name).write_text(text)
        (context / name).chmod(0o755)
    (context / "wrapper" / "app.py").write_text(APP)
    (context / "wrapper" / "requirements.txt").write_text("hkube-python-wrapper==2.6.0.dev27\n")
    code = context / "algorithm_unique_folder"
    (code / "requirements.txt").write_text(requirements)
    (code / "json.py").write_text("raise ImportError('not this one')\n")
    main = ALGORITHM.format(module="six")
    main = main.replace("    return", '    print("the final line", end="", flush=True)\n    return')
    (code / "main.py").write_text(main)
    said = engine.build(context, tag)
    assert re.search("already satisfied: hkube-python-wrapper==2.6.0.dev27", said)

    session = serve("echo", image=tag, options=["--volume", f"{logs}:/hkube-logs"], mounted=False)
    assert session.worker.run() == ["1.17.0", 10001]
    session.worker.send("exit", {"exitCode": 7})
    assert session.container.wait() == 7
    kept = (logs / "stdout.log").read_text()
    assert kept.count("the final line") == 1
    assert "asks to end with code 7" in kept, "the very last line"
    version = engine.output(
        tag, "-c", "import wrapper; print(wrapper.__version__)", options=["--entrypoint=python"]
    )
    assert version.strip() == __version__


def test_derived_image_has_no_labels_that_describe_the_wrapper_as_itself(
    engine: Engine, tmp_path: Path, tag: str
) -> None:
    context = tmp_path / "context"
    context.mkdir()
    (context / "Dockerfile").write_text(readme_s_dockerfile())
    (context / "main.py").write_text("def start(args): pass\n")
    (context / "requirements.txt").write_text("")
    engine.build(context, tag)

    labels = engine.inspect(tag)["Config"]["Labels"]
    assert not [name for name in labels if name.startswith("org.opencontainers.image.")]
    assert labels["io.hkube.python-wrapper.version"] == __version__


# --------------------------------------------------------------------------- a private index --
PASSWORD = "pass-7f3a91"
SECRET_DOCKERFILE = f"""\
FROM {IMAGE}
COPY . algorithm_unique_folder/
RUN --mount=type=secret,id=pip-conf,target=/tmp/pip.conf,mode=0444 \\
    PIP_CONFIG_FILE=/tmp/pip.conf pip install -r algorithm_unique_folder/requirements.txt
"""


def wheel() -> bytes:
    """A package that is in no public index."""
    data = io.BytesIO()
    info = "hkube_secret_recipe-2.5.dist-info"
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("hkube_secret_recipe.py", '__version__ = "2.5"\n')
        archive.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: hkube-secret-recipe\nVersion: 2.5\n"
        )
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return data.getvalue()


class PrivateIndex(http.server.BaseHTTPRequestHandler):
    """A package index that requires a user name and a password."""

    def do_GET(self) -> None:
        expected = base64.b64encode(f"builder:{PASSWORD}".encode()).decode()
        if self.headers.get("Authorization") != f"Basic {expected}":
            self.send_response(401)
            self.send_header("WWW-Authenticate", "Basic")
            self.end_headers()
            return
        name = "hkube_secret_recipe-2.5-py3-none-any.whl"
        is_file = self.path.endswith(".whl")
        body = wheel() if is_file else f'<a href="/{name}">{name}</a>'.encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/zip" if is_file else "text/html")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def index() -> Iterator[int]:
    """The port of the private index."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), PrivateIndex) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_private_index_leaves_no_trace(
    engine: Engine, serve: Serve, tmp_path: Path, tag: str, index: int
) -> None:
    context = tmp_path / "context"
    context.mkdir()
    (context / "Dockerfile").write_text(SECRET_DOCKERFILE)
    (context / "main.py").write_text(ALGORITHM.format(module="hkube_secret_recipe"))
    (context / "requirements.txt").write_text("hkube-secret-recipe\n")
    secret = tmp_path / "pip.conf"
    secret.write_text(
        f"[global]\nindex-url = http://builder:{PASSWORD}@127.0.0.1:{index}/simple/\n"
    )
    engine.build(
        context, tag, "--network", "host", "--no-cache", "--secret", f"id=pip-conf,src={secret}"
    )
    session = serve("echo", image=tag, mounted=False)
    assert session.worker.run() == ["2.5", 10001]

    archive = tmp_path / "image.tar"
    engine.call("save", "--output", str(archive), tag)
    content = archive.read_bytes()  # all layers, uncompressed
    assert b"hkube_secret_recipe.py" in content, "or the next line would say nothing"
    assert PASSWORD.encode() not in content
    assert PASSWORD not in engine.call("history", "--no-trunc", tag).stdout
    find = "find / -xdev -name pip.conf -size +0"
    options = ["--entrypoint=sh", "--user=0"]
    assert engine.output(tag, "-c", find, options=options) == ""
