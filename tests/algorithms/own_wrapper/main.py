"""Has its own module with the name of ours."""

import wrapper


def start(args, api):
    return wrapper.value()
