"""Guesses which package to add to requirements.txt for a missing import."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping

# Import names whose distribution has another name. All others have one name for both.
DISTRIBUTIONS = {
    "attr": "attrs",
    "azure.storage.blob": "azure-storage-blob",
    "bs4": "beautifulsoup4",
    "bson": "pymongo",
    "cgi": "legacy-cgi",
    "community": "python-louvain",
    "Crypto": "pycryptodome",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "distutils": "setuptools",
    "docx": "python-docx",
    "dotenv": "python-dotenv",
    "faiss": "faiss-cpu",
    "fitz": "PyMuPDF",
    "git": "GitPython",
    "google.cloud.bigquery": "google-cloud-bigquery",
    "google.cloud.storage": "google-cloud-storage",
    "google.protobuf": "protobuf",
    "grpc": "grpcio",
    "igraph": "python-igraph",
    "jose": "python-jose",
    "jwt": "PyJWT",
    "kafka": "kafka-python",
    "ldap": "python-ldap",
    "magic": "python-magic",
    "mpl_toolkits": "matplotlib",
    "MySQLdb": "mysqlclient",
    "nacl": "PyNaCl",
    "OpenSSL": "pyOpenSSL",
    "osgeo": "GDAL",
    "PIL": "Pillow",
    "pkg_resources": "setuptools",
    "pptx": "python-pptx",
    "psycopg2": "psycopg2-binary",
    "pylab": "matplotlib",
    "rest_framework": "djangorestframework",
    "ruamel": "ruamel.yaml",
    "serial": "pyserial",
    "shapefile": "pyshp",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "skopt": "scikit-optimize",
    "slugify": "python-slugify",
    "socks": "PySocks",
    "umap": "umap-learn",
    "usb": "pyusb",
    "websocket": "websocket-client",
    "win32api": "pywin32",
    "Xlib": "python-xlib",
    "yaml": "PyYAML",
    "zmq": "pyzmq",
}


# The best known packages whose import name and distribution name are the same.
SAME_NAME = frozenset(
    """
    accelerate aiohttp anthropic asyncpg boto3 botocore catboost celery chardet click cryptography
    dask datasets diffusers duckdb einops elasticsearch fastapi fastavro flask gensim geopandas h5py
    httpx imageio jax jinja2 joblib jsonschema keras langchain lightgbm lightning loguru lxml
    marshmallow matplotlib minio mlflow moviepy networkx nltk numba numpy onnx
    onnxruntime openai openpyxl optuna orjson pandas paramiko peft pika plotly polars prophet
    psutil psycopg pyarrow pydantic pymongo pymysql pyodbc pyproj pyspark pytesseract pytest
    pytorch_lightning pytz rasterio ray redis regex requests rich safetensors scipy seaborn
    sentence_transformers shap shapely simplejson spacy sqlalchemy statsmodels sympy tabulate
    tensorboard tensorflow tensorboardX tiktoken timm tokenizers toml torch torchaudio torchmetrics
    torchvision tqdm transformers typer ujson ultralytics urllib3 uvicorn wandb websockets xarray
    xgboost xlrd xmltodict
    """.split()  # noqa: SIM905 - a list would take a line for each
)

Installed = Mapping[str, list[str]]
"""Maps each importable top-level name to the installed distributions that provide it."""


def installed_distributions() -> Installed:
    """Read the metadata of all installed packages, which can take a second."""
    try:
        import importlib_metadata

        return {
            name: list(dict.fromkeys(owners))
            for name, owners in importlib_metadata.packages_distributions().items()
        }
    except Exception:  # a package's broken metadata must not hide the user's error
        return {}


def version_of(distribution: str) -> str:
    """Return the installed version; empty if it is unknown."""
    try:
        import importlib_metadata

        return importlib_metadata.version(distribution)
    except Exception:  # as above
        return ""


def guess_distribution(name: str, installed: Installed) -> str:
    """Guess the distribution that provides a module.

    Args:
        name: dotted name of the module.
        installed: the installed distributions.
    """
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        known = DISTRIBUTIONS.get(".".join(parts[:length]))
        if known:
            return known
    owners = installed.get(parts[0])
    return owners[0] if owners else parts[0].replace("_", "-")


def is_certain(name: str, installed: Installed) -> bool:
    """Whether ``guess_distribution`` knows the distribution, rather than guesses it."""
    parts = name.split(".")
    prefixes = {".".join(parts[:length]) for length in range(1, len(parts) + 1)}
    return not prefixes.isdisjoint(DISTRIBUTIONS) or parts[0] in SAME_NAME or parts[0] in installed


def known_names(installed: Installed) -> set[str]:
    """Return all top-level names that are standard, installed or well known."""
    public = {name for name in sys.stdlib_module_names if not name.startswith("_")}
    tops = {name.partition(".")[0] for name in DISTRIBUTIONS}
    return public | tops | SAME_NAME | set(installed)


def is_listed(distribution: str, folders: list[str]) -> bool:
    """Whether a requirements.txt in one of the folders lists the distribution."""
    wanted = _normalized(distribution)
    for folder in folders:
        try:
            with open(os.path.join(folder, "requirements.txt"), encoding="utf-8") as file:
                lines = file.read().splitlines()
        except (OSError, UnicodeDecodeError):
            continue
        names = (re.match(r"\s*([A-Za-z0-9._-]+)", line) for line in lines)
        if any(name and _normalized(name[1]) == wanted for name in names):
            return True
    return False


def _normalized(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()
