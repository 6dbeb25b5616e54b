"""Its initialize raises an exception if its input says so."""


def initialize(args):
    if args["input"][0] == "bad":
        raise ValueError("not initialized today")


def start(args, api):
    return "fine"
