from wrapper.streaming.drain import ALIVE_EVERY, SILENCE, STOPPING_EVERY, Drain, Signs


def drain(answers_stop=True, within=100.0):
    return Drain(["stopped"], answers_stop, within, now=0.0)


def test_it_is_over_when_everything_was_handled():
    assert drain().is_over(is_empty=True, last_asked=None, now=0.0)


def test_it_goes_on_while_consumers_ask():
    assert not drain().is_over(is_empty=False, last_asked=SILENCE, now=SILENCE + 1)


def test_it_is_over_when_nobody_has_asked_for_a_while():
    assert not drain().is_over(is_empty=False, last_asked=None, now=SILENCE - 1)
    assert drain().is_over(is_empty=False, last_asked=None, now=SILENCE)
    assert drain().is_over(is_empty=False, last_asked=2.0, now=2.0 + SILENCE)


def test_it_is_over_at_its_limit():
    assert drain(within=5.0).is_over(is_empty=False, last_asked=5.0, now=5.0)


def test_it_is_over_when_it_is_cancelled():
    draining = drain()
    draining.cancel()
    assert draining.is_over(is_empty=False, last_asked=0.0, now=0.1)


def test_stopping_is_sent_at_once_and_each_second():
    draining = drain()
    assert draining.signs(0.0) == Signs(stopping=True, alive=False)
    assert draining.signs(0.5) == Signs(stopping=False, alive=False)
    assert draining.signs(STOPPING_EVERY).stopping


def test_alive_is_sent_in_between():
    draining = drain()
    assert draining.signs(ALIVE_EVERY).alive
    assert not draining.signs(ALIVE_EVERY + 0.1).alive


def test_no_stopping_without_a_stop():
    assert not drain(answers_stop=False).signs(5.0).stopping


def test_the_deadline_is_that_of_the_next_sign():
    draining = drain()
    draining.signs(0.0)
    assert draining.deadline(None) == STOPPING_EVERY
    assert drain(answers_stop=False).deadline(None) == ALIVE_EVERY
    assert drain(within=0.5).deadline(None) <= 0.5
