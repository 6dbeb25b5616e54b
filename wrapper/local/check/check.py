"""All that `hkube-wrapper check` looks at, in one report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ...errors import LoadError, WrapperError
from ..source.algorithm_name import why_not_a_name
from ..source.file_tree import Tree, read_tree
from ..source.requirements import read_requirements
from ..source.source import AlgorithmSource, find_module, is_shared_folder
from .finding import Finding, FindingStatus, fine, note, wrong
from .imported_modules import imports_of
from .missing_packages import Package, compare, surroundings
from .probe import Probed, probe
from .python_version import PythonVersion, check_python
from .shadowed_modules import hiding_files
from .tree_findings import tree_findings

_ONE = "its packages and its size are not looked at; give the algorithm a folder of its own"


@dataclass(frozen=True)
class CheckReport:
    """What was found.

    Attributes:
        source: the algorithm.
        file: its module, relative to its folder; empty: there is none.
        probed: what came of loading it; None: there is nothing to load.
        packages: what its files import.
        python: the versions that count.
        tree: its files; None: they cannot be read.
        findings: everything that is worth a sentence, in the order of their topics.
    """

    source: AlgorithmSource
    file: str
    probed: Probed | None
    packages: tuple[Package, ...]
    python: PythonVersion
    tree: Tree | None
    findings: tuple[Finding, ...]

    @property
    def is_fine(self) -> bool:
        """Nothing is wrong."""
        return all(finding.status is not FindingStatus.WRONG for finding in self.findings)


def check(source: AlgorithmSource, environ: Mapping[str, str], timeout: float) -> CheckReport:
    """Look at an algorithm.

    Args:
        source: the algorithm.
        environ: the environment to load it in.
        timeout: seconds that loading may take.
    """
    findings = list(_about_itself(source))
    file, no_file = _file(source)
    findings += no_file
    probed, packages, tree = None, list[Package](), None
    if file is not None:
        probed = probe(source, file, environ, timeout)
        findings += _about_loading(probed, source)
    is_one = not is_shared_folder(source.folder)
    if file is not None and is_one:
        findings += hiding_files(source.folder, file)
        imports = imports_of(file, source.folder)
        packages, said = compare(imports, read_requirements(source.folder), surroundings())
        findings += said
    python, said = check_python(source)
    findings += said
    if is_one:
        tree, said = _tree(source.folder, file)
        findings += said
    else:
        findings.append(note("folder", f"{source.folder} holds more than this algorithm: {_ONE}"))
    return CheckReport(
        source=source,
        file=str(file.relative_to(source.folder)) if file else "",
        probed=probed,
        packages=tuple(packages),
        python=python,
        tree=tree,
        findings=tuple(findings),
    )


def _about_itself(source: AlgorithmSource) -> Iterator[Finding]:
    if source.manifest is not None:
        refusal = why_not_a_name(source.name)
        if refusal:
            yield wrong("algorithm", f"the name '{source.name}' {refusal}")
    for remark in source.remarks:
        yield note("algorithm", remark)


def _file(source: AlgorithmSource) -> tuple[Path | None, list[Finding]]:
    try:
        return find_module(source), []
    except LoadError as error:
        return None, [wrong("module", str(error))]


def _about_loading(probed: Probed, source: AlgorithmSource) -> Iterator[Finding]:
    if probed.problem:
        reads = "EOFError: EOF when reading a line" in probed.problem
        hint = ": in a container nobody types" if reads else ""
        yield wrong("module", f"{probed.problem}{hint}")
        return
    yield fine("module", f"{source.entry_point} loads, in {probed.seconds:.2f} s")
    for function in probed.functions:
        place = f" ({function.file}:{function.line})" if function.file else ""
        kind = "async def " if function.is_async else "def "
        written = f"{kind}{function.name}{function.signature}"
        yield fine("functions", f"{written}{place}, called as {function.call}")
    for remark in probed.remarks:
        yield note("functions", remark)


def _tree(folder: Path, file: Path | None) -> tuple[Tree | None, list[Finding]]:
    try:
        tree = read_tree(folder)
    except WrapperError as error:
        return None, [wrong("folder", str(error))]
    return tree, list(tree_findings(tree, file))
