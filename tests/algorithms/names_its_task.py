"""Returns its task's id after the time that its input gives, sometimes after a call."""

import time


def start(args, api):
    seconds = args["input"][0]
    if seconds:
        time.sleep(seconds)
    api.progress(args["taskId"])
    return args["taskId"]
