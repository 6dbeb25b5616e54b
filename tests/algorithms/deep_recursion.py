"""Recurses without limit."""


def dive(depth):
    return dive(depth + 1)


def start(args, api):
    return dive(0) if args["input"][0] == "dive" else "dry"
