"""Has HKube's documented `initialize` and keeps its arguments."""

seen = []


def initialize(args):
    seen.append(args["input"])


def start(args, api):
    return seen
