"""Splits a text into words."""


def start(args, hkubeApi):
    return args["input"][0].split()
