"""Figures for operators, fetched from a real process and read by Prometheus's own parser."""

from __future__ import annotations

import time
from collections.abc import Callable
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.free_ports import free_port

from .conftest import Serve

Figures = dict[str, float]
LIMIT = 20.0  # seconds


def scrape(port: int) -> Figures:
    """Fetch the figures; a name has its labels in braces."""
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=LIMIT) as answer:
        text = answer.read().decode()
    return {
        sample.name + (str(sorted(sample.labels.items())) if sample.labels else ""): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def scrape_until(port: int, is_there: Callable[[Figures], bool]) -> Figures:
    deadline = time.monotonic() + LIMIT
    while not is_there(figures := scrape(port)):
        assert time.monotonic() < deadline, figures
    return figures


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def env(port: int) -> dict[str, str]:
    return {"HKUBE_METRICS_PORT": str(port), "HKUBE_METRICS_HOST": "127.0.0.1"}


def test_tasks_by_outcome(serve: Serve, port: int, env: dict[str, str]) -> None:
    worker, _ = serve("raises", env=env)
    for _ in range(2):
        worker.run("fine")
    worker.fail("key")
    figures = scrape(port)
    assert figures["hkube_tasks_total[('outcome', 'done')]"] == 2
    assert figures["hkube_tasks_total[('outcome', 'error')]"] == 1
    assert figures["hkube_task_errors_total[('code', 'AlgorithmError')]"] == 1
    assert figures["hkube_task_seconds_count"] == 3
    assert figures["hkube_task_running"] == 0
    assert figures["hkube_worker_connected"] == 1
    assert figures["hkube_messages_total[('direction', 'received')]"] == 6
    assert figures["hkube_message_bytes_total[('direction', 'sent')]"] > 100


@pytest.mark.parametrize(
    ("algorithm", "how", "steps"),
    [
        ("endless", "loop", {"requested": 1, "interrupted": 1}),
        ("stop_is_ignored", "stick", {"requested": 1, "interrupted": 1, "killed": 1}),
    ],
)
def test_steps_of_a_stop(
    serve: Serve, port: int, env: dict[str, str], algorithm: str, how: str, steps: dict[str, int]
) -> None:
    worker, _ = serve(algorithm, env=env)
    worker.begin(how)
    assert scrape(port)["hkube_task_running"] == 1
    worker.send("stop")
    worker.wait_for("stopped")
    figures = scrape(port)
    for step in ("requested", "interrupted", "killed"):
        name = f"hkube_stop_steps_total[('step', '{step}')]"
        assert figures.get(name, 0) == steps.get(step, 0), step
    assert figures["hkube_stop_seconds_count"] == 1
    assert figures["hkube_tasks_total[('outcome', 'stopped')]"] == 1
    killed = figures.get("hkube_algorithm_kills_total[('stuck', 'true')]", 0)
    assert killed == steps.get("killed", 0)


def test_reconnections(serve: Serve, port: int, env: dict[str, str]) -> None:
    worker, _ = serve("endless", env=env)
    worker.begin("loop")
    assert scrape(port)["hkube_worker_reconnections_total"] == 0
    worker.drop()
    worker.wait_connected(2)
    figures = scrape_until(port, lambda figures: figures["hkube_worker_connected"] == 1)
    assert figures["hkube_worker_reconnections_total"] == 1
    assert figures["hkube_tasks_total[('outcome', 'abandoned')]"] == 1


def test_port_in_use_is_a_warning(serve: Serve, env: dict[str, str]) -> None:
    first, _ = serve("echo", env=env)
    worker, wrapper = serve("echo", env=env)
    wrapper.wait_for_log("cannot serve figures at 127.0.0.1:")
    assert (first.run(1), worker.run(2)) == ([1], [2])


def test_without_the_extra_a_warning_says_what_to_install(
    serve: Serve, env: dict[str, str]
) -> None:
    hides = "import sys; sys.modules['prometheus_client'] = None; import runpy; "
    runs = "runpy.run_module('wrapper', run_name='__main__', alter_sys=True)"
    worker, wrapper = serve("echo", env=env, arguments=("-c", hides + runs))
    wrapper.wait_for_log("HKUBE_METRICS_PORT has no effect: pip install 'hkube-wrapper[metrics]'")
    assert worker.run(1) == [1]
