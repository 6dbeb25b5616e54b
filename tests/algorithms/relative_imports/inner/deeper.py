from ..helper import two


def three():
    return two() + 1
