"""Works with a pool of processes, started in the way it is told."""

import multiprocessing


def square(number):
    return number * number


def start(args, api):
    context = multiprocessing.get_context(args["input"][0])
    with context.Pool(2) as pool:
        return pool.map(square, range(5))
