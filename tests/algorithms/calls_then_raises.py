"""Lets a failed call end the task."""


def start(args, api):
    return api.start_stored_subpipeline("sub")
