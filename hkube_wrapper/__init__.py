"""The distribution's name, for `python -m hkube_wrapper`: the command `hkube-wrapper`."""
