"""``python -m benchmarks [row ...]`` measures and prints a table; ``make bench`` calls it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .figures import Figure, table
from .rows import ROWS

README = Path(__file__).resolve().parent / "README.md"
BEGIN, END = "<!-- figures -->\n", "<!-- end of figures -->\n"


def main() -> int:
    """Measure the chosen rows and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("row", nargs="*", help=f"{', '.join(ROWS)}; none: all of them")
    parser.add_argument("--repetitions", type=int, default=5, metavar="N")
    parser.add_argument(
        "--write", action="store_true", help="put the table into benchmarks/README.md (all rows)"
    )
    arguments = parser.parse_args()
    if arguments.write and arguments.row:
        parser.error("--write replaces the whole table: name no row")
    if unknown := set(arguments.row) - set(ROWS):
        parser.error(f"there is no row {', '.join(sorted(unknown))}; there are {', '.join(ROWS)}")
    measured: list[tuple[str, list[Figure]]] = []
    for name in arguments.row or ROWS:
        print(f"measuring {name}: {ROWS[name].__doc__}", file=sys.stderr, flush=True)
        measured.append((name, ROWS[name](arguments.repetitions)))
    text = table(measured)
    print(text, end="")
    if arguments.write:
        before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
        after = rest.partition(END)[2]
        README.write_text(before + BEGIN + text + END + after, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
