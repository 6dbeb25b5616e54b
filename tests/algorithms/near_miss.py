"""Its start is misspelt."""


def strat(args, api):
    return 1
