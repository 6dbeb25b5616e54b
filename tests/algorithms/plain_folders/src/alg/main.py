"""Is two folders down, in folders that are not packages."""

import os

from sibling import name


def start(args, api):
    return [name, os.path.basename(os.getcwd())]
