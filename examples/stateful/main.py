"""Scores texts with a model that is loaded once and kept for all tasks."""

import json

weights = {}


def initialize(args):
    if not weights:  # initialize runs before every task; the module stays loaded
        with open("weights.json") as file:  # the working directory is this file's folder
            weights.update(json.load(file))
        print("model loaded")


def start(args, hkubeApi):
    return [sum(weights.get(word, 0) for word in text.split()) for text in args["input"]]
