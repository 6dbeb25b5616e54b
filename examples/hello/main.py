"""Greets the person named in the first input."""


def start(args, hkubeApi):
    name = args["input"][0]
    return {"greeting": f"Hello, {name}!"}
