"""Parsing a job's references."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrapper.errors import StorageError
from wrapper.storage.format.references import (
    Peer,
    StoragePlaceholder,
    StoredReference,
    references,
    result_link,
)

INFO = {"path": "local-hkube/j/t", "size": 28}
DISCOVERY = {"host": "10.0.0.7", "port": "9020"}
PEER = Peer("10.0.0.7", 9020)


def read(flat: Any, storage: Any) -> list[StoragePlaceholder]:
    job = {"jobId": "j", "flatInput": flat, "storage": storage}
    return list(references(job, "local"))


def links(link: Any) -> list[StoredReference]:
    (reference,) = read({"0": "$$k"}, {"k": link})
    return reference.links


def test_recorded_job() -> None:
    found = read(
        {"1": "$$k1", "3": "$$k3", "0.op": "echo", "2.inner": "$$k2"},
        {
            "k1": {"storageInfo": INFO, "path": "data.x.2.y"},
            "k2": {"storageInfo": INFO},
            "k3": [{"storageInfo": INFO, "path": "data.x.0"}, {"storageInfo": INFO}],
        },
    )
    plain = StoredReference("local-hkube/j/t", 28)
    assert found == [
        StoragePlaceholder("1", "k1", [plain._replace(inner="data.x.2.y")], False),
        StoragePlaceholder("3", "k3", [plain._replace(inner="data.x.0"), plain], True),
        StoragePlaceholder("2.inner", "k2", [plain], False),
    ]


def test_links_to_peers() -> None:
    found = links({"storageInfo": INFO, "discovery": DISCOVERY, "taskId": "t", "path": "a"})
    assert found == [StoredReference("local-hkube/j/t", 28, "a", PEER, "t")]
    assert links({"storageInfo": INFO, "discovery": DISCOVERY}) == [
        StoredReference("local-hkube/j/t", 28)
    ]
    assert links({"discovery": DISCOVERY, "tasks": ["t1", "t2"], "path": "a"}) == [
        StoredReference("local-hkube/j/t1", None, "a", PEER, "t1"),
        StoredReference("local-hkube/j/t2", None, "a", PEER, "t2"),
    ]
    assert links({"discovery": DISCOVERY, "taskId": "t1"}) == [
        StoredReference("local-hkube/j/t1", None, "", PEER, "t1")
    ]


@pytest.mark.parametrize("port", ["0", "65535", "99999", "x", "٣", "", None, -1])
def test_invalid_port_is_ignored(port: object) -> None:
    found = links({"storageInfo": INFO, "discovery": {"host": "h", "port": port}, "taskId": "t"})
    assert found == [StoredReference("local-hkube/j/t", 28)]


@pytest.mark.parametrize("host", ["", "a b", "eth0;h", "h/x", "*", None, 5])
def test_invalid_host_is_ignored(host: object) -> None:
    found = links({"storageInfo": INFO, "discovery": {"host": host, "port": 9020}, "taskId": "t"})
    assert found == [StoredReference("local-hkube/j/t", 28)]


def test_empty_batch() -> None:
    assert read({"0": "$$k"}, {"k": []}) == [StoragePlaceholder("0", "k", [], True)]


@pytest.mark.parametrize("flat", [None, {}, [], "x", {"0": 1, "1": "$k", "2": None}])
def test_job_without_references(flat: Any) -> None:
    assert read(flat, None) == []


@pytest.mark.parametrize(
    "storage, why",
    [
        ({}, r"input\.2\.inner refers to \$\$k, but HKube sent no link with the key 'k'"),
        (None, "no link with the key 'k'"),
        ({"k": None}, "no link with the key 'k'"),
        ({"k": 5}, r"the link 'k' of input\.2\.inner: it must be an object, not int"),
        ({"k": {}}, "neither a storage path"),
        ({"k": {"tasks": ["t"]}}, "neither a storage path"),
        ({"k": {"storageInfo": {}}}, "its path must be a string"),
        ({"k": {"storageInfo": {"path": "../x"}}}, "its path '../x'"),
        ({"k": {"storageInfo": INFO, "path": "a." * 5000}}, "longer than 4,096 characters"),
        ({"k": [{"storageInfo": INFO}, {"discovery": DISCOVERY, "tasks": ["../.."]}]}, "its path"),
    ],
)
def test_errors_name_the_place_and_the_key(storage: Any, why: str) -> None:
    with pytest.raises(StorageError, match=why):
        read({"2.inner": "$$k"}, storage)


def test_link_in_an_answer() -> None:
    assert result_link(
        {"storageInfo": {"path": "local-hkube-results/j/result.json"}}
    ) == StoredReference("local-hkube-results/j/result.json")
    others: list[Any] = [None, 5, [], {}, {"storageInfo": 5}, {"result": {"storageInfo": INFO}}]
    for value in others:
        assert result_link(value) is None


ANY = st.recursive(
    st.none() | st.integers() | st.text() | st.sampled_from(["$$k", "k", "a/b", "9020"]),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(
                ["storageInfo", "path", "size", "discovery", "tasks", "taskId", "host", "port", "k"]
            ),
            inner,
        )
    ),
)


@given(ANY, ANY)
def test_any_job_is_parsed_or_rejected_in_one_sentence(flat: Any, storage: Any) -> None:
    with contextlib.suppress(StorageError):
        read(flat, storage)
    with contextlib.suppress(StorageError):
        read({"0": "$$k"}, {"k": storage})
    with contextlib.suppress(StorageError):
        result_link(storage)
