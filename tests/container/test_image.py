"""The image: its contents and its size."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import pytest

from .conftest import IMAGE, ROOT, Serve, base_image
from .engine import CODE, Engine

BUDGET = json.loads((ROOT / "image" / "budget.json").read_text())
MEGABYTE = 1_000_000
SLIM = f"{IMAGE}:slim"


@pytest.fixture(scope="module")
def slim(engine: Engine, image: str) -> str:
    """The image without the local tools."""
    engine.build(ROOT, SLIM, "--target", "slim")
    return SLIM


def layers(engine: Engine, image: str) -> list[str]:
    """Return the digests of an image's layers that contain files."""
    found: list[str] = engine.inspect(image)["RootFS"]["Layers"]
    return found


def config_of(engine: Engine, image: str) -> dict[str, Any]:
    config: dict[str, Any] = engine.inspect(image)["Config"]
    return config


def shell(engine: Engine, image: str, script: str, options: Sequence[str] = ()) -> str:
    """Return the output of a script in a container; as root it can read everything."""
    options = ["--user", "0", "--entrypoint", "sh", *options]
    return engine.output(image, "-c", script, options=options)


def test_size_stays_within_the_budget(engine: Engine, image: str, slim: str) -> None:
    base = base_image()
    # The engine counts the base's layers in both sizes, so only our layers differ.
    weight = {name: engine.inspect(name)["Size"] for name in (base, image, slim)}
    count = {name: len(layers(engine, name)) for name in (base, image, slim)}
    for kind, name in (("full", image), ("slim", slim)):
        over = (weight[name] - weight[base]) / MEGABYTE
        ours = count[name] - count[base]
        allowed = BUDGET["megabytes over the base"][kind]
        print(
            f"{name}: {weight[name] / MEGABYTE:.1f} MB in {count[name]} layers; "
            f"{over:.1f} of {allowed} MB over {base}, {ours} layers of ours"
        )
        assert over <= allowed
        assert ours <= BUDGET["layers of ours"]
        assert count[name] <= BUDGET["layers"]
    assert weight[image] - weight[slim] >= 10 * MEGABYTE, "else slim is not worth its while"


def test_nothing_was_pulled(engine: Engine, image: str) -> None:
    said = engine.build(ROOT, IMAGE)

    assert "Trying to pull" not in said
    assert "Pulling from" not in said


def test_start_command(engine: Engine, image: str) -> None:
    config = config_of(engine, image)

    assert config["Entrypoint"] == ["/hkube/docker-entrypoint.sh"]
    assert not config.get("Cmd")
    assert config["WorkingDir"] == "/hkube/algorithm-runner"
    assert re.fullmatch(r"[1-9]\d*:0", config["User"]), "numeric, not root, of group 0"
    assert not config.get("OnBuild"), "surprises"


def test_labels(engine: Engine, image: str) -> None:
    labels = config_of(engine, image)["Labels"]
    version = engine.output(image, "--version").strip()

    assert labels["io.hkube.python-wrapper.version"] == version
    for name in ("description", "licenses", "base"):
        assert labels[f"io.hkube.python-wrapper.{name}"]
    # A derived image inherits the labels: these would describe the algorithm.
    assert not [name for name in labels if name.startswith("org.opencontainers.image.")]


def test_layout_of_hkube(engine: Engine, image: str) -> None:
    script = (
        "test -x /hkube/docker-entrypoint.sh && cd algorithm_unique_folder && pwd && "
        'cat ../app.py && echo "PYTHONPATH: $PYTHONPATH"'
    )
    said = shell(engine, image, script)

    assert said.startswith("/hkube/algorithm-runner/algorithm_unique_folder\n")
    assert "Algorunner.Run()" in said
    assert said.endswith("\nPYTHONPATH: \n"), "the wrapper does without; it could break programs"


def test_no_compiler_cache_or_leftover(engine: Engine, image: str) -> None:
    tools = "for tool in cc gcc g++ make ld git curl; do command -v $tool; done; true"
    assert shell(engine, image, tools) == ""
    # An engine that mounts a pip.conf during builds leaves an empty file there.
    left = (
        "ls -d /build /rootfs /root/.cache /tmp/*; "
        r"find / -xdev \( -name '*.whl' -o -path '*/.cache/*' -o -name pip.conf -size +0 \) "
        "-not -path '*/ensurepip/*'; true"
    )
    assert shell(engine, image, left) == ""


def test_only_scratch_folders_can_be_written(engine: Engine, image: str) -> None:
    script = "find / -xdev -writable -not -type l -not -path '/proc/*' -not -path '/dev/*'; true"
    writable = set(engine.output(image, "-c", script, options=["--entrypoint", "sh"]).split())

    ours = {path for path in writable if not path.startswith(("/tmp", "/var/tmp", "/run"))}
    assert ours == {
        "/hkube-logs",
        "/hkube/algorithm-runner",
        "/hkube/algorithm-runner/algorithm_unique_folder",
        "/hkube/algorithm-runner/app.py",
        "/hkube/python",
        "/var/metrics",
    }


def test_sbom_lists_what_is_installed(engine: Engine, image: str) -> None:
    sbom = json.loads(shell(engine, image, "cat /usr/local/share/hkube/sbom.cdx.json"))
    installed = json.loads(
        engine.output(image, "-m", "pip", "list", "--format=json", options=["--entrypoint=python"])
    )

    assert sbom["bomFormat"] == "CycloneDX"
    named = {
        (each["name"].lower().replace("_", "-"), each["version"]) for each in sbom["components"]
    }
    expected = {(each["name"].lower().replace("_", "-"), each["version"]) for each in installed}
    assert expected - {("hkube-wrapper", engine.output(image, "--version").strip())} <= named
    assert len(named) <= len(expected), "and no tool of the build"


def test_packages_are_compatible(engine: Engine, image: str, slim: str) -> None:
    assert "No broken" in engine.output(
        image, "-m", "pip", "check", options=["--entrypoint=python"]
    )
    assert (
        engine.output(
            slim,
            "-c",
            "import orjson, msgpack, bson, msgspec, watchfiles, websocket",
            options=["--entrypoint=python"],
        )
        == ""
    )


BYTECODE = "find / -xdev -name '*.pyc' -not -path '*/_distutils_hack/*' | sort"  # the base's own
WORK = """
for encoding in json msgpack bson; do
    WORKER_ALGORITHM_ENCODING=$encoding hkube-wrapper run --input '["x"]' >/dev/null 2>&1 || exit
done
{ hkube-wrapper check && hkube-wrapper --help; } >/dev/null 2>&1 || exit
"""


def test_everything_is_compiled(engine: Engine, image: str) -> None:
    """A container cannot store bytecode, so it would compile at every start."""
    script = (
        f"cd /tmp; {BYTECODE} >before; cd {CODE}; {WORK} cd /tmp; {BYTECODE} | comm -13 before -"
    )
    options = ["--volume", f"{ROOT / 'examples' / 'hello'}:{CODE}:ro"]
    compiled = shell(engine, image, script, options).splitlines()

    assert not [path for path in compiled if "/wrapper/" in path]
    assert len(compiled) < 5, compiled  # a new release of a library may have a new module


@pytest.mark.parametrize("algorithm", ["echo"])
def test_slim_serves_and_names_what_it_lacks(
    engine: Engine, slim: str, serve: Serve, algorithm: str
) -> None:
    session = serve(algorithm, image=slim)
    assert session.worker.run("x") is not None
    assert session.container.execute("hkube-wrapper", "health").stdout == "healthy\n"
    for command in ("check", "run"):
        done = session.container.execute(
            "hkube-wrapper", command, "algorithm_unique_folder", check=False
        )
        assert done.returncode == 2
        assert "the local tools are not installed" in done.stderr


@pytest.mark.parametrize("encoding", ["json", "msgpack", "bson"])
def test_slim_has_all_encodings(slim: str, serve: Serve, encoding: str) -> None:
    script = (
        "from wrapper.protocol.encoding.encoding import get_encoding\n"
        f"coder = get_encoding({encoding!r})\n\n"
        "def start(args):\n    return len(coder.encode({'command': 'x'}, 'x'))\n"
    )
    session = serve({"main.py": script}, image=slim)

    assert session.worker.run() > 0
