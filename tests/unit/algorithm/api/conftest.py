import json

import pytest

from wrapper.errors import EncodingError


class Link:
    """Records what is sent; refuses what JSON cannot hold."""

    def __init__(self):
        self.sent = []

    def send(self, message, subject):
        try:
            json.dumps(message, ensure_ascii=False).encode()
        except (TypeError, UnicodeEncodeError) as error:
            raise EncodingError(f"the {subject} cannot be sent") from error
        self.sent.append((message["command"], message["data"]))


@pytest.fixture
def link():
    return Link()


@pytest.fixture
def warnings():
    return []
