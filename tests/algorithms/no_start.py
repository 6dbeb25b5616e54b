"""Has no start."""


def run(args, api):
    return 1
