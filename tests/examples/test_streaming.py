"""examples/streaming: a source, a stateless worker and a sink; and messages from a file."""

from __future__ import annotations

from .conftest import Run


def test_readme_shows_the_actual_output(run_readme: Run) -> None:
    drained, fed, failed = run_readme("examples/streaming/README.md")
    drained.check()
    assert drained.code == 0
    assert "reading 3: the average is 15.0 °C" in drained.stderr
    fed.check()
    assert fed.code == 0
    assert "reading 2: the average is 50.0 °C" in fed.stderr
    failed.check()
    assert failed.code == 2
