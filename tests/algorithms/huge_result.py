"""Returns text of the size that its input gives."""


def start(args, api):
    return "x" * args["input"][0]
