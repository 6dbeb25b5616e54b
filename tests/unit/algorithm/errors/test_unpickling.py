from __future__ import annotations

import pickle
import sys

import pytest

from wrapper.algorithm.errors.report import report_exception
from wrapper.algorithm.errors.unpickling import explained


@pytest.mark.parametrize("loads", [pickle.loads, pickle._loads])  # type: ignore[attr-defined]
@pytest.mark.parametrize("name", ["Scaler", "Scaler.Inner"])
def test_pickle_of_a_notebook_says_what_to_do(loads: object, name: str) -> None:
    made = b"\x80\x04\x8c\x08__main__\x8c" + bytes([len(name)]) + name.encode() + b"\x93."
    with pytest.raises(AttributeError) as caught:
        loads(made)  # type: ignore[operator]

    report = report_exception(caught.value)
    assert "was pickled by a script or notebook that defines Scaler itself" in report.message
    assert "Move Scaler to a module of its own" in report.details
    assert str(sys.modules["__main__"]) not in report.message + report.details


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Can't get attribute 'x' on <module 'numpy' from '/a'>",
        "'A' object has no attribute 'b'",
    ],
)
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert explained(text) == text
