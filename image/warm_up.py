"""Imports the modules that the wrapper's processes import, and those that most algorithms import.

Python then writes their bytecode into the image, which a container's user could not do.
"""

from __future__ import annotations

import importlib
import pkgutil

import wrapper

# The wrapper imports these within functions, so importing its modules does not import them.
LIBRARIES = """
    bson msgpack msgspec.json obstore.store ormsgpack orjson watchfiles websocket yaml
    importlib_metadata._adapters zipp.compat.overlay zipp.glob
    packaging.requirements packaging.specifiers pathspec
    rich._emoji_codes rich.live rich.markup rich.progress rich.spinner rich.table rich.text
    rich.tree typer._click.decorators typer._click._textwrap typer.rich_utils
    websockets.sync.client websockets.sync.server
"""
# Standard library modules that numpy, pandas and most algorithms import.
STANDARD = """
    argparse ast asyncio base64 bz2 calendar collections.abc concurrent.futures configparser
    contextvars copy csv ctypes.util dataclasses datetime decimal difflib dis email.policy
    encodings.idna encodings.latin_1 fractions functools gzip hashlib heapq hmac html http.client
    importlib.metadata importlib.resources inspect ipaddress itertools json locale logging.config
    lzma mimetypes multiprocessing.pool multiprocessing.shared_memory numbers optparse pathlib
    pickle pkgutil platform pprint queue random runpy secrets shutil socketserver sqlite3 ssl
    statistics string subprocess tarfile tempfile textwrap threading timeit traceback typing
    unicodedata urllib.request uuid warnings weakref xml.etree.ElementTree zipfile zoneinfo
"""


def warm_up() -> None:
    """Import all of them, except those that are not installed (in slim)."""
    modules = [module.name for module in pkgutil.walk_packages(wrapper.__path__, "wrapper.")]
    for name in [*modules, "hkube_python_wrapper._launch", *LIBRARIES.split(), *STANDARD.split()]:
        try:
            importlib.import_module(name)
        except ImportError:
            pass  # the local tools' packages, in slim


if __name__ == "__main__":
    warm_up()
