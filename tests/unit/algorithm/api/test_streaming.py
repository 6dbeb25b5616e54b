import pytest

from wrapper.algorithm.api.streaming import StreamingApi


@pytest.mark.parametrize(
    "name, arguments",
    [
        ("sendMessage", ({"a": 1}, "flow")),
        ("registerInputListener", (print,)),
        ("startMessageListening", ()),
        ("stopStreaming", (False,)),
        ("isListeningToMessages", ()),
        ("get_streaming_statistics", ()),
        ("resetQueue", ()),
        ("resetQueuePartial", (3,)),
    ],
)
def test_streaming_methods_say_that_they_are_not_supported_yet(name, arguments):
    with pytest.raises(NotImplementedError, match=f"^{name}: .* streaming is not supported yet$"):
        getattr(StreamingApi(), name)(*arguments)
