"""Who may import whom: compares the imports in the source with the tables below."""

from __future__ import annotations

import ast
import graphlib
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from tests.paths import ROOT

PACKAGE = ROOT / "wrapper"

# A part is a folder of the package, or a module at its root. A row says what a part may import
# besides itself; lower parts come first.
_BASE = {"errors", "ipc", "protocol", "text"}
_SETTINGS = {"config", "log"}
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "log": {"text"},
    "text": set(),
    "ipc": set(),
    "config": {"errors", "log", "text"},
    "protocol": {"errors", "ipc"},
    "storage": {"config", "errors", "protocol", "text"},
    "streaming": {"errors", "protocol", "storage"},
    "supervisor": _BASE
    | _SETTINGS
    | {"storage", "streaming"},  # storage: only in one module, see below
    "algorithm": _BASE | _SETTINGS | {"storage", "streaming"},
    # These modules only start a part.
    "__init__": {"algorithm", "errors"},
    "__main__": {"cli", "in_process", "supervisor"},
    "in_process": {"algorithm", "errors", "supervisor"} | _SETTINGS,
    "algorunner": {"algorithm", "config", "in_process", "ipc"},
}
MAY_IMPORT_EVERYTHING = {"cli", "local", "testing"}

# The supervisor holds results for peers; the algorithm process reads and writes the storage.
SERVES_PEERS = "supervisor/peers/"
MAY_SERVE_PEERS = {f"storage.peers.{name}" for name in ("answers", "handover", "held_results")}

# One runs the shim's file as a command; all need the module that puts the user's folders last.
MAY_IMPORT_THE_SHIM = {
    *("__main__.py", "algorithm/boot.py", "algorunner.py", "local/check/probe_process.py"),
}

# These pass the environment to Config, or to a process that they start.
MAY_READ_THE_ENVIRONMENT = {
    "__main__.py",
    "algorithm/boot.py",  # restores what the supervisor has withheld
    "algorithm/serve.py",
    "algorithm/tracing/trace_scope.py",  # sets TRACEPARENT for child processes
    "algorithm/api/task_metrics.py",  # tells user code where its metrics go
    "algorunner.py",
    "cli/apply.py",
    "cli/health.py",
    "cli/check.py",
    "cli/dev_server.py",
    "cli/run_in_process.py",
    "cli/run_pipeline.py",
    "cli/run_request.py",
    "cli/run_stream.py",
    "cli/serve.py",
    "testing/sessions/process_state.py",  # changes it for an algorithm under test
}

# What the protocol must not use: sockets, threads, processes, clocks.
IMPURE = {
    *("asyncio", "concurrent", "fcntl", "multiprocessing", "queue", "sched", "select", "selectors"),
    *("signal", "socket", "socketserver", "ssl", "subprocess", "tempfile", "threading", "_thread"),
    *("time", "websocket", "websockets"),
}

# These decide what a local pipeline does; others tell them what happened.
PURE_PIPELINE_FOLDERS = ("local/pipeline/descriptor/", "local/pipeline/run/")
PURE_PIPELINE_FILES = {
    "local/pipeline/engine/schedule.py",
    "local/pipeline/show/board.py",
    "local/pipeline/show/lines.py",
    "local/pipeline/show/stream_lines.py",
    "local/pipeline/streaming/actions.py",
    "local/pipeline/streaming/edge_statistics.py",
    "local/pipeline/streaming/levels.py",
    "local/pipeline/streaming/scaling.py",
    "local/pipeline/streaming/stream_run.py",
}

# They decide about the link to the worker, which `worker.py` carries out.
PURE_LINK_FILES = {"supervisor/worker/link.py", "supervisor/worker/back_off.py"}

# Slow to import: import them only in the functions that need them. Start-up is benchmarked.
HEAVY = {
    *("asyncio", "bson", "importlib.metadata", "importlib_metadata", "msgpack", "numpy", "obstore"),
}
MAY_BE_HEAVY = {  # these are imported lazily
    *("protocol/encoding/bson_encoding.py", "protocol/encoding/msgpack_encoding.py"),
}


class Import(NamedTuple):
    """One import of one name.

    Attributes:
        file: the importing file, relative to the package.
        line: the line number.
        module: the imported module: absolute, or for a relative import within the package.
        relative: the import begins with dots.
        at_import: the import runs when the file is imported.
    """

    file: str
    line: int
    module: str
    relative: bool
    at_import: bool

    @property
    def where(self) -> str:
        """The import, for the message of a failure."""
        return f"wrapper/{self.file}:{self.line}: {self.module or 'the package itself'}"

    @property
    def part(self) -> str:
        """The part that the import is in."""
        return part_of(self.file)

    @property
    def target(self) -> str:
        """The part that it imports, if it is relative."""
        return self.module.partition(".")[0] or "__init__"


def part_of(file: str) -> str:
    """Return the part that a file belongs to."""
    return file.partition("/")[0].removesuffix(".py")


def trees() -> Iterator[tuple[str, ast.Module]]:
    """Yield each file of the package with its syntax tree."""
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path.relative_to(PACKAGE).as_posix(), ast.parse(path.read_text(), str(path))


def lazy_nodes(tree: ast.Module) -> set[ast.AST]:
    """Return nodes that do not run on import: functions, and blocks for the type checker."""
    lazy: set[ast.AST] = set()
    for node in ast.walk(tree):
        is_function = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        is_types_only = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        if is_function or is_types_only:
            lazy.update(ast.walk(node))
    return lazy


def imports_of(file: str, tree: ast.Module) -> Iterator[Import]:
    """Yield all imports of a file, wherever they are."""
    lazy = lazy_nodes(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(file, node.lineno, alias.name, False, node not in lazy)
        elif isinstance(node, ast.ImportFrom):
            for name in imported_modules(file, node):
                yield Import(file, node.lineno, name, node.level > 0, node not in lazy)


def imported_modules(file: str, node: ast.ImportFrom) -> list[str]:
    """Return the modules that a `from … import …` imports."""
    if not node.level:
        assert node.module is not None
        return [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    folder = file.split("/")[:-1]
    assert node.level <= len(folder) + 1, f"{file}:{node.lineno} leaves the package"
    base = folder[: len(folder) - node.level + 1]
    if node.module is not None:
        return [".".join([*base, node.module])]
    names = [alias.name for alias in node.names]
    modules = [name for name in names if is_module("/".join([*base, name]))]
    own = [".".join(base)] if len(modules) < len(names) else []
    return own + [".".join([*base, name]) for name in modules]


def is_module(path: str) -> bool:
    """Return whether the package has a module at this path."""
    return (PACKAGE / f"{path}.py").exists() or (PACKAGE / path / "__init__.py").exists()


FILES = list(trees())
IMPORTS = [each for file, tree in FILES for each in imports_of(file, tree)]


def refuse(found: list[Import], rule: str) -> None:
    """Fail with a list of the imports that break a rule, if any."""
    assert not found, "\n".join([rule, *(each.where for each in found)])


def test_imports_are_found() -> None:
    assert len(IMPORTS) > 50


def test_each_part_has_a_row() -> None:
    parts = {part_of(file) for file, _ in FILES}
    assert parts <= set(MAY_IMPORT) | MAY_IMPORT_EVERYTHING, "add the new part to the table above"


def test_parts_import_only_what_they_may() -> None:
    forbidden = [
        each
        for each in IMPORTS
        if each.relative
        and each.part not in MAY_IMPORT_EVERYTHING
        and each.target not in MAY_IMPORT[each.part] | {each.part}
    ]
    refuse(forbidden, "the table in this file does not allow:")


def test_no_two_modules_import_each_other() -> None:
    refuse_circles({each.file: set() for each in IMPORTS}, lambda module: module)


def test_no_two_folders_import_each_other() -> None:
    # A module at the root counts as a folder, because the root has modules of every layer.
    refuse_circles({}, lambda file: file.rpartition("/")[0] or file)


def refuse_circles(graph: dict[str, set[str]], group: Callable[[str], str]) -> None:
    """Fail if groups of files import each other, directly or through others."""
    for each in IMPORTS:
        if each.relative:
            importer, imported = group(each.file), group(file_of(each.module))
            if importer != imported:
                graph.setdefault(importer, set()).add(imported)
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        raise AssertionError(f"these import each other: {' <- '.join(error.args[1])}") from None


def file_of(module: str) -> str:
    """Return the file of a module of the package, relative to the package."""
    path = module.replace(".", "/")
    is_file = (PACKAGE / f"{path}.py").exists()
    return f"{path}.py" if is_file else f"{path}/__init__.py".removeprefix("/")


def test_class_names_are_unique() -> None:
    classes = Counter(
        node.name for _, tree in FILES for node in ast.walk(tree) if isinstance(node, ast.ClassDef)
    )
    shared = {name for name, times in classes.items() if times > 1}
    assert not shared, "several classes with the same name: say which side each is on"


def test_http_client_is_imported_by_the_commands_for_clusters_only() -> None:
    others = [
        each
        for each in IMPORTS
        if each.target == "urllib3" and not each.file.startswith("local/cluster/")
    ]
    refuse(others, "the slim image has no urllib3: only in local/cluster:")
    commands = {"cli/apply.py", "cli/cluster.py", "cli/execute.py"}
    users = [
        each
        for each in IMPORTS
        if each.module.startswith("local.cluster")
        and not each.file.startswith("local/cluster/")
        and (each.at_import or each.file not in commands)
    ]
    refuse(users, "the other commands must not wait for the HTTP client:")


def test_no_folder_has_too_many_modules() -> None:
    modules = Counter(file.rpartition("/")[0] for file, _ in FILES)
    del modules["cli"]  # a file for each command, and what the commands share
    assert max(modules.values()) <= 14, "split the folder by topic"


def test_supervisor_uses_only_the_part_of_storage_that_serves_peers() -> None:
    others = [
        each
        for each in IMPORTS
        if each.part == "supervisor"
        and each.target == "storage"
        and (not each.file.startswith(SERVES_PEERS) or each.module not in MAY_SERVE_PEERS)
    ]
    refuse(others, f"only {SERVES_PEERS}, and only what serves peers:")
    early = [
        each
        for each in IMPORTS
        if each.at_import and each.module in ("supervisor.peers.peers", "storage.task_storage")
    ]
    refuse(early, "mode v1 must not load it: import it only where the mode is v3")


def test_imports_within_the_package_are_relative() -> None:
    names = [each for each in IMPORTS if not each.relative and each.target == "wrapper"]
    refuse(names, "the package may be loaded under another name; use a relative import:")


def test_package_does_not_import_the_shim() -> None:
    shim = [
        each
        for each in IMPORTS
        if not each.relative
        and each.target == "hkube_python_wrapper"
        and each.file not in MAY_IMPORT_THE_SHIM
    ]
    refuse(shim, "hkube_python_wrapper is for users:")


def test_protocol_has_no_io_thread_or_clock() -> None:
    impure = [
        each
        for each in IMPORTS
        if each.part in ("protocol", "streaming") and not each.relative and each.target in IMPURE
    ]
    refuse(impure, "the protocol receives bytes and times, it does not fetch them:")


def test_pipeline_decisions_have_no_io_thread_or_clock() -> None:
    pure = {file for file, _ in FILES if file.startswith(PURE_PIPELINE_FOLDERS)}
    assert len(pure) > len(PURE_PIPELINE_FOLDERS)
    assert {file for file, _ in FILES} >= PURE_PIPELINE_FILES
    impure = [
        each
        for each in IMPORTS
        if each.file in pure | PURE_PIPELINE_FILES and not each.relative and each.target in IMPURE
    ]
    refuse(impure, "a pipeline run receives events, it does not wait for them:")


def test_link_decisions_have_no_io_thread_or_clock() -> None:
    assert {file for file, _ in FILES} >= PURE_LINK_FILES
    impure = [
        each
        for each in IMPORTS
        if each.file in PURE_LINK_FILES and not each.relative and each.target in IMPURE
    ]
    refuse(impure, "the link receives times and events, it does not wait for them:")


def test_heavy_modules_are_imported_where_they_are_needed() -> None:
    heavy = [
        each
        for each in IMPORTS
        if each.at_import
        and each.part not in MAY_IMPORT_EVERYTHING
        and each.file not in MAY_BE_HEAVY
        and (each.module in HEAVY or each.target in HEAVY)
        and not each.relative
    ]
    refuse(heavy, "import it in the function that needs it:")


def test_environment_is_read_only_where_allowed() -> None:
    readers = {file for file, tree in FILES if any(map(reads_environment, ast.walk(tree)))}
    assert readers == MAY_READ_THE_ENVIRONMENT


def reads_environment(node: ast.AST) -> bool:
    """Return whether a node uses os.environ or a similar name."""
    names = {"environ", "environb", "getenv", "getenvb", "putenv", "unsetenv"}
    if isinstance(node, ast.Attribute):
        return node.attr in names and isinstance(node.value, ast.Name) and node.value.id == "os"
    if isinstance(node, ast.ImportFrom):
        return node.module == "os" and any(alias.name in names for alias in node.names)
    return False


@pytest.mark.parametrize(
    "module, unwanted",
    [
        ("wrapper", "dataclasses inspect logging asyncio json"),
        (
            "wrapper.config.settings",
            "dataclasses inspect logging asyncio json urllib.parse pathlib socket",
        ),
        ("wrapper.log", "dataclasses inspect logging asyncio json select threading"),
    ],
)
def test_modules_of_every_start_import_little(module: str, unwanted: str) -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); before = set(sys.modules); "
        f"import {module}; print(*set(sys.modules) - before)"
    )
    # -I and -S: .pth files of this installation may import more.
    command = [sys.executable, "-I", "-S", "-c", code]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert module in loaded
    assert not set(loaded) & set(unwanted.split())
