"""A start that takes the job only."""


def start(args):
    return args["input"][0]
