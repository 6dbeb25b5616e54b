"""Returns the length of its input."""


def start(args, api):
    return [type(args["input"][0]).__name__, len(args["input"][0])]
