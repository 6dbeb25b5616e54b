"""`python -m hkube_wrapper`: the command `hkube-wrapper`."""

import sys

from hkube_python_wrapper._launch import command

sys.exit(command())
