"""Returns how many messages a second its listener has received."""

import threading
import time


def start(args, hkube_api):
    count, seen, done = args["input"][0], [], threading.Event()

    def on_message(message, origin):
        seen.append(time.perf_counter())
        if len(seen) == count:
            done.set()

    hkube_api.registerInputListener(on_message)
    hkube_api.startMessageListening()
    done.wait()
    return (count - 1) / (seen[-1] - seen[0])
