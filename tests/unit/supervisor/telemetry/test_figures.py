"""What the figures count."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry

from tests.paths import ROOT
from wrapper.protocol.messages import shapes
from wrapper.supervisor.telemetry import figures as figures_module
from wrapper.supervisor.telemetry.figures import Figures
from wrapper.supervisor.telemetry.seen_message import SeenMessage


def seen(message: dict[str, Any]) -> SeenMessage:
    return SeenMessage(message["command"], json.dumps(message).encode(), "json")


class Counted:
    def __init__(self) -> None:
        self.now = 0.0
        self.registry = CollectorRegistry()
        self.figures = Figures(self.registry, clock=lambda: self.now)

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"hkube_{name}", labels)


@pytest.fixture
def counted() -> Counted:
    return Counted()


def test_durations_of_tasks_and_stops(counted: Counted) -> None:
    counted.figures.from_worker(seen({"command": "initialize"}))
    counted.now = 3.0
    counted.figures.from_worker(seen({"command": "stop"}))
    counted.now = 5.0
    counted.figures.to_worker(seen({"command": "stopped"}))
    assert counted.value("task_seconds_sum") == 5.0
    assert counted.value("stop_seconds_sum") == 2.0


def test_stop_without_a_task_is_no_task(counted: Counted) -> None:
    counted.figures.from_worker(seen({"command": "stop"}))
    counted.figures.to_worker(seen({"command": "stopped"}))
    assert counted.value("stop_seconds_count") == 1
    assert counted.value("task_seconds_count") == 0


def test_task_that_another_replaces_counts_as_abandoned(counted: Counted) -> None:
    for _ in range(2):
        counted.figures.from_worker(seen({"command": "initialize"}))
    assert counted.value("tasks_total", outcome="abandoned") == 1
    assert counted.value("task_running") == 1


def test_error_codes_are_bounded(counted: Counted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures_module, "_KNOWN_CODES", 2)
    for code in ("a", "b", "c", "d", "a"):
        counted.figures.to_worker(seen(shapes.error_message(code, "text")))
    assert counted.value("task_errors_total", code="a") == 2
    assert counted.value("task_errors_total", code="other") == 2


def test_streaming_is_counted_by_edge(counted: Counted) -> None:
    edge = {"nodeName": "next", "sent": 5, "queueSize": 2, "responses": 3, "dropped": 0}
    data = [edge, {"nodeName": "odd", "sent": "x"}, 7]
    counted.figures.to_worker(seen({"command": "streamingStatistics", "data": data}))
    names = ("sent", "queue", "handled", "dropped")
    assert [counted.value(f"stream_{name}_messages", node="next") for name in names] == [5, 2, 3, 0]


def test_kill_during_a_stop_is_a_step_of_it_and_another_is_not(counted: Counted) -> None:
    counted.figures.killed(stuck=False)
    assert counted.value("stop_steps_total", step="killed") is None
    counted.figures.from_worker(seen({"command": "stop"}))
    counted.figures.killed(stuck=True)
    assert counted.value("stop_steps_total", step="killed") == 1
    assert counted.value("algorithm_kills_total", stuck="true") == 1


def test_crashes_and_first_connection(counted: Counted) -> None:
    counted.figures.connected()
    assert counted.value("worker_reconnections_total") == 0
    counted.figures.disconnected()
    assert counted.value("worker_connected") == 0
    counted.figures.crashed()
    assert counted.value("algorithm_crashes_total") == 1


def test_page_documents_every_figure_and_its_alerts_use_only_those(counted: Counted) -> None:
    page = (ROOT / "docs" / "metrics.md").read_text()
    page = page.replace("`…_", "`hkube_stream_").replace("_…`", "_messages`")
    families = {
        family.name + ("_total" if family.type == "counter" else "")
        for family in counted.registry.collect()
    }
    documented = set(re.findall(r"`(hkube_[a-z_]+)", page))
    assert documented == families
    (alerts,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    for rule in yaml.safe_load(alerts)["groups"][0]["rules"]:
        for name in re.findall(r"hkube_[a-z_]+", rule["expr"]):
            assert name in families or re.sub("_(count|bucket)$", "", name) in families, name
