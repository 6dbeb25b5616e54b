"""Returns its task's id after as long as it is told, by way of a call now and then."""

import time


def start(args, api):
    seconds = args["input"][0]
    if seconds:
        time.sleep(seconds)
    api.progress(args["taskId"])
    return args["taskId"]
