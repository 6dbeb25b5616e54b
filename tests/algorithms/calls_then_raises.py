"""Does not catch the error of a failed call."""


def start(args, api):
    return api.start_stored_subpipeline("sub")
