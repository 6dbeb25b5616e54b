from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.paths import ROOT
from tests.unit.algorithm.loading.user_code import refusal, started, write
from wrapper.algorithm.loading.loader import EntryPoint, load

NAMES = "def start(args):\n    return __name__\n"


@pytest.mark.parametrize("target", ["main.py", "main"])
def test_a_top_level_module_has_its_plain_name(folder: Path, target: str) -> None:
    write(folder, main=NAMES)
    assert started(folder, target) == "main"


@pytest.mark.parametrize("target", ["src/alg/main.py", "src.alg.main", "./src/alg/main"])
@pytest.mark.parametrize("init", [True, False])
def test_a_nested_module_has_its_dotted_name(folder: Path, target: str, init: bool) -> None:
    write(folder, src__alg__main=NAMES)
    if init:
        (folder / "src/__init__.py").touch()
        (folder / "src/alg/__init__.py").touch()
    assert started(folder, target) == "src.alg.main"


@pytest.mark.parametrize("init", [True, False])
def test_every_way_to_import_a_neighbour_works(folder: Path, init: bool) -> None:
    write(
        folder,
        src__alg__main="""
import helper
import top
from . import helper as relative
from .helper import x
from ..common import y
from src.alg import helper as absolute

def start(args):
    return x, y, top.z, helper.x, relative is absolute
""",
        src__alg__helper="x = 1",
        src__common="y = 2",
        top="z = 3",
    )
    if init:
        (folder / "src/__init__.py").touch()
        (folder / "src/alg/__init__.py").touch()
    assert started(folder, "src/alg/main.py") == (1, 2, 3, 1, True)


def test_packages_above_are_executed(folder: Path) -> None:
    write(folder, src__main="import src\ndef start(args):\n    return src.told\n")
    (folder / "src/__init__.py").write_text("told = 'executed'")
    assert started(folder, "src.main") == "executed"


def test_a_package_folder_is_loaded(folder: Path) -> None:
    write(folder, alg__helper="x = 1")
    (folder / "alg/__init__.py").write_text(
        "from .helper import x\nimport helper\ndef start(args):\n    return __name__, x\n"
    )
    assert started(folder, "alg") == ("alg", 1)
    assert os.getcwd() == str(folder / "alg")


def test_relative_imports_at_the_top_make_a_package_of_the_folder(folder: Path) -> None:
    write(
        folder,
        main="from .helper import x\nfrom . import helper\n"
        "def start(a): return __name__, x, helper.__name__",
        helper="x = 1",
    )
    assert started(folder) == ("algo.main", 1, "algo.helper")


def test_the_package_of_the_folder_has_its_init_executed(folder: Path) -> None:
    write(folder, main="from . import told\ndef start(args):\n    return told\n")
    (folder / "__init__.py").write_text("told = 'executed'")
    assert started(folder) == "executed"


def test_the_package_of_the_folder_is_the_one_that_python_knows(folder: Path) -> None:
    write(
        folder,
        main="from . import helper\nimport algo.helper\n"
        "def start(a):\n    return helper is algo.helper",
        helper="",
    )
    assert started(folder) is True


def test_a_taken_folder_name_is_replaced(folder: Path) -> None:
    base = folder / "json"
    write(
        base, main="from . import helper\ndef start(args):\n    return helper.__name__", helper=""
    )
    assert started(base) == "algorithm_unique_folder.helper"
    assert sys.modules["json"].__name__ == "json"


def test_a_subfolder_may_have_the_folders_name(folder: Path) -> None:
    write(
        folder, main="from .algo.deep import x\ndef start(args):\n    return x", algo__deep="x = 1"
    )
    assert started(folder) == 1


@pytest.mark.parametrize("name", ["my-algo", "v1.2", "class", "algorithm_unique_folder"])
def test_any_folder_name_works(folder: Path, name: str) -> None:
    base = folder / name
    write(
        base,
        main="from . import helper\nfrom .helper import x\ndef start(a): return x",
        helper="x = 1",
    )
    assert started(base) == 1


def test_two_folders_of_the_same_name_do_not_mix(folder: Path) -> None:
    for number, base in enumerate([folder / "a/my-algo", folder / "b/my-algo"]):
        write(base, main="from .helper import x\ndef start(a): return x", helper=f"x = {number}")
        assert started(base) == number


def test_the_folders_own_init_can_be_the_module(folder: Path) -> None:
    write(folder, helper="x = 1")
    (folder / "__init__.py").write_text("from .helper import x\ndef start(a): return __name__, x")
    assert started(folder, "__init__.py") == ("algo", 1)
    assert started(folder, ".") == ("algo", 1)


def test_relative_imports_above_the_dotted_name_work(folder: Path) -> None:
    write(folder, src__main="from ..top import x\ndef start(args):\n    return x", top="x = 1")
    assert started(folder, "src/main.py") == 1


def test_a_relative_import_inside_a_string_changes_nothing(folder: Path) -> None:
    write(folder, main='"""from . import x"""\n# from .a import b\n' + NAMES)
    assert started(folder) == "main"


@pytest.mark.parametrize(
    "line", ["from.helper import x", "from  . helper import x", "from \\\n .helper import x"]
)
def test_unusual_relative_imports_are_recognized(folder: Path, line: str) -> None:
    write(folder, main=f"{line}\ndef start(args):\n    return x", helper="x = 1")
    assert started(folder) == 1


@pytest.mark.parametrize(
    ("file", "name"),
    [("my-alg/main", "my-alg.main"), ("v1.2/main", "algo.v1_2.main"), ("main.v2", "algo.main_v2")],
)
def test_folders_and_files_of_any_name_are_loaded(folder: Path, file: str, name: str) -> None:
    path = folder / f"{file}.py"
    path.parent.mkdir(exist_ok=True)
    (path.parent / "helper.py").write_text("")
    path.write_text("from . import helper\nimport helper\n" + NAMES)
    assert started(folder, f"{file}.py") == name


@pytest.mark.parametrize("name", ["json", "os", "sys", "random", "numpy", "pytest", "__main__"])
def test_a_name_that_is_taken_does_not_hide_the_users_file(folder: Path, name: str) -> None:
    __import__(name)
    before = sys.modules[name]
    (folder / f"{name}.py").write_text(
        "import json\ndef start(args):\n    return json.dumps(args), __name__\n"
    )
    assert started(folder, f"{name}.py", data=[1]) == ("[1]", f"algo.{name}")
    assert sys.modules[name] is before


def test_a_module_of_python_is_loaded_before_the_users_of_its_name(folder: Path) -> None:
    sys.modules.pop("colorsys", None)
    (folder / "colorsys.py").write_text(
        "import colorsys\ndef start(args):\n    return colorsys.ONE_THIRD > 0"
    )
    assert started(folder, "colorsys.py") is True


def test_a_module_of_python_with_effects_is_not_loaded(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder, this=NAMES)
    assert started(folder, "this.py") == "this"
    assert capsys.readouterr().out == ""


def test_a_module_that_is_not_loaded_yet_keeps_its_plain_name(folder: Path) -> None:
    write(folder, websockets_of_mine=NAMES)
    assert started(folder, "websockets_of_mine") == "websockets_of_mine"


@pytest.mark.parametrize("top", ["json", "test", "numpy"])
def test_a_folder_whose_name_is_taken_is_loaded(folder: Path, top: str) -> None:
    write(folder / top, main="from . import helper\ndef start(a): return helper.x", helper="x = 1")
    assert started(folder, f"{top}/main.py") == 1


def test_a_file_beside_a_folder_of_its_name(folder: Path) -> None:
    write(folder, src="", src__main="from .helper import x\n" + NAMES, src__helper="x = 1")
    assert started(folder, "src/main.py") == "algo.src.main"


def test_a_file_beside_a_folder_of_its_name_further_down(folder: Path) -> None:
    write(folder, src__alg="1 / 0", src__alg__main="from . import h\n" + NAMES, src__alg__h="")
    assert started(folder, "src/alg/main.py") == "algo.src.alg.main"


def test_a_file_beside_a_package_of_its_name_further_down(folder: Path) -> None:
    write(folder, src__main="from .helper import x\n" + NAMES, src__helper="x = 1")
    (folder / "src/main").mkdir()
    (folder / "src/main/__init__.py").touch()
    assert started(folder, "src/main.py") == "src.main"


def test_a_standard_module_missing_on_this_machine_hides_nothing(folder: Path) -> None:
    write(folder, winreg=NAMES)
    assert started(folder, "winreg.py") == "winreg"


def test_a_failing_finder_is_ignored(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Finder:
        def find_spec(self, name: str, *rest: Any) -> None:
            if name == "algo":
                raise RuntimeError(name)

    monkeypatch.setattr(sys, "meta_path", [Finder(), *sys.meta_path])
    write(folder, main="from . import h\n" + NAMES, h="")
    assert started(folder) == "algo.main"


def test_a_loaded_module_with_odd_attributes_is_ignored(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, main=NAMES)
    with monkeypatch.context() as patch:
        for name in ("main", "algo"):
            odd = ModuleType(name)
            vars(odd).update(__file__="/no/such/file", __path__=5)
            patch.setitem(sys.modules, name, odd)
        assert started(folder) == "algorithm_unique_folder.main"


def test_a_syntax_error_beside_a_relative_import_is_reported(folder: Path) -> None:
    write(folder, main="from . import h\ndef f(:\n", h="")
    assert refusal(folder) == "main.py:2 is not valid Python: invalid syntax: def f(:"


def test_a_file_beside_a_package_of_its_name(folder: Path) -> None:
    write(folder, main=NAMES, main____init__="")
    (folder / "main").mkdir(exist_ok=True)
    (folder / "main/__init__.py").touch()
    assert started(folder, "main.py") == "algo.main"


def test_an_import_inside_start_finds_the_users_files(folder: Path) -> None:
    write(folder, src__main="def start(a):\n    import late\n    return late.x", src__late="x = 1")
    assert started(folder, "src.main") == 1


def test_a_module_may_replace_itself(folder: Path) -> None:
    write(
        folder,
        main="import sys\nclass Me:\n    def start(self, a): return 'me'\n"
        "sys.modules[__name__] = Me()",
    )
    assert started(folder) == "me"


def test_a_compiled_module_is_loaded(folder: Path) -> None:
    import py_compile

    write(folder, main=NAMES)
    py_compile.compile(str(folder / "main.py"), cfile=str(folder / "main.pyc"), doraise=True)
    (folder / "main.py").unlink()
    assert started(folder, "main.py") == "main"


def test_a_compiled_package_is_loaded_under_a_taken_name(folder: Path) -> None:
    import py_compile

    (folder / "json").mkdir()
    (folder / "json/x.py").write_text(NAMES)
    py_compile.compile(
        str(folder / "json/x.py"), cfile=str(folder / "json/__init__.pyc"), doraise=True
    )
    assert started(folder, "json") == "algo.json"


def test_the_functions_can_be_pickled_by_name(folder: Path) -> None:
    write(folder, src__main="def job(): return 1\ndef start(a):\n    return job")
    job = started(folder, "src/main.py")
    assert pickle.loads(pickle.dumps(job)) is job


def test_declared_latin_1_is_read(folder: Path) -> None:
    (folder / "main.py").write_bytes(b"# -*- coding: latin-1 -*-\ndef start(a): return '\xe9'\n")
    assert started(folder) == "\xe9"


def test_a_byte_order_mark_is_accepted(folder: Path) -> None:
    (folder / "main.py").write_bytes(b"\xef\xbb\xbffrom . import h\n" + NAMES.encode())
    write(folder, h="")
    assert started(folder) == "algo.main"


def test_it_is_imported_once(folder: Path) -> None:
    write(
        folder, main="import os\nos.environ['LOADS'] = os.environ.get('LOADS', '') + 'x'\n" + NAMES
    )
    os.environ.pop("LOADS", None)
    first, second = load(EntryPoint(folder, "main")), load(EntryPoint(folder, "main.py"))
    assert os.environ.pop("LOADS") == "x"
    assert first.start(None, None) == second.start(None, None)


def test_it_is_imported_once_as_part_of_a_package(folder: Path) -> None:
    write(
        folder,
        main="from . import h\nh.loads.append(1)\ndef start(a): return h.loads",
        h="loads = []",
    )
    assert started(folder) == [1]
    assert started(folder) == [1]


def test_warnings_are_not_reported_twice(folder: Path) -> None:
    write(folder, main="from . import h\nx = '\\d'\n" + NAMES, h="")
    code = (
        "from pathlib import Path\n"
        "from wrapper.algorithm.loading.loader import EntryPoint, load\n"
        f"load(EntryPoint(Path({str(folder)!r}), 'main.py'))\n"
    )
    path = str(ROOT)
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", code],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr.count("invalid escape sequence") == 1


# The working directory and the path


def test_the_modules_folder_is_the_working_directory(folder: Path) -> None:
    write(
        folder,
        src__main="from pathlib import Path\nmodel = Path('model.txt').read_text()\n"
        "def start(a): return model",
    )
    (folder / "src/model.txt").write_text("weights")
    algorithm = load(EntryPoint(folder, "src/main.py"))
    assert algorithm.start(None, None) == "weights"
    assert algorithm.folder == folder / "src" == Path.cwd()
    assert algorithm.base == folder


def test_the_modules_folder_comes_before_the_algorithms(folder: Path) -> None:
    started_in = os.getcwd()
    write(folder, src__main=NAMES)
    load(EntryPoint(folder, "src/main.py"))
    assert sys.path[:2] == [str(folder / "src"), str(folder)]
    assert started_in in sys.path
    load(EntryPoint(folder, "src/main.py"))
    assert sys.path.count(str(folder)) == sys.path.count(str(folder / "src")) == 1


def test_code_may_import_by_the_name_of_its_folder(folder: Path) -> None:
    # HKube's image starts in the folder above "algorithm_unique_folder".
    write(folder, main="from algo.helper import x\ndef start(a): return x", helper="x = 1")
    assert started(folder) == 1


def test_a_relative_folder_starts_at_the_first_working_directory(folder: Path) -> None:
    write(folder, main="import sys\ndef start(a): return sys.path[0]")
    os.chdir(folder.parent)
    assert started(Path("algo")) == str(folder)
