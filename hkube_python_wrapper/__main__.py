"""`python -m hkube_python_wrapper`: the command `hkube-wrapper`."""

import sys

from ._launch import command

sys.exit(command())
