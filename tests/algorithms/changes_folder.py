"""Changes its working directory, relative to where it is."""

import os


def start(args, api):
    before = os.getcwd()
    os.makedirs("elsewhere", exist_ok=True)
    os.chdir("elsewhere")
    return [before, os.getcwd()]
