"""Its initialize raises when it is told to."""


def initialize(args):
    if args["input"][0] == "bad":
        raise ValueError("not initialized today")


def start(args, api):
    return "fine"
