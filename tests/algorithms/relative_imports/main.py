"""Imports the modules beside it by relative names."""

from .helper import two
from .inner.deeper import three


def start(args, api):
    return two() + three()
