"""Returns its input."""


def start(args, api):
    return args["input"]
