"""`python -m wrapper`: serve a worker, or with arguments run the local tools of `wrapper.cli`."""

import sys

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
    import os

    try:
        from .cli.project_options import has_project_options
        from .cli.run_options import read_usual_options

        options = read_usual_options(arguments, os.environ)
        if options is not None and has_project_options():  # Typer knows how to combine the two
            options = None
        if options is not None:
            from .cli.run_command import run_without_typer

            return run_without_typer(options)
        from .cli.app import run_app

        return run_app(arguments)
    except KeyboardInterrupt:  # while importing a command
        return EXIT_INTERRUPTED
    except ModuleNotFoundError as error:
        package, dot, _ = (error.name or "").partition(".")
        if dot and package in sys.modules:  # it is there, but not as they need it
            return _report_broken(error)
        print(
            f"the local tools are not installed: {error.name} is missing "
            "(pip install hkube-wrapper)",
            file=sys.stderr,
        )
        return EXIT_USAGE
    except Exception as error:  # old versions of their dependencies fail in many ways
        if not _comes_from_an_import(error):
            raise
        return _report_broken(error)


def _comes_from_an_import(error: BaseException) -> bool:
    """Return whether an error was raised while a module was being imported."""
    traceback = error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_name == "<module>":
            return True
        traceback = traceback.tb_next
    return False


def _report_broken(error: BaseException) -> int:
    print(
        f"the local tools cannot be loaded: {type(error).__name__}: {error} (another package has "
        "changed what they need: pip install --force-reinstall hkube-wrapper)",
        file=sys.stderr,
    )
    return EXIT_USAGE


if __name__ == "__main__":
    from hkube_python_wrapper._import_path import users_last
    from hkube_python_wrapper._instrumentation import leave_instrumentation
    from hkube_python_wrapper._launch import without_inspection

    without_inspection()
    leave_instrumentation(sys.argv[1:])
    users_last()
    sys.exit(main())
