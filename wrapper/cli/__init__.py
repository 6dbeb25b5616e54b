"""The command `hkube-wrapper`: try, test and package algorithms without a cluster.

Only the local tools import Typer and rich; the wrapper in a container runs without them.
"""
