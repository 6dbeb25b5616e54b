"""The Dockerfile."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrapper.local.build.dockerfile import Image, ImageError, dockerfile


def instructions(image: Image) -> list[str]:
    text = dockerfile(image)
    assert text.endswith("\n")
    return text.splitlines()[1:]


def test_smallest_image() -> None:
    assert instructions(Image("alg", "hkube/python-wrapper:1.0", "main.py")) == [
        "FROM hkube/python-wrapper:1.0",
        "COPY code/ /hkube/algorithm-runner/",
        'ENV ALGORITHM_ENTRY_POINT="main.py"',
        'LABEL org.opencontainers.image.title="alg"',
    ]


def test_requirements_are_installed_before_the_code() -> None:
    lines = instructions(Image("alg", "hkube/python-wrapper", "main.py", installs=True))
    assert lines[1:4] == [
        "COPY requirements/ /hkube/requirements/",
        "RUN pip install --no-cache-dir -r /hkube/requirements/requirements.txt",
        "COPY code/ /hkube/algorithm-runner/",
    ]


def test_requirements_from_the_folder_are_installed_after_the_code() -> None:
    image = Image("a", "hkube/python-wrapper", "m", installs=True, installs_own_files=True)
    _, copy, run, *_ = instructions(image)
    assert copy.startswith("COPY code/")
    assert run == (
        "RUN cd /hkube/algorithm-runner/algorithm_unique_folder && "
        "pip install --no-cache-dir -r requirements.txt"
    )


def test_pip_conf_is_a_secret_of_one_step() -> None:
    image = Image("a", "hkube/python-wrapper", "m", installs=True, secret=True)
    (run,) = (line for line in instructions(image) if line.startswith("RUN"))
    assert run.startswith(
        "RUN --mount=type=secret,id=pip-conf,target=/etc/pip.conf,mode=0444 pip install"
    )


def test_other_base_is_checked_for_the_wrapper() -> None:
    _, run, *_ = instructions(Image("a", "team/base:2", "m"))
    assert run.startswith("RUN python -c 'import wrapper' || { echo 'error: team/base:2 does not")
    assert "import wrapper" in dockerfile(Image("a", "myhkube/python-wrapper", "m"))
    for own in ("registry:5000/hkube/python-wrapper:1", "hkube/python-wrapper@sha256:" + "0" * 64):
        assert "import wrapper" not in dockerfile(Image("a", own, "m"))


def test_variables_and_labels() -> None:
    image = Image("alg", "b", "src.alg", version="1.2", environ={"A": "x", "B": 'say "$HOME\\"'})
    text = dockerfile(image)
    assert text.endswith(
        'ENV A="x" \\\n    B="say \\"\\$HOME\\\\\\"" \\\n    ALGORITHM_ENTRY_POINT="src.alg"\n'
        'LABEL org.opencontainers.image.title="alg" \\\n'
        '    org.opencontainers.image.version="1.2"\n'
    )


@pytest.mark.parametrize(
    ("image", "text"),
    [
        (
            Image("a", "b", "main.py\nRUN rm"),
            "the value of ALGORITHM_ENTRY_POINT contains a line break",
        ),
        (Image("a", "b", "m", environ={"A": "x\ny"}), "the value of A contains a line break"),
        (
            Image("a", "b", "m", environ={"A B": "x"}),
            "'A B' in algorithmEnv is not a valid variable name",
        ),
        (Image("a", "b", "m", environ={"": "x"}), "is not a valid variable name"),
    ],
)
def test_invalid_values(image: Image, text: str) -> None:
    with pytest.raises(ImageError, match=text):
        dockerfile(image)


@given(value=st.text(), name=st.text())
def test_no_value_adds_an_instruction(value: str, name: str) -> None:
    try:
        lines = dockerfile(Image(name, "b", value, environ={"A": value})).splitlines()
    except ImageError:
        return
    assert [line.split()[0] for line in lines if line and not line.startswith((" ", "#"))] == [
        *("FROM", "RUN", "COPY", "ENV", "LABEL")
    ]
