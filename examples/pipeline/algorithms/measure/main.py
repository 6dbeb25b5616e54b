"""Measures one word; the node creates a task for each word."""


def start(args, hkubeApi):
    return len(args["input"][0])
