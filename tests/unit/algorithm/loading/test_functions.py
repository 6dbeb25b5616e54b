from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from wrapper.algorithm.loading.functions import UserFunctions, functions_of
from wrapper.errors import LoadError

START = "def start(args): return args\n"


def module_of(source: str) -> ModuleType:
    module = ModuleType("main")
    exec(compile(source, __file__, "exec"), module.__dict__)
    return module


def selected(source: str) -> UserFunctions:
    return functions_of(module_of(START + source), "main.py", (START + source).encode())


def refusal(source: str) -> str:
    with pytest.raises(LoadError) as caught:
        functions_of(module_of(source), "main.py", source.encode())
    return str(caught.value)


def called(function: Any) -> Any:
    assert function is not None
    return function("data")


@pytest.mark.parametrize("name", ["initialize", "init"])
def test_either_name_of_initialize_works(name: str) -> None:
    assert called(selected(f"def {name}(args): return args").initialize) == "data"
    assert called(selected(f"def {name}(): return 'called'").initialize) == "called"


def test_initialize_takes_precedence_over_init() -> None:
    functions = selected("def initialize(a): return 'initialize'\ndef init(a): return 'init'")
    assert called(functions.initialize) == "initialize"
    assert functions.remarks == ()


def test_an_unusable_initialize_falls_back_to_init() -> None:
    functions = selected("def initialize(a, b): pass\ndef init(a): return 'init'")
    assert called(functions.initialize) == "init"
    assert functions.remarks == ()


@pytest.mark.parametrize("name", ["initialize", "init", "stop", "exit"])
def test_a_helper_of_the_same_name_is_not_called_but_reported(name: str) -> None:
    functions = selected(f"def {name}(engine, timeout): raise AssertionError")
    assert functions == UserFunctions(functions.start, remarks=functions.remarks)
    assert functions.remarks == (
        (
            f"{name}(engine, timeout) in main.py is not called by HKube:"
            f" expected {name}() or {name}(args)"
        ),
    )


@pytest.mark.parametrize(
    "source",
    [
        "from sys import exit",
        "from builtins import exit",
        "from builtins import quit as stop",
        "from os import *",
        "from os import abort as exit",
        "from os import kill as stop",
        "from os import fsencode as init",
        "from asyncio import Event as stop",
        "from json import loads as initialize",
        "import sys as exit",
        "stop = False",
        "init = None",
        "exit = 'yes'",
        "initialize = {}",
    ],
)
def test_an_imported_function_is_not_used(source: str) -> None:
    functions = selected(source)
    assert (functions.initialize, functions.stop, functions.exit) == (None, None, None)
    assert functions.remarks == ()


@pytest.mark.parametrize(
    "source",
    [
        "def stop(args): return 'stopped'",
        "stop = lambda: 'stopped'",
        "from functools import partial\nstop = partial(lambda text, args: text, 'stopped')",
        "from functools import lru_cache\n@lru_cache\ndef stop(args): return 'stopped'",
        "class Stop:\n    def __call__(self): return 'stopped'\nstop = Stop()",
        "class Alg:\n    def stop(self, args): return 'stopped'\nstop = Alg().stop",
        "class Alg:\n    @staticmethod\n    def stop(): return 'stopped'\nstop = Alg.stop",
        "stop = ['stopped'].pop",
        "import io\nstop = io.StringIO('stopped').getvalue",
    ],
)
def test_a_function_meant_for_hkube_is_used(source: str) -> None:
    stop = selected(source).stop
    assert stop is not None
    assert stop(0) == "stopped"


def test_a_builtin_method_can_be_the_stop_function() -> None:
    module = module_of(START + "import threading\nevent = threading.Event()\nstop = event.set")
    called(functions_of(module, "main.py", b"").stop)
    assert module.event.is_set()


def test_a_function_of_a_module_named_like_a_standard_one_is_used() -> None:
    module = module_of(START + "def stop(): return 'stopped'")
    module.stop.__module__ = "json"
    assert called(functions_of(module, "main.py", b"").stop) == "stopped"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("def strat(a): pass", "it has 'strat': did you mean 'start'?"),
        ("def Start(a): pass", "it has 'Start': did you mean 'start'?"),
        (
            "def run(a): pass\nclass Model: pass\n_x = print",
            "it has 'run', 'Model'; expected start(args) or start(args, hkubeApi)",
        ),
        (
            "import os\nfrom json import loads\nfrom pathlib import Path\nx = 1",
            "it defines no functions; expected start(args) or start(args, hkubeApi)",
        ),
        ("\n".join(f"def f{n}(): pass" for n in range(12)), "'f6', 'f7' and 4 more; expected"),
    ],
)
def test_a_missing_start_is_reported_with_the_functions_found(source: str, text: str) -> None:
    assert refusal(source).startswith(
        f"main.py has no function 'start'; {text}"
    ) or text in refusal(source)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (
            "class Algo:\n    def start(self, args): pass",
            "it is a method of the class 'Algo' (line 2); add the line: start = Algo().start",
        ),
        (
            "if __name__ == '__main__':\n    async def start(args): pass",
            "it is defined under if __name__ == '__main__': (line 2); move it out of there",
        ),
        (
            "def main():\n    def start(args): pass",
            "it is defined under another block (line 2); move it out of there",
        ),
    ],
)
def test_a_misplaced_start_is_reported(source: str, text: str) -> None:
    assert refusal(source) == f"main.py has no function 'start' at its top level: {text}"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("start = {}", "'start' in main.py is a dict, not a function; expected start(args) or"),
        ("start = None", "'start' in main.py is None, not a function; expected"),
        ("def start(): pass", "'start' in main.py is start(), which takes no argument; expected"),
        (
            "def start(a, b, c): pass",
            "'start' in main.py is start(a, b, c), which needs 3 arguments; expected",
        ),
        (
            "def start(*, a, b): pass",
            "'start' in main.py is start(*, a, b), which has arguments that can only be passed by",
        ),
        ("def start(**k): pass", "'start' in main.py is start(), which takes no argument"),
    ],
)
def test_an_unusable_start_is_refused(source: str, text: str) -> None:
    assert refusal(source).startswith(text)


def test_a_module_may_create_start_on_demand() -> None:
    module = module_of(
        "def __getattr__(name):\n    if name == 'start': return str\n    raise AttributeError"
    )
    assert functions_of(module, "main.py", b"").start("data", "api") == "data"
