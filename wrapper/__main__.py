"""`python -m wrapper`: serve a worker; with arguments, the rest of the command line."""

from __future__ import annotations

import sys

USAGE = """\
usage: python -m wrapper                 serve the module that the environment names
       python -m wrapper --in-process    the same in one process, for a debugger's breakpoints
       python -m wrapper --version

To try an algorithm on this machine, with no HKube: python -m wrapper.local PATH --input '[...]'

The settings are environment variables: see docs/configuration.md.
"""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    import os

    arguments = sys.argv[1:] if arguments is None else arguments
    if not arguments:
        from .supervisor.serve import serve

        return serve(os.environ)
    if arguments[0] == "--algorithm-command" and len(arguments) > 1:
        from .supervisor.serve import serve

        return serve(os.environ, command=arguments[1:])
    if arguments == ["--in-process"]:
        from .inprocess import serve_in_process

        return serve_in_process(os.environ)
    if arguments == ["--version"]:
        from . import __version__

        print(__version__)
        return 0
    if arguments[0] in ("-h", "--help"):
        print(USAGE, end="")
        return 0
    print(f"unknown argument {arguments[0]!r}\n{USAGE}", end="", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
