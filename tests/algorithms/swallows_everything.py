"""Catches everything and continues; it has no `stop`."""


def start(args, api):
    if args["input"][0] != "stick":
        return "free"
    print("waiting", flush=True)
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass
