import copy
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from tests.paths import ROOT
from wrapper.algorithm.api.calls import Calls
from wrapper.algorithm.api.hkube_api import HKubeApi
from wrapper.algorithm.api.job import Job
from wrapper.algorithm.api.spans import Spans
from wrapper.errors import StreamingError


@pytest.fixture
def calls(link, warnings):
    return Calls(link, warnings.append)


@pytest.fixture
def api(link, calls, warnings, tmp_path):
    spans = Spans(link, warnings.append)
    job = Job(job_id="main", task_id="oxl")
    return HKubeApi(link, calls, spans, job, str(tmp_path / "var" / "metrics"), warnings.append)


def test_progress(api, link):
    api.progress(25)
    api.progress(0.5, details={"rows": 3})
    assert link.sent == [
        ("progress", {"progress": 25, "details": None}),
        ("progress", {"progress": 0.5, "details": {"rows": 3}}),
    ]


def test_progress_that_cannot_be_sent_is_logged(api, link, warnings):
    api.progress(25, details={1, 2})
    assert not link.sent
    assert warnings == ["progress was not sent: EncodingError: the progress cannot be sent"]


def test_progress_whose_code_raises_is_logged(api, link, warnings):
    class Row(dict):  # type: ignore[type-arg]
        def items(self):
            raise ZeroDivisionError("of the user")

    api.progress(25, details=Row(a=1))
    assert not link.sent
    assert warnings == ["progress was not sent: ZeroDivisionError: of the user"]


def test_spans(api, link):
    api.start_span("outer")
    with api.span("inner", tags={"a": 1}) as tags:
        tags["b"] = 2
    api.finish_span({"c": 3}, ValueError("bad"))
    assert link.sent == [
        ("startSpan", {"name": "outer", "tags": {}}),
        ("startSpan", {"name": "inner", "tags": {"a": 1}}),
        ("finishSpan", {"tags": {"b": 2}}),
        ("finishSpan", {"tags": {"c": 3}, "error": "ValueError: bad"}),
    ]


@pytest.mark.parametrize(
    "function, names",
    [
        ("progress", "value details"),
        ("start_span", "name tags"),
        ("finish_span", "tags error"),
        ("span", "name tags"),
    ],
)
def test_parameters_have_the_documented_names(api, function, names):
    assert list(inspect.signature(getattr(api, function)).parameters) == names.split()


def test_after_a_stop_progress_and_spans_are_still_sent(api, link, calls):
    assert not api.stop_requested
    calls.stop()
    assert [api.stop_requested] == [True]
    api.progress(50)
    with api.span("clean up"):
        pass
    assert [command for command, _ in link.sent] == ["progress", "startSpan", "finishSpan"]


def test_job(api):
    assert api.job.job_id == "main"
    assert api.job.task_id == "oxl"


def test_metrics_dir_is_created_on_first_use(api, tmp_path):
    expected = tmp_path / "var" / "metrics"
    assert not expected.exists()
    assert api.metrics_dir == expected
    assert isinstance(api.metrics_dir, Path)
    assert expected.is_dir()
    expected.rmdir()  # as the worker does, once it has collected the files
    assert api.metrics_dir.is_dir()


def test_metrics_dir_that_cannot_be_created_is_a_clear_error(api, tmp_path):
    (tmp_path / "var").write_text("a file is in the way")
    with pytest.raises(
        NotADirectoryError, match="cannot create the folder for metrics .*ALGO_METRICS_DIR"
    ):
        _ = api.metrics_dir


@pytest.mark.parametrize("name", ["sendMessage", "registerInputListener", "startMessageListening"])
def test_streaming_calls_are_refused_in_a_batch_task(api, name):
    assert name in dir(api)
    with pytest.raises(StreamingError):
        getattr(api, name)(
            "message"
        ) if name != "startMessageListening" else api.startMessageListening()


@pytest.mark.parametrize(
    "wrong, right",
    [
        ("start_algoritm", "start_algorithm"),
        ("startAlgorithm", "start_algorithm"),
        ("start_sub_pipeline", "start_raw_subpipeline"),
        ("Progress", "progress"),
        ("get_datasource", "get_data_source"),
        ("sendmessage", "sendMessage"),
    ],
)
def test_a_misspelt_name_gets_a_suggestion(api, wrong, right):
    with pytest.raises(AttributeError, match=f"^HKubeApi has no '{wrong}': did you mean '{right}'"):
        getattr(api, wrong)


def test_a_dissimilar_name_gets_no_suggestion(api):
    with pytest.raises(AttributeError, match="^HKubeApi has no 'xyzzy'$"):
        _ = api.xyzzy
    assert not hasattr(api, "__await__")
    assert not hasattr(api, "_private")


def test_can_be_shallowly_copied(api):
    assert copy.copy(api).job is api.job


def test_everything_a_user_sees_has_a_docstring():
    for name in dir(HKubeApi):
        if not name.startswith("_"):
            assert inspect.getdoc(getattr(HKubeApi, name)), name


def test_importing_it_does_not_import_heavy_modules():
    heavy = ["asyncio", "concurrent.futures", "logging", "difflib"]
    code = (
        "import sys, wrapper.algorithm.host.running_task\n"
        f"print([n for n in {heavy} if n in sys.modules])"
    )

    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "[]"
