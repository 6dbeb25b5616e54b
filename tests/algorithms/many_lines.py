"""Prints many lines, then the last without an end."""


def start(args, api):
    for number in range(args["input"][0]):
        print(f"line {number}")
    print("the last line", end="")
