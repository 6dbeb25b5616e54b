"""Names of images."""

from __future__ import annotations

import pytest

from wrapper.local.build.image_name import (
    ImageNameError,
    check_base,
    check_tag,
    default_tag,
    has_registry,
)

DIGEST = "@sha256:" + "0" * 64


@pytest.mark.parametrize(
    "name",
    [
        "alg",
        "alg:1.0",
        "team/my-alg:v1_2.3-4",
        "registry:5000/a/b__c",
        "ghcr.io/Team.x/alg".lower(),
    ],
)
def test_valid_names(name: str) -> None:
    assert check_tag(name) == check_base(name) == name


def test_base_may_have_a_digest() -> None:
    assert check_base(f"python{DIGEST}").endswith(DIGEST)
    with pytest.raises(ImageNameError):
        check_tag(f"python{DIGEST}")


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Alg",
        "a b",
        "alg:",
        "alg:a:b",
        "a\nRUN rm",
        "$HOME",
        "-a",
        "a/",
        "a..b",
        "a'",
        "x" * 300,
    ],
)
def test_invalid_names(name: str) -> None:
    with pytest.raises(ImageNameError, match="is not a valid image name"):
        check_tag(name)
    with pytest.raises(ImageNameError, match="is not a valid image name") as caught:
        check_base(name)
    assert "\n" not in str(caught.value)


def test_default_tag() -> None:
    assert default_tag("my-alg", "") == "my-alg:latest"
    assert default_tag("my-alg", "1.2") == "my-alg:1.2"
    for name, version in (("My Alg", ""), ("alg", "1 2")):
        with pytest.raises(
            ImageNameError, match="is not a valid image name: choose one with --tag"
        ):
            default_tag(name, version)


def test_registries() -> None:
    assert all(map(has_registry, ["localhost/a", "docker.io/hkube/a:1", "registry:5000/a"]))
    assert not any(map(has_registry, ["a", "a:1.0", "hkube/python-wrapper"]))
