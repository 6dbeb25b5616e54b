"""Uses the HKubeApi of a task that has ended."""

import threading

kept = []
outcome = []


def late(api):
    try:
        api.progress(1)
        api.start_algorithm("late", timeout=5)
        outcome.append("returned")
    except Exception as error:
        outcome.append(type(error).__name__)


def start(args, api):
    if args["input"][0] == "keep":
        kept.append(api)
        return "kept"
    thread = threading.Thread(target=late, args=(kept[0],))
    thread.start()
    thread.join()
    return outcome
