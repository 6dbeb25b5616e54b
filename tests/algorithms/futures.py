"""Starts calls without waiting, stops one, and waits with a timeout."""

import concurrent.futures


def start(args, api):
    first = api.start_stored_subpipeline("stopped", blocking=False)
    api.stop_subpipeline(first, "not needed")
    try:
        first.result(10)
    except Exception as error:
        outcome = [type(error).__name__, str(error)]
    try:
        api.start_algorithm("silent", timeout=0.2)
    except (TimeoutError, concurrent.futures.TimeoutError) as error:
        outcome.append(isinstance(error, TimeoutError | concurrent.futures.TimeoutError))
    return outcome
