"""`hkube-wrapper apply`: sends an algorithm to a cluster, which builds its image."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .cluster import (
    AsJson,
    Endpoint,
    NoWait,
    Token,
    cluster_errors,
    connect,
    interruption_note,
    note,
    shown_progress,
)
from .errors import FAILED, CommandExit, command_errors, say_error
from .options import AlgorithmPath

if TYPE_CHECKING:
    from ..local.cluster.api import AppliedAlgorithm, ClusterApi
    from ..local.cluster.follow import ClusterProgress
    from ..local.cluster.payload import AlgorithmPayload
    from ..local.source.file_tree import Tree
    from ..local.source.source import AlgorithmSource

_CHECK_SECONDS = 60.0

Name = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="The algorithm's name in HKube.", show_default=False),
]
Base = Annotated[
    str | None,
    typer.Option(
        "--base",
        metavar="IMAGE",
        help="The image to build on, in place of baseImage in algorithm.yml.",
        show_default=False,
    ),
]
SetCurrent = Annotated[
    bool,
    typer.Option(
        "--set-current",
        metavar="",
        help="Make the new version the current one, even if pipelines run the old one.",
    ),
]
ForceBuild = Annotated[
    bool, typer.Option("--force-build", metavar="", help="Build even if nothing has changed.")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", metavar="", help="Print the request as JSON; send nothing.")
]
NoCheck = Annotated[
    bool, typer.Option("--no-check", metavar="", help="Send it even if check finds errors.")
]


def apply(
    path: AlgorithmPath = ".",
    endpoint: Endpoint = "",
    token: Token = "",
    name: Name = None,
    base: Base = None,
    set_current: SetCurrent = False,
    force_build: ForceBuild = False,
    no_check: NoCheck = False,
    no_wait: NoWait = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Send an algorithm to a cluster, follow the build, and print the image's name.

    The algorithm is checked first, as by hkube-wrapper check. The files of its
    folder are sent, except those that build leaves out too. A description with a
    gitRepository or an image, and without code, is sent alone.

    Exit codes: 0 done; 1 check found an error, or the build failed or was stopped;
    2 wrong usage, or PATH is not an algorithm;
    3 the cluster cannot be reached, or refused it.
    """
    from ..local.cluster.payload import (
        PayloadError,
        codeless_description,
        payload_of_code,
        payload_without_code,
    )
    from ..local.source.source import open_algorithm
    from .json_values import UsageError

    with command_errors():
        if set_current and no_wait:
            raise UsageError("--set-current waits for the build: it cannot go with --no-wait")
        api = None if dry_run else connect(endpoint, token)
        request = _Request(api, {"forceBuild": force_build}, set_current, no_wait, as_json)
        described = codeless_description(Path(path))
        if described is not None:
            payload = payload_without_code(*described, name)
            request.make(payload, None)
            return
        with open_algorithm(path) as source:
            payload = payload_of_code(source, name, base)
            tree = _files(source)
            if payload.problem and (no_check or dry_run):
                note(payload.problem)
            elif payload.problem:
                raise PayloadError(f"{payload.problem}; --no-check sends it anyway")
            if not no_check:
                _check(source)
            request.make(payload, tree)


class _Request:
    """One request to a cluster, and what follows from it; without a cluster it is only shown."""

    def __init__(
        self,
        api: ClusterApi | None,
        options: dict[str, Any],
        set_current: bool,
        no_wait: bool,
        as_json: bool,
    ) -> None:
        self._api = api
        self._options = options
        self._set_current, self._no_wait, self._as_json = set_current, no_wait, as_json

    def make(self, payload: AlgorithmPayload, tree: Tree | None) -> None:
        """Send an algorithm, or show what would be sent."""
        for text in payload.notes:
            note(text)
        if self._api is None:
            _show_request(payload, self._options, tree)
            return
        with cluster_errors(), shown_progress() as progress:
            self._send(self._api, payload, tree, progress)

    def _send(
        self,
        api: ClusterApi,
        payload: AlgorithmPayload,
        tree: Tree | None,
        progress: ClusterProgress,
    ) -> None:
        from ..local.cluster.upload import apply_form
        from ..local.source.file_tree import shown_size

        with apply_form(payload.document, self._options, tree) as form:
            progress.now(f"sending {payload.name} ({shown_size(form.size)})")
            applied = api.apply(form)
        progress.end()
        for message in applied.messages:
            progress.say(message)
        if not applied.build_id:
            self._finish(api, payload.name, applied, progress, applied.version)
        elif self._no_wait:
            progress.say(f"build {applied.build_id} has begun")
            self._print(payload.name, applied, "pending")
        else:
            self._build(api, payload.name, applied, progress)

    def _build(
        self, api: ClusterApi, name: str, applied: AppliedAlgorithm, progress: ClusterProgress
    ) -> None:
        from ..local.cluster.api import COMPLETED
        from ..local.cluster.follow import follow_build

        with interruption_note(progress, f"build {applied.build_id} goes on in the cluster"):
            state = follow_build(api, applied.build_id, progress)
        progress.end()
        if state.warnings:
            progress.say(f"warnings of the build:\n{state.warnings}", "yellow")
        if state.status != COMPLETED:
            if state.errors:
                progress.say(state.errors, "red")
            self._print(name, applied, state.status, errors=state.errors)
            print(f"error: the build {applied.build_id} {_ended(state.status)}", file=sys.stderr)
            raise CommandExit(FAILED)
        version = api.version_of_build(name, applied.build_id) if self._set_current else ""
        self._finish(api, name, applied, progress, version, state.image)

    def _finish(
        self,
        api: ClusterApi,
        name: str,
        applied: AppliedAlgorithm,
        progress: ClusterProgress,
        version: str,
        image: str = "",
    ) -> None:
        if self._set_current:
            if not version:
                say_error(
                    "NoVersion",
                    f"HKube lists no version of {name} for this build: make it current in HKube's "
                    "dashboard",
                )
                raise CommandExit(FAILED)
            api.make_current(name, version)
            progress.say(f"version {version} of {name} is the current one", "green")
        self._print(name, applied, "completed", image=image, version=version)

    def _print(
        self,
        name: str,
        applied: AppliedAlgorithm,
        status: str,
        image: str = "",
        version: str = "",
        errors: str = "",
    ) -> None:
        if not self._as_json:
            if image:
                print(image, flush=True)
            return
        document = {
            "name": name,
            "status": status,
            "buildId": applied.build_id or None,
            "image": image or None,
            "version": version or None,
            "messages": list(applied.messages),
            "errors": errors or None,
        }
        print(json.dumps(document), flush=True)


def _files(source: AlgorithmSource) -> Tree:
    """List what would be sent; refuse what cannot be an algorithm's folder."""
    from ..local.check.tree_findings import not_packable
    from ..local.cluster.upload import UploadError
    from ..local.source.file_tree import read_tree
    from ..local.source.source import find_module, is_shared_folder

    if is_shared_folder(source.folder):
        raise UploadError(
            f"all of {source.folder} would be sent: put the algorithm in a separate folder"
        )
    tree = read_tree(source.folder)
    for finding in not_packable(tree, find_module(source)):
        raise UploadError(finding.text)
    return tree


def _check(source: AlgorithmSource) -> None:
    from rich.console import Console

    from ..local.check.check import check
    from ..local.check.report_view import show

    report = check(source, os.environ, _CHECK_SECONDS)
    if report.is_fine:
        return
    show(report, Console(stderr=True, highlight=False))
    say_error("CheckFailed", "not sent: fix what is wrong, or send it anyway with --no-check")
    raise CommandExit(FAILED)


def _show_request(payload: AlgorithmPayload, options: dict[str, Any], tree: Tree | None) -> None:
    from ..local.cluster.upload import ARCHIVE_NAME

    document = {
        "request": "POST store/algorithms/apply",
        "payload": dict(payload.document),
        "options": options,
        "file": None
        if tree is None
        else {
            "name": ARCHIVE_NAME,
            "bytes": tree.size,
            "files": [file.path for file in tree.files],
        },
    }
    print(json.dumps(document, indent=2, default=str))


def _ended(status: str) -> str:
    return "was stopped" if status == "stopped" else status
