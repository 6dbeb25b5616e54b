"""Has HKube's documented `initialize` and keeps what it was given."""

seen = []


def initialize(args):
    seen.append(args["input"])


def start(args, api):
    return seen
