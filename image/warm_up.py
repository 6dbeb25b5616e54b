"""Imports what the wrapper's processes import, and what algorithms import most of the time.

Python then writes the bytecode beside the modules, which no user of a container could do.
"""

from __future__ import annotations

import importlib
import pkgutil

import wrapper

# Imported within functions, so not with the wrapper's modules.
LIBRARIES = """
    bson msgpack msgspec.json obstore.store ormsgpack orjson watchfiles websocket yaml zmq
    importlib_metadata._adapters zipp.compat.overlay zipp.glob
    packaging.requirements packaging.specifiers pathspec
    rich._emoji_codes rich.live rich.markup rich.progress rich.spinner rich.table rich.text
    rich.tree typer._click.decorators typer._click._textwrap typer.rich_utils
    websockets.sync.client websockets.sync.server
"""
# The standard library's share in numpy, pandas and their like, and in most algorithms.
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
    """Import all of it; what is not installed (slim) is left out."""
    modules = [module.name for module in pkgutil.walk_packages(wrapper.__path__, "wrapper.")]
    for name in [*modules, "hkube_python_wrapper._launch", *LIBRARIES.split(), *STANDARD.split()]:
        try:
            importlib.import_module(name)
        except ImportError:
            pass  # the local tools' packages, in slim


if __name__ == "__main__":
    warm_up()
