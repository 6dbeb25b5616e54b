"""Remarks about a descriptor that HKube accepts, but that may not mean what its author thinks."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .descriptor import Pipeline
from .references import RawBatch, leaves_of

_TWO_DOTS = re.compile(r"(-?\d+)\s*\.\.\s*(-?\d+)")


def descriptor_remarks(pipeline: Pipeline) -> Iterator[str]:
    """Yield a sentence for each item of a batch that looks like a range but is a text."""
    for node in pipeline.nodes:
        for leaf in leaves_of(list(node.inputs)):
            if not isinstance(leaf, RawBatch):
                continue
            for item in leaf.items:
                match = _TWO_DOTS.fullmatch(item) if isinstance(item, str) else None
                if match:
                    yield (
                        f"node '{node.name}': '#[{item}]' is a batch with one text; "
                        f"for a range write three dots: #[{match[1]}...{match[2]}]"
                    )
