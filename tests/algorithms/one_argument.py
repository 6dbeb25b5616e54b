"""Its start takes only the job."""


def start(args):
    return args["input"][0]
