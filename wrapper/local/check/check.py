"""`hkube-wrapper check`: runs all checks and gathers their findings in one report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ...errors import LoadError, WrapperError
from ..source.algorithm_name import name_problem
from ..source.file_tree import Tree, read_tree
from ..source.imported_modules import imports_of
from ..source.requirements import read_requirements
from ..source.source import AlgorithmSource, find_module, is_shared_folder
from .finding import Finding, FindingStatus, fine, note, wrong
from .missing_packages import Package, compare, read_installed
from .probe import Probed, probe
from .python_version import PythonVersion, check_python
from .shadowed_modules import hiding_files
from .tree_findings import tree_findings

_SHARED = "its packages and its size were not checked; move the algorithm to a separate folder"


@dataclass(frozen=True)
class CheckReport:
    """The result of a check.

    Attributes:
        source: the algorithm.
        file: its module, relative to its folder; empty if it does not exist.
        probed: the result of loading it; None if there is nothing to load.
        packages: the packages that its files import.
        python: the Python versions here, required, and of the image.
        tree: its files; None if they were not read.
        findings: what was found, in the order of the topics.
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
        """Whether nothing is wrong."""
        return all(finding.status is not FindingStatus.WRONG for finding in self.findings)


def check(source: AlgorithmSource, environ: Mapping[str, str], timeout: float) -> CheckReport:
    """Check an algorithm.

    Args:
        source: the algorithm.
        environ: the environment to load it in.
        timeout: seconds to wait until it is loaded.
    """
    findings = list(_about_description(source))
    file, missing = _file(source)
    findings += missing
    probed, packages, tree = None, list[Package](), None
    if file is not None:
        probed = probe(source, file, environ, timeout)
        findings += _about_loading(probed, source)
    is_alone = not is_shared_folder(source.folder)
    if file is not None and is_alone:
        findings += hiding_files(source.folder, file)
        imports = imports_of(file, source.folder)
        packages, more = compare(imports, read_requirements(source.folder), read_installed())
        findings += more
    python, more = check_python(source)
    findings += more
    if is_alone:
        tree, more = _tree(source.folder, file)
        findings += more
    else:
        findings.append(
            note("folder", f"{source.folder} holds more than this algorithm: {_SHARED}")
        )
    return CheckReport(
        source=source,
        file=str(file.relative_to(source.folder)) if file else "",
        probed=probed,
        packages=tuple(packages),
        python=python,
        tree=tree,
        findings=tuple(findings),
    )


def _about_description(source: AlgorithmSource) -> Iterator[Finding]:
    if source.manifest is not None:
        problem = name_problem(source.name)
        if problem:
            yield wrong("algorithm", f"the name '{source.name}' {problem}")
    for remark in (*source.remarks, *source.unused):
        yield note("algorithm", remark)
    if source.install_command:
        yield note(
            "algorithm",
            "dependencyInstallCmd installs the packages, not requirements.txt: this check does not "
            "know which they are",
        )


def _file(source: AlgorithmSource) -> tuple[Path | None, list[Finding]]:
    try:
        return find_module(source), []
    except LoadError as error:
        return None, [wrong("module", str(error))]


def _about_loading(probed: Probed, source: AlgorithmSource) -> Iterator[Finding]:
    if probed.problem:
        reads = "EOFError: EOF when reading a line" in probed.problem
        hint = ": a container has no interactive input" if reads else ""
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
