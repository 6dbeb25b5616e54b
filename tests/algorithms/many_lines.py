"""Prints many lines; the final one has no line end."""


def start(args, api):
    for number in range(args["input"][0]):
        print(f"line {number}")
    print("the last line", end="")
