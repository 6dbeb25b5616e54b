"""Has a module of its own that is called like ours."""

import wrapper


def start(args, api):
    return wrapper.value()
