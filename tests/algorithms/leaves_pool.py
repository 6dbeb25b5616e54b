"""Keeps a process pool until the end."""

from concurrent.futures import ProcessPoolExecutor

pool = ProcessPoolExecutor(2)


def square(number):
    return number * number


def start(args, api):
    return list(pool.map(square, range(5)))
