"""Which cluster is meant: options, and hkubectl's settings files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from wrapper.local.cluster.access import find_access
from wrapper.local.cluster.errors import AccessError

API = "/hkube/api-server/api/v1/"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    (folder / ".hkube").mkdir(parents=True)
    return folder


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "project" / "sub"
    folder.mkdir(parents=True)
    return folder


def write(file: Path, **settings: object) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(settings))


def test_nearest_file_above_the_working_directory_counts(work: Path, home: Path) -> None:
    write(home / ".hkube" / ".hkuberc", endpoint="https://of-home")
    write(work.parent / ".hkuberc.json", endpoint="https://of-project/")
    assert find_access(work, home).base == f"https://of-project{API}"
    write(work / ".hkuberc", endpoint="https://here:8443")
    found = find_access(work, home)
    assert (found.base, found.origin) == (f"https://here:8443{API}", str(work / ".hkuberc"))


def test_folder_hkube_here_then_in_the_home(work: Path, home: Path) -> None:
    write(home / ".hkube" / ".hkuberc", endpoint="https://of-home")
    assert find_access(work, home).base.startswith("https://of-home/")
    write(work / ".hkube" / ".hkuberc", endpoint="https://of-here")
    assert find_access(work, home).base.startswith("https://of-here/")


def test_account_prefix_and_certificate_setting(work: Path, home: Path) -> None:
    settings = {
        "endpoint": "https://h",
        "username": "ann",
        "password": "hidden",
        "pathPrefix": "/x/y",
    }
    write(work / ".hkuberc", **settings, rejectUnauthorized="false")
    found = find_access(work, home)
    assert (found.base, found.username, found.password) == (
        "https://h/x/y/api/v1/",
        "ann",
        "hidden",
    )
    assert not found.verify
    assert "hidden" not in repr(found)


def test_path_of_the_endpoint_is_replaced_by_the_prefix_as_in_hkubectl(
    work: Path, home: Path
) -> None:
    assert find_access(work, home, "https://h/hkube/site/?x=1").base == f"https://h{API}"


@pytest.mark.parametrize("given, is_sent", [("https://h", True), ("https://other", False)])
def test_account_of_the_file_goes_to_its_own_endpoint_only(
    work: Path, home: Path, given: str, is_sent: bool
) -> None:
    settings = {"username": "ann", "password": "p", "rejectUnauthorized": False}
    write(work / ".hkuberc", endpoint="https://h/", **settings)
    found = find_access(work, home, given)
    assert bool(found.username) is bool(found.password) is is_sent
    assert found.verify is not is_sent


def test_token_replaces_the_account(work: Path, home: Path) -> None:
    write(work / ".hkuberc", endpoint="https://h", username="ann", password="p")
    found = find_access(work, home, token="t")
    assert (found.token, found.username, found.password) == ("t", "", "")


def test_no_endpoint_says_how_to_give_one(work: Path, home: Path) -> None:
    with pytest.raises(AccessError, match=r"no \.hkuberc here or in ~/\.hkube: .*--endpoint"):
        find_access(work, home)
    write(work / ".hkuberc", username="ann")
    with pytest.raises(AccessError, match=r"\.hkuberc names none"):
        find_access(work, home)


@pytest.mark.parametrize(
    "url", ["hkube.example.com", "ftp://h", "https://", "https://h:port", "http://[", "https://h:x"]
)
def test_what_is_no_url_is_refused(work: Path, home: Path, url: str) -> None:
    with pytest.raises(AccessError, match="--endpoint must be a URL such as"):
        find_access(work, home, url)


def test_account_in_the_endpoint_is_refused_and_not_shown(work: Path, home: Path) -> None:
    with pytest.raises(AccessError, match="must not hold an account") as caught:
        find_access(work, home, "https://ann:secret@h")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "text, message",
    [
        ("{", "is not valid JSON"),
        ("[" * 100_000, "is not valid JSON"),
        ("[]", "must be a JSON object"),
        ('{"endpoint": 1}', "endpoint must be text"),
        ('{"endpoint": "https://h", "rejectUnauthorized": "no"}', "must be true or false"),
        ('{"endpoint": "h"}', r"endpoint in .*\.hkuberc must be a URL"),
    ],
)
def test_unusable_file_is_named(work: Path, home: Path, text: str, message: str) -> None:
    (work / ".hkuberc").write_text(text)
    with pytest.raises(AccessError, match=message) as caught:
        find_access(work, home)
    assert str(work / ".hkuberc") in str(caught.value)
