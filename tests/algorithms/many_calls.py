"""Calls sub-pipelines from the number of threads that its input gives."""

import threading


def start(args, api):
    count = args["input"][0]
    results = [None] * count

    def call(number):
        results[number] = api.start_stored_subpipeline("sub", {"n": number})

    threads = [threading.Thread(target=call, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
