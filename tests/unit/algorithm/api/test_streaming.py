import pytest

from wrapper.algorithm.api.streaming import StreamingApi
from wrapper.errors import StreamingError

CALLS = {
    "sendMessage": (5,),
    "registerInputListener": (print,),
    "startMessageListening": (),
    "stopStreaming": (),
    "get_streaming_statistics": (),
    "resetQueue": (),
    "resetQueuePartial": (1,),
    "messages": (),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_batch_task_cannot_stream(name):
    with pytest.raises(StreamingError, match="not a part of a streaming pipeline"):
        getattr(StreamingApi(None), name)(*CALLS[name])


def test_a_batch_task_does_not_listen():
    assert StreamingApi(None).isListeningToMessages() is False


def test_skip_says_what_it_is():
    assert repr(StreamingApi(None).SKIP) == "hkube_api.SKIP"
