"""What the commands that talk to a cluster share: options, the connection, exit codes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..text.redaction import redacted
from .errors import CommandExit, say_error

if TYPE_CHECKING:
    from ..local.cluster.api import ClusterApi
    from ..local.cluster.follow import ClusterProgress

CLUSTER_FAILED = 3
"""The cluster cannot be reached, or refused the request."""

Endpoint = Annotated[
    str,
    typer.Option(
        "--endpoint",
        metavar="URL",
        envvar="HKUBE_ENDPOINT",
        help="The cluster's URL. Default: endpoint in .hkuberc, as for hkubectl.",
        show_default=False,
    ),
]
Token = Annotated[
    str,
    typer.Option(
        "--token",
        metavar="TEXT",
        envvar="HKUBE_TOKEN",
        help="A token in place of username and password in .hkuberc; better as HKUBE_TOKEN, which "
        "other users of the machine cannot see.",
        show_default=False,
    ),
]
NoWait = Annotated[
    bool, typer.Option("--no-wait", metavar="", help="End as soon as the cluster has accepted it.")
]
AsJson = Annotated[
    bool, typer.Option("--json", metavar="", help="Print one JSON object, for programs.")
]


def connect(endpoint: str, token: str) -> ClusterApi:
    """Prepare the calls to the cluster that is meant; nothing is sent yet.

    Raises:
        AccessError: it is not clear which cluster is meant.
    """
    from ..local.cluster.access import find_access
    from ..local.cluster.api import ClusterApi
    from ..local.cluster.http_client import HttpClient
    from ..local.cluster.login import Login

    access = find_access(Path.cwd(), Path.home(), endpoint, token)
    http = HttpClient(access)
    return ClusterApi(http, Login(access, http))


@contextmanager
def cluster_errors() -> Iterator[None]:
    """Turn errors of the cluster into a line on stderr and exit code 3."""
    from ..local.cluster.errors import ClusterError

    try:
        yield
    except ClusterError as error:
        say_error(error.code, str(error))
        raise CommandExit(CLUSTER_FAILED) from None


@contextmanager
def interruption_note(progress: ClusterProgress, text: str) -> Iterator[None]:
    """Show what goes on in the cluster after Ctrl-C."""
    try:
        yield
    except KeyboardInterrupt:
        progress.end()
        note(text)
        raise


@contextmanager
def shown_progress() -> Iterator[ClusterProgress]:
    """Show progress on stderr; the live line is removed at the end."""
    from ..local.cluster.follow import ClusterProgress
    from ..local.show.screen import Screen

    screen = Screen(sys.stderr)
    try:
        yield ClusterProgress(screen)
    finally:
        screen.close()


def note(text: str) -> None:
    """Show a remark that does not stop the command."""
    print(f"note: {redacted(text)}", file=sys.stderr)
