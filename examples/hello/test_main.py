"""Tests of the algorithm with the fixture of hkube-wrapper: pytest examples/hello."""


def test_it_greets(hkube):
    outcome = hkube.run("main.py", input=["HKube"])
    assert outcome.result == {"greeting": "Hello, HKube!"}


def test_nobody_to_greet(hkube):
    outcome = hkube.run("main.py")
    assert "list index out of range (main.py:5, in start)" in outcome.error.message
