"""Works until the file `go` exists; `begun` and `finished` show its progress."""

import os
import time


def mark(name):
    with open(name, "w") as file:
        file.write("yes")


def initialize(args):
    if args["input"][0] == "initialize":
        mark("begun")
        while not os.path.exists("go"):
            time.sleep(0.02)


def start(args, api):
    if args["input"][0] != "wait":
        return args["input"][0]
    mark("begun")
    while not os.path.exists("go"):
        time.sleep(0.02)
    mark("finished")
    return "waited"
