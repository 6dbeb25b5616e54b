"""Has the published wrapper's `init`."""

seen = []


def init(args):
    seen.append(args["input"])


def start(args, api):
    return seen
