"""`python -m hkube_python_wrapper`: the same as the command `hkube-wrapper`."""

import sys

from ._launch import command

sys.exit(command())
