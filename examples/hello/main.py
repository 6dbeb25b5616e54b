"""Greets whoever the first input names."""


def start(args, hkubeApi):
    name = args["input"][0]
    return {"greeting": f"Hello, {name}!"}
