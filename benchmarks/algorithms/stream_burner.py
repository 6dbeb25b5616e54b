"""Sends messages of a size, then computes in Python without a pause."""


def start(args, hkube_api):
    count, size = args["input"]
    value = b"x" * size
    for _ in range(count):
        hkube_api.sendMessage(value)
    number = 0
    while True:
        number += 1
