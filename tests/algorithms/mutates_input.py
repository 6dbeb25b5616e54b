"""Changes its input and returns it."""


def start(args, api):
    args["input"].append("more")
    args["nodeName"] = "other"
    args.clear()
    args["seen"] = True
    return args
