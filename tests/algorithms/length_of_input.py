"""Says how long its input is."""


def start(args, api):
    return [type(args["input"][0]).__name__, len(args["input"][0])]
