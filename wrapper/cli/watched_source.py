"""Says which files `run --watch` and `dev` watch."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from ..local.run.watch import Watch
from ..local.source.source import open_algorithm


def watch_source(
    path: str,
    algorithms: Path | None,
    pipelines: Path | None,
    files: Collection[Path] = (),
    patterns: Sequence[str] = (),
) -> Watch:
    """Return a watch of an algorithm and of everything that it may start.

    Args:
        path: the algorithm's path.
        algorithms: folder or map of algorithms.
        pipelines: folder of stored pipelines.
        files: other files, such as that of its input.
        patterns: of files that count besides code.
    """
    with open_algorithm(path) as source:
        watched = [*files, *([Path(path)] if Path(path).is_file() else [])]
        if source.manifest is not None:
            watched.append(source.manifest)
    # An archive's temporary folder no longer exists: watch the folder that holds the archive.
    folder = source.folder if source.folder.exists() else Path(path).resolve().parent
    others = [each for each in (algorithms, pipelines) if each is not None]
    if algorithms is not None and algorithms.is_file():
        others.remove(algorithms)
        watched.append(algorithms)
        for place in _mapped(algorithms):
            (others if place.is_dir() else watched).append(place)
    return Watch(folder, watched, others, patterns)


def _mapped(algorithms: Path) -> Collection[Path]:
    """Return the paths in a map of algorithms.

    An unreadable map gives no paths, because the run itself reports the error."""
    from ..local.pipeline.catalog.algorithms import find_algorithms
    from ..local.pipeline.catalog.folders import CatalogError

    try:
        return find_algorithms(algorithms).values()
    except CatalogError:
        return ()
