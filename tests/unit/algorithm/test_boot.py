"""Which name the package is loaded under, in fresh interpreters."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.paths import ROOT
from wrapper.algorithm import boot

# As the supervisor does it: the file by its path, and nothing of the package importable by name.
LOAD = f"""
import importlib.util, os, sys
spec = importlib.util.spec_from_file_location("boot", {boot.__file__!r})
boot = importlib.util.module_from_spec(spec)
spec.loader.exec_module(boot)
"""


def run(script: str, folder: Path, *arguments: str) -> str:
    """What a script prints that runs in a folder, with that folder first in sys.path."""
    path = folder / "script.py"
    path.write_text(LOAD + textwrap.dedent(script))
    done = subprocess.run(
        [sys.executable, str(path), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_package_keeps_its_name_if_it_is_free(tmp_path: Path) -> None:
    out = run("print(boot.load_package([os.getcwd()]), 'wrapper' in sys.modules)", tmp_path)

    assert out == "wrapper True"


@pytest.mark.parametrize("file", ["wrapper.py", "wrapper/__init__.py"])
def test_a_users_wrapper_keeps_its_name(tmp_path: Path, file: str) -> None:
    path = tmp_path / file
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine = 'the user\\'s'\n")

    out = run(
        """
        print(boot.load_package([os.getcwd()]))
        import wrapper
        print(wrapper.mine)
        """,
        tmp_path,
    )

    assert out == "_hkube_wrapper\nthe user's"


def test_any_of_the_folders_may_contain_it(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "wrapper.py").write_text("")

    out = run("print(boot.load_package([os.getcwd(), 'inner']))", tmp_path)

    assert out == "_hkube_wrapper"


def test_the_packages_own_folder_does_not_count(tmp_path: Path) -> None:
    out = run(f"print(boot.load_package([{str(ROOT)!r}, {str(ROOT / 'wrapper')!r}]))", tmp_path)

    assert out == "wrapper"


@pytest.mark.parametrize("name", ["wrapper", "_hkube_wrapper"])
def test_all_modules_work_under_either_name(tmp_path: Path, name: str) -> None:
    if name == "_hkube_wrapper":
        (tmp_path / "wrapper.py").write_text("raise ImportError('not for you')\n")
    modules = [
        ".".join(path.relative_to(ROOT / "wrapper").with_suffix("").parts)
        for path in sorted((ROOT / "wrapper").rglob("*.py"))
        if path.name not in ("__init__.py", "__main__.py")
    ]
    out = run(
        f"""
        import importlib
        name = boot.load_package([os.getcwd()])
        for module in {modules!r}:
            importlib.import_module(f"{{name}}.{{module}}")
        other = {{"wrapper", "_hkube_wrapper"}} - {{name}}
        strangers = [each for each in sys.modules if each.partition(".")[0] in other]
        print(name, strangers)
        """,
        tmp_path,
    )

    assert out == f"{name} []"


def test_it_is_loaded_once(tmp_path: Path) -> None:
    out = run(
        """
        boot.load_package([])
        first = sys.modules["wrapper"]
        boot.load_package([])
        print(sys.modules["wrapper"] is first)
        """,
        tmp_path,
    )

    assert out == "True"


def test_modules_beside_boot_do_not_hide_the_users_modules(tmp_path: Path) -> None:
    """A script's folder comes first in sys.path: `import api` would find the wrapper's."""
    out = run(
        """
        own = os.path.dirname(boot.__file__)
        sys.path.insert(0, own)
        def serve_module(before_loading):
            before_loading()
            print(own in sys.path, sys.argv[1:])
        import types
        boot.load_package = lambda folders: print(folders) or "fake"
        sys.modules["fake.algorithm.serve"] = types.SimpleNamespace(serve_module=serve_module)
        boot.main([os.getcwd(), "missing"])
        """,
        tmp_path,
        "an argument",
    )

    assert out == f"[{str(tmp_path)!r}]\nFalse []"


def test_started_again_by_multiprocessing_it_does_nothing(tmp_path: Path) -> None:
    out = run("import runpy; runpy.run_path(boot.__file__, run_name='__mp_main__')", tmp_path)

    assert out == ""


def test_builtins_that_user_code_replaces_do_not_reach_us(tmp_path: Path) -> None:
    out = run(
        """
        import builtins, importlib
        name = boot.load_package([])
        sys.meta_path.insert(0, boot.OwnFinder(name))
        frames = importlib.import_module(f"{name}.ipc.frames")
        bare = importlib.import_module(f"{name}.protocol.messages.bare")
        length = builtins.len
        builtins.len = lambda x: 0
        message = bare.control_message("done", "msgpack")
        builtins.len = length
        print(message, frames.header.__builtins__ is not vars(builtins))
        """,
        tmp_path,
    )

    assert out == "b'\\x81\\xa7command\\xa4done' True"
