"""How Sphinx builds the documentation site from the Markdown of the repository: `make docs`."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from wrapper import __version__  # noqa: E402

project = "HKube wrapper for Python"
author = "The hkube-wrapper authors"
release = version = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
root_doc = "docs/index"
include_patterns = ["*.md", "docs/*.*", "examples/*/README.md", "benchmarks/README.md"]
html_theme = "furo"
html_title = f"{project} {release}"
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
highlight_language = "none"
# Code blocks hold parts of files, and JSON with "…" in it.
suppress_warnings = ["misc.highlighting_failure"]
