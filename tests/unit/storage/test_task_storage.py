"""The storage for all tasks, built from the settings."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from pathlib import Path
from threading import Thread
from typing import Any

from wrapper.config.settings import Config
from wrapper.storage.peers.handover import answer, read_note, receive
from wrapper.storage.results import ResultOrigin
from wrapper.storage.task_storage import TaskStorage

SOURCE = ResultOrigin("j", "t", "green", ["green"])


def make(folder: Path, handover: socket.socket | None = None) -> TaskStorage:
    environ = {"BASE_FS_ADAPTER_DIRECTORY": str(folder), "POD_IP": "10.0.0.9"}
    config = Config.from_environ(environ, "/")
    return TaskStorage(config.storage, config.discovery, lambda line: None, handover)


def test_stored_result_can_be_read_by_another_task(tmp_path: Path) -> None:
    storage = make(tmp_path)
    report = storage.store_result(SOURCE, [{"a": [1]}].pop, lambda message, note: None)
    assert report is not None
    link = {"storageInfo": report["data"]["storageInfo"], "path": "a"}
    job: dict[str, Any] = {
        "input": ["$$k"],
        "flatInput": {"0": "$$k"},
        "storage": {"k": link},
    }
    storage.fill_input(job)
    assert job["input"] == [[1]]
    (path,) = storage.store_inputs("j", ["item"]).values()
    assert storage.fetch_response({"storageInfo": {"path": path}}) == "item"


def test_first_result_is_handed_over_by_socket_and_the_next_with_its_report(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.settimeout(20)

        def take() -> None:
            offer = receive(theirs)
            assert offer is not None and offer.task_id == "t"
            answer(theirs, offer.number, True)

        taker = Thread(target=take)
        taker.start()
        sent: list[tuple[Mapping[str, Any], bytes]] = []
        storage = make(tmp_path, ours)
        storage.store_result(SOURCE, [1].pop, lambda *report: sent.append(report))
        taker.join(20)
        storage.store_result(SOURCE, [2].pop, lambda *report: sent.append(report))
    for message, _ in sent:
        assert message["data"]["discovery"] == {"host": "10.0.0.9", "port": "9020"}
    assert sent[0][1] == b""
    offer = read_note(sent[1][1])
    assert offer is not None and offer.result is not None
    assert (offer.task_id, bytes(offer.result.payload)) == ("t", b"\x02")
