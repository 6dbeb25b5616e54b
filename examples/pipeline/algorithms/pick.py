"""Picks the item with the highest score."""


def start(args, hkubeApi):
    items, scores = args["input"]
    return items[scores.index(max(scores))]
