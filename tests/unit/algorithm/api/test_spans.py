import threading

import pytest

from wrapper.algorithm.api.spans import Section, Spans, describe
from wrapper.errors import AlgorithmStopped


@pytest.fixture
def spans(link, warnings):
    return Spans(link, warnings.append)


def names(link):
    return [data.get("name", command) for command, data in link.sent]


def test_sends_what_the_worker_expects(spans, link):
    spans.start("load", {"rows": 3})
    spans.finish({"done": True}, "bad file")
    assert link.sent == [
        ("startSpan", {"name": "load", "tags": {"rows": 3}}),
        ("finishSpan", {"tags": {"done": True}, "error": "bad file"}),
    ]


def test_a_finish_without_details_still_has_data(spans, link):
    spans.start("load", None)
    spans.finish(None, None)
    assert isinstance(link.sent[1][1], dict)
    assert not link.sent[1][1].get("error")


def test_a_finish_with_no_open_span_sends_nothing(spans, link, warnings):
    spans.finish(None, None)
    spans.start("one", None)
    spans.finish(None, None)
    spans.finish(None, None)
    assert names(link) == ["one", "finishSpan"]
    assert warnings == ["finish_span was called with no open span; nothing was sent"] * 2


@pytest.mark.parametrize("name, error", [("", ValueError), (None, TypeError), (5, TypeError)])
def test_a_span_needs_a_name(spans, link, name, error):
    with pytest.raises(error, match="start_span: name must"):
        spans.start(name, None)
    assert not link.sent


def test_tags_are_a_dict(spans, link):
    with pytest.raises(TypeError, match="^start_span: tags must be a dict, not list$"):
        spans.start("load", [1])
    with pytest.raises(TypeError, match="^finish_span: tags must be a dict, not str$"):
        spans.finish("rows", None)
    assert not link.sent


def test_a_span_is_sent_without_tags_that_cannot_be(spans, link, warnings):
    spans.start("outer", None)
    spans.start("inner", {"rows": {1, 2}})
    spans.finish({"rows": {1, 2}}, "bad")
    spans.finish(None, None)
    assert names(link) == ["outer", "inner", "finishSpan", "finishSpan"]
    assert link.sent[2][1]["error"] == "bad"
    warning = "a span was sent without its tags: EncodingError: the span cannot be sent"
    assert warnings == [warning] * 2


def test_a_span_is_sent_without_tags_whose_code_raises(spans, link, warnings):
    class Row(dict):  # type: ignore[type-arg]
        def items(self):
            raise ZeroDivisionError("of the user")

    spans.start("load", {"row": Row(a=1)})
    assert link.sent == [("startSpan", {"name": "load", "tags": {}})]
    assert warnings == ["a span was sent without its tags: ZeroDivisionError: of the user"]


def test_texts_that_cannot_be_sent_are_fixed(spans, link):
    spans.start("lone \ud800 surrogate", None)
    spans.finish(None, "lone \ud800 surrogate" + "x" * 5000)
    assert link.sent[0][1]["name"] == "lone ? surrogate"
    assert link.sent[1][1]["error"].startswith("lone ? surrogatexxx")


def test_a_section_opens_and_closes(spans, link):
    with Section(spans, "load", {"a": 1}) as tags:
        assert names(link) == ["load"]
        tags["rows"] = 5
    assert link.sent[1] == ("finishSpan", {"tags": {"rows": 5}})


@pytest.mark.parametrize(
    "error, text",
    [(ValueError("bad row"), "ValueError: bad row"), (AlgorithmStopped(), "AlgorithmStopped")],
)
def test_an_exception_that_leaves_a_section_is_its_error(spans, link, error, text):
    with pytest.raises(type(error)), Section(spans, "load", None):
        raise error
    assert link.sent[1][1]["error"] == text


def test_a_section_that_is_reused_starts_without_tags(spans, link):
    section = Section(spans, "load", None)
    with section as tags:
        tags["rows"] = 5
    with section:
        pass
    assert not link.sent[3][1].get("tags")


def test_the_end_closes_open_spans_newest_first_and_ignores_later_ones(spans, link, warnings):
    spans.start("one", None)
    spans.start("two", None)
    spans.close_all("ValueError: bad")
    assert [data.get("error") for _, data in link.sent[2:]] == ["ValueError: bad"] * 2
    spans.start("three", None)
    spans.finish(None, None)
    spans.close_all(None)
    assert names(link) == ["one", "two", "finishSpan", "finishSpan"]
    assert not warnings


def test_a_section_left_open_at_the_end_closes_silently(spans, link, warnings):
    with Section(spans, "load", None):
        spans.close_all(None)
    assert names(link) == ["load", "finishSpan"]
    assert not warnings


def test_spans_of_many_threads_are_counted_correctly(spans, link, warnings):
    def work():
        for _ in range(200):
            with Section(spans, "load", None):
                pass

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    open_spans = 0
    for command, _ in link.sent:
        open_spans += 1 if command == "startSpan" else -1
        assert open_spans >= 0
    assert open_spans == 0
    assert len(link.sent) == 3200
    assert not warnings


def test_a_signal_handler_may_finish_a_span_while_its_thread_sends_one(spans, link):
    send = link.send

    def interrupted(message, subject):
        link.send = send
        spans.start("of the handler", None)
        spans.finish(None, None)
        send(message, subject)

    link.send = interrupted
    spans.start("load", None)
    assert names(link) == ["of the handler", "finishSpan", "load"]


class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError


@pytest.mark.parametrize(
    "error, text",
    [
        (None, None),
        ("bad", "bad"),
        ("", ""),
        (KeyError("x"), "KeyError: 'x'"),
        (Unprintable(), "Unprintable"),
        (404, "404"),
    ],
)
def test_describes_an_error(error, text):
    assert describe(error) == text
