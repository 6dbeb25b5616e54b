"""The algorithm that collects what leaves a streaming pipeline's last nodes.

It runs as a node of its own. It may import the standard library only.
"""

import base64
import json


def start(args, hkube_api):  # type: ignore[no-untyped-def]
    """Write each message as a line of JSON to the file that the input names."""
    with open(args["input"][0], "w", encoding="utf-8") as lines:
        for message in hkube_api.messages():
            line = json.dumps(
                {"node": message.origin, "message": message.value}, default=_printable
            )
            print(line, file=lines, flush=True)


def _printable(value):  # type: ignore[no-untyped-def]
    # As in wrapper/text/printed_json.py, which is not importable here.
    if isinstance(value, bytes | bytearray | memoryview):
        return {"$base64": base64.b64encode(value).decode("ascii")}
    return repr(value)
