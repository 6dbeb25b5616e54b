"""DEV_MODE with mounted sources: after an edit the running container has the new code."""

from __future__ import annotations

import pytest

from tests.e2e.harness.events import Message

from .conftest import Serve, Session

CODE = "def start(args):\n    return {value}\n"


@pytest.mark.parametrize("user", ["10001:0", "1000730000:0"])
def test_edit_is_loaded_without_a_new_container(serve: Serve, user: str) -> None:
    session = serve(
        {"main.py": CODE.format(value=1)},
        env={"DEV_MODE": "true"},
        options=["--read-only", "--user", user],
    )
    assert session.worker.run() == 1
    (session.code / "main.py").write_text(CODE.format(value="'edited'"))
    session.container.wait_until(
        lambda: session.worker.run() == "edited", "task run by the edited code", 30
    )

    assert session.worker.connections == 1, "and the connection has held"
    (session.code / "main.py").write_text("no python\n")
    session.container.wait_until(
        lambda: "SyntaxError" in session.container.stderr, "word of a broken edit", 30
    )
    (session.code / "main.py").write_text(CODE.format(value=3))
    session.container.wait_until(lambda: _outcome(session).data == 3, "fixed code", 30)


def _outcome(session: Session) -> Message:
    """Return the final message of a task, whatever it is."""
    session.worker.initialize()
    message = session.worker.next_message()
    if message.command == "initialized":
        session.worker.send("start", {"spanId": {}})
        message = session.worker.finish()
    return message
