"""Tests the algorithm with the fixture of hkube-wrapper. Run: pytest examples/hello"""


def test_greeting(hkube):
    outcome = hkube.run("main.py", input=["HKube"])
    assert outcome.result == {"greeting": "Hello, HKube!"}


def test_missing_name(hkube):
    outcome = hkube.run("main.py")
    assert "list index out of range (main.py:5, in start)" in outcome.error.message
