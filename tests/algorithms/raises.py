"""Raises the exception that its input names."""


class SilentError(Exception):
    def __str__(self):
        raise RuntimeError("no text for you")


def deeper(kind):
    if kind == "key":
        return {}["the-key"]
    if kind == "huge":
        raise ValueError("x" * 5_000_000)
    if kind == "silent":
        raise SilentError
    if kind == "empty":
        raise ValueError
    if kind == "chained":
        try:
            int("seven")
        except ValueError as error:
            raise LookupError("no such number") from error
    if kind == "interrupt":
        raise KeyboardInterrupt
    if kind == "exit-class":
        raise GeneratorExit("odd")
    if kind == "unicode":
        raise ValueError("naïve \ud800 \x00 ☃")
    if kind == "memory":
        return [0] * 10**17
    if kind == "group":
        raise ExceptionGroup("several", [ValueError("one"), TypeError("two")])
    if kind == "import":
        import package_that_is_nowhere
    return "fine"


def start(args, api):
    return deeper(args["input"][0])
