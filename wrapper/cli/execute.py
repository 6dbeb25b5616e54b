"""`hkube-wrapper exec`: runs what is stored on a cluster, and stops it."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from .cluster import (
    AsJson,
    Endpoint,
    NoWait,
    Token,
    cluster_errors,
    connect,
    interruption_note,
    shown_progress,
)
from .errors import FAILED, CommandExit, command_errors
from .options import Output

app = typer.Typer(
    name="exec",
    help="Run algorithms and pipelines on a cluster.",
    no_args_is_help=True,
)

StoredName = Annotated[str, typer.Argument(metavar="NAME", show_default=False)]
FlowInput = Annotated[
    str | None,
    typer.Option(
        metavar="JSON|@FILE|-",
        help="The flow input: JSON, a file, or - for stdin.",
        show_default=False,
    ),
]


@app.command()
def algorithm(
    name: StoredName,
    input_json: Annotated[
        str,
        typer.Option(
            "--input", metavar="JSON|@FILE|-", help="A JSON array: the algorithm's input."
        ),
    ] = "[]",
    debug: Annotated[
        bool,
        typer.Option(
            "--debug", metavar="", help="Wait for the algorithm on a developer's machine."
        ),
    ] = False,
    endpoint: Endpoint = "",
    token: Token = "",
    output: Output = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Run a stored algorithm, show its progress, and print its result as JSON.

    Exit codes: 0 completed; 1 it failed or was stopped; 2 wrong usage;
    3 the cluster cannot be reached, or refused it.
    """
    from .json_values import read_array

    with command_errors():
        request: dict[str, Any] = {"name": name, "input": read_array("--input", input_json)}
        if debug:
            request["debug"] = True
        _execute("algorithm", request, endpoint, token, output, no_wait, as_json)


@app.command()
def stored(
    name: StoredName,
    flow_input: FlowInput = None,
    endpoint: Endpoint = "",
    token: Token = "",
    output: Output = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Run a stored pipeline, show its progress, and print its results as JSON.

    Exit codes: 0 completed; 1 it failed or was stopped; 2 wrong usage;
    3 the cluster cannot be reached, or refused it.
    """
    from .json_values import read_object

    with command_errors():
        request: dict[str, Any] = {"name": name}
        if flow_input is not None:
            request["flowInput"] = read_object("--flow-input", flow_input)
        _execute("stored", request, endpoint, token, output, no_wait, as_json)


@app.command()
def raw(
    pipeline: Annotated[
        Path,
        typer.Argument(
            metavar="PIPELINE",
            help="The pipeline's descriptor: a JSON or YAML file.",
            show_default=False,
        ),
    ],
    flow_input: FlowInput = None,
    endpoint: Endpoint = "",
    token: Token = "",
    output: Output = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Run a pipeline from its descriptor, and print its results as JSON.

    Exit codes: 0 completed; 1 it failed or was stopped; 2 wrong usage;
    3 the cluster cannot be reached, or refused it.
    """
    from ..local.source.manifest import read_document
    from .json_values import UsageError, read_object

    with command_errors():
        request = read_document(pipeline)
        if not isinstance(request, dict) or not isinstance(request.get("nodes"), list):
            raise UsageError(f"{pipeline} is not a pipeline: it must be an object with nodes")
        if flow_input is not None:
            request["flowInput"] = read_object("--flow-input", flow_input)
        _execute("raw", request, endpoint, token, output, no_wait, as_json)


@app.command()
def stop(
    job_id: Annotated[str, typer.Argument(metavar="JOB", show_default=False)],
    reason: Annotated[
        str, typer.Option(metavar="TEXT", help="Why; HKube shows it.")
    ] = "stopped from the command line",
    endpoint: Endpoint = "",
    token: Token = "",
) -> None:
    """Stop a job.

    Exit codes: 0 done; 2 wrong usage; 3 the cluster cannot be reached, or refused it.
    """
    with command_errors():
        api = connect(endpoint, token)
        with cluster_errors():
            api.stop(job_id, reason)


def _execute(
    kind: str,
    request: dict[str, Any],
    endpoint: str,
    token: str,
    output: Path | None,
    no_wait: bool,
    as_json: bool,
) -> None:
    from ..local.cluster.api import COMPLETED
    from ..local.cluster.follow import follow_job
    from .results import check_output, print_json, print_result, write_result

    check_output(output)
    api = connect(endpoint, token)
    began = time.monotonic()
    with cluster_errors(), shown_progress() as progress:
        job_id = api.execute(kind, request)
        if no_wait:
            print(json.dumps({"jobId": job_id}) if as_json else job_id, flush=True)
            return
        hint = f"job {job_id} goes on; stop it with: hkube-wrapper exec stop {job_id}"
        progress.now(f"job {job_id}: pending")
        with interruption_note(progress, hint):
            state = follow_job(api, job_id, progress)
            found = _result(api, job_id, state.status == COMPLETED)
        progress.end()
        seconds = time.monotonic() - began
        progress.say(f"job {job_id} {state.status} after {seconds:.1f} s")
    value = _value_of(kind, found.get("data"))
    error = _error_of(found) or state.error
    if output is not None and state.status == COMPLETED:
        write_result(value, output, _say)
    if as_json:
        document = {
            "jobId": job_id,
            "status": state.status,
            "result": value if output is None else None,
            "error": error or None,
            "seconds": round(seconds, 3),
        }
        print_json(document, sys.stdout)
    elif state.status == COMPLETED and output is None:
        print_result(value, sys.stdout, _say)
    if state.status != COMPLETED:
        ended = "was stopped" if state.status == "stopped" else state.status
        reason = f": {error}" if error else ""
        print(f"error: the job {job_id} {ended}{reason}", file=sys.stderr)
        raise CommandExit(FAILED)


def _result(api: Any, job_id: str, is_needed: bool) -> dict[str, Any]:
    """Return a job's results; HKube may keep none of a job that failed or was stopped."""
    from ..local.cluster.errors import RefusedRequest

    try:
        found = api.job_result(job_id)
    except RefusedRequest:
        if is_needed:
            raise
        return {}
    return found if isinstance(found, dict) else {}


def _value_of(kind: str, data: Any) -> Any:
    """Return the result of an algorithm alone, and the results of a pipeline in HKube's form."""
    if kind == "algorithm" and isinstance(data, list) and len(data) == 1:
        item = data[0]
        if isinstance(item, dict) and "result" in item:
            return item["result"]
    return data


def _error_of(found: dict[str, Any]) -> str:
    error = found.get("error")
    if not error and isinstance(found.get("data"), list):
        failed = (item.get("error") for item in found["data"] if isinstance(item, dict))
        error = next((each for each in failed if each), None)
    if isinstance(error, dict):
        error = error.get("message") or json.dumps(error)
    return str(error) if error else ""


def _say(text: str) -> None:
    print(text, file=sys.stderr)
