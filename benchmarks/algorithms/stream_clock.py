"""Returns how old each message was when it was received, in milliseconds."""

import time


def start(args, hkube_api):
    ages = []
    for message in hkube_api.messages():
        ages.append((time.monotonic() - message.value) * 1000)
        if len(ages) == args["input"][0]:
            break
    return ages
