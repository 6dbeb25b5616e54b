"""`python -m wrapper`: serve a worker, or with arguments run the local tools of `wrapper.cli`."""

import sys
from collections.abc import Callable

EXIT_USAGE, EXIT_INTERRUPTED = 2, 130


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    import os

    arguments = sys.argv[1:] if arguments is None else arguments
    if not arguments or arguments == ["serve"]:
        from .supervisor.serve import serve

        return serve(os.environ)
    if arguments[0] == "--algorithm-command" and len(arguments) > 1:
        from .supervisor.serve import serve

        return serve(os.environ, command=arguments[1:])
    if arguments == ["--in-process"]:
        from .in_process.serve import leave_threads, serve_in_process

        return leave_threads(serve_in_process(os.environ))
    if arguments == ["health"]:  # a probe runs every few seconds: import nothing else
        from .supervisor.health import print_health

        return print_health(os.environ)
    return run_command(arguments)


def run_command(arguments: list[str]) -> int:
    """Run one of the local tools; return the exit code."""
    try:
        run_app = _import_tools()
        return run_app(arguments)
    except KeyboardInterrupt:  # while importing a command
        return EXIT_INTERRUPTED
    except ModuleNotFoundError as error:
        print(
            f"the local tools are not installed: {error.name} is missing "
            "(pip install hkube-wrapper)",
            file=sys.stderr,
        )
        return EXIT_USAGE
    except _BrokenTools as error:
        print(
            f"the local tools cannot be loaded: {error} (another package has changed what they "
            "need: pip install --force-reinstall hkube-wrapper)",
            file=sys.stderr,
        )
        return EXIT_USAGE


class _BrokenTools(Exception):
    """An installed package does not work with the local tools."""


def _import_tools() -> Callable[[list[str]], int]:
    try:
        from .cli.app import run_app
    except ModuleNotFoundError:
        raise
    except Exception as error:  # old versions of their dependencies fail in many ways
        raise _BrokenTools(f"{type(error).__name__}: {error}") from error
    return run_app


if __name__ == "__main__":
    from hkube_python_wrapper._import_path import users_last

    users_last()
    sys.exit(main())
