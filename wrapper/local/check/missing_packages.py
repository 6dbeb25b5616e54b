"""Finds imported packages that the image will lack, and requirements that harm the wrapper.

For each import it guesses the distribution that provides it, then looks for it in requirements.txt.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from ...algorithm.loading.distributions import (
    Installed,
    guess_distribution,
    installed_distributions,
    is_certain,
    version_of,
)
from ..source.imported_modules import Imported
from ..source.requirements import FILE_NAME, Listed, Requirements
from .finding import Finding, fine, note, wrong

TOPIC = "packages"
OWN_DISTRIBUTION = "hkube-wrapper"
REPLACED = {
    "hkube-python-wrapper": "hkube_python_wrapper",
    "wrapper": "wrapper",
    "bson": "bson",
    "msgpack-python": "msgpack",
    "websocket": "websocket",
}
"""Distributions that install a package with a name that the wrapper imports, and that name."""


@dataclass(frozen=True)
class InstalledPackages:
    """The packages installed on this machine.

    Attributes:
        modules: each importable name and the distributions that provide it.
        brought: distributions that every image has because the wrapper needs them.
        needs: the versions of them that the wrapper works with.
    """

    modules: Installed = field(default_factory=dict)
    brought: frozenset[str] = frozenset()
    needs: Mapping[str, SpecifierSet] = field(default_factory=dict)


@dataclass(frozen=True)
class Package:
    """The package behind one import.

    Attributes:
        module: the name as imported.
        place: file and line of the import.
        distribution: its distribution, or the best guess.
        version: the version installed here; empty if it is not installed.
        listed: whether requirements.txt lists it.
    """

    module: str
    place: str
    distribution: str
    version: str
    listed: bool


def read_installed() -> InstalledPackages:
    """Read which packages are installed on this machine."""
    return InstalledPackages(
        installed_distributions(),
        frozenset(needed_by([OWN_DISTRIBUTION]) - {OWN_DISTRIBUTION}),
        wrapper_needs(),
    )


def wrapper_needs() -> dict[str, SpecifierSet]:
    """Return the versions that the wrapper and what it needs work with; empty if not installed."""
    needs: dict[str, SpecifierSet] = {}
    for distribution in needed_by([OWN_DISTRIBUTION]):
        for each in _needs(distribution):
            name = canonicalize_name(each.name)
            needs[name] = needs.get(name, SpecifierSet()) & each.specifier
    return needs


def wrapper_conflicts(
    requirements: Requirements, needs: Mapping[str, SpecifierSet]
) -> Iterator[str]:
    """Describe each line that would break the wrapper in the image.

    Args:
        requirements: the algorithm's requirements.
        needs: the versions that the wrapper works with.
    """
    for listed in requirements.listed:
        if listed.name in REPLACED:
            yield (
                f"{listed.place} lists {listed.text}, which would replace the wrapper's own "
                f"{REPLACED[listed.name]}: remove the line, the image already has it"
            )
        wanted = needs.get(listed.name) if listed.applies else None
        if wanted is not None and not _may_both_be_met(listed.specifier, wanted):
            yield (
                f"{listed.place} asks for {listed.text}, but the wrapper needs "
                f"{listed.name}{wanted}: remove the line, or require a version in that range"
            )


def _may_both_be_met(one: SpecifierSet, other: SpecifierSet) -> bool:
    """Whether one version can satisfy both: try each limit and the version just above it."""
    tried = {"0"}
    for limit in (each.version.removesuffix(".*") for each in (*one, *other)):
        start, _, last = limit.rpartition(".")
        above = (
            f"{start}.{int(last) + 1}".lstrip(".") if last.isdecimal() and len(last) < 10 else limit
        )
        tried |= {limit, f"{limit}.0.0.1", above}
    return any(_is_version(each) and _fits(each, one) and _fits(each, other) for each in tried)


def needed_by(names: Iterable[str]) -> set[str]:
    """Return the canonical names of some distributions and of all their dependencies."""
    waiting, found = list(names), set[str]()
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [canonicalize_name(each.name) for each in _needs(name)]
    return found


def compare(
    imports: Iterable[Imported], requirements: Requirements, here: InstalledPackages
) -> tuple[list[Package], list[Finding]]:
    """Compare the imports with requirements.txt.

    Returns:
        A package for each imported distribution, and the findings.
    """
    packages: dict[str, Package] = {}
    findings: list[Finding] = [wrong(TOPIC, problem) for problem in requirements.problems]
    findings += [wrong(TOPIC, text) for text in wrapper_conflicts(requirements, here.needs)]
    carried = needed_by(requirements.names)
    for imported in imports:
        package = _package(imported, requirements, here)
        if package.distribution in packages:
            continue
        packages[package.distribution] = package
        if not package.listed:
            findings.append(_unlisted(package, imported, requirements, here, carried))
    findings += _installed_otherwise(requirements)
    listed = [each for each in packages.values() if each.listed]
    if listed:
        names = ", ".join(f"{each.distribution} {each.version}".strip() for each in listed)
        findings.insert(0, fine(TOPIC, f"in {FILE_NAME}: {names}"))
    elif not packages and not findings:
        findings.append(fine(TOPIC, "only standard library modules are imported"))
    return list(packages.values()), findings


def _package(imported: Imported, requirements: Requirements, here: InstalledPackages) -> Package:
    owners = here.modules.get(imported.top, [])
    candidates = [guess_distribution(imported.name, {}), *owners]
    listed = next(
        (each for each in candidates if canonicalize_name(each) in requirements.names), ""
    )
    guess = owners[0] if len(owners) == 1 else guess_distribution(imported.name, here.modules)
    chosen = listed or guess
    return Package(imported.name, imported.place, chosen, version_of(chosen), bool(listed))


def _unlisted(
    package: Package,
    imported: Imported,
    requirements: Requirements,
    here: InstalledPackages,
    carried: set[str],
) -> Finding:
    name = canonicalize_name(package.distribution)
    line = f"{package.distribution}=={package.version}" if package.version else package.distribution
    what = f"{imported.place} imports {imported.name}"
    if canonicalize_name(imported.top) != name:
        what += f", which is part of {package.distribution}"
    if imported.optional:
        return note(TOPIC, f"{what}, but can run without it: {FILE_NAME} does not list it")
    if name in carried:
        text = f"{what}; it is a dependency of a listed package, but list it too: {line}"
        return note(TOPIC, text)
    if name in here.brought:
        return note(
            TOPIC, f"{what}; the image has it because the wrapper needs it, but list it too: {line}"
        )
    unknown = [each for each in requirements.listed if each.applies and not _is_known(each)]
    if unknown and not is_certain(imported.name, here.modules):
        return note(
            TOPIC,
            f"{what}; {unknown[0].text} ({unknown[0].place}) may provide it, but is not installed "
            "here to check",
        )
    missing = (
        f"{FILE_NAME} does not list it" if requirements.present else f"there is no {FILE_NAME}"
    )
    return wrong(TOPIC, f"{what}, but {missing}, so the image will lack it: add the line {line}")


def _is_known(listed: Listed) -> bool:
    return bool(listed.name and version_of(listed.name))


def _installed_otherwise(requirements: Requirements) -> Iterable[Finding]:
    for listed in (*requirements.listed, *requirements.constraints):
        if not listed.name or not listed.applies:
            continue
        version = version_of(listed.name)
        is_constraint = listed in requirements.constraints
        if not version and not is_constraint:
            yield note(TOPIC, f"{listed.place} lists {listed.text}, which is not installed here")
        elif version and not _fits(version, listed.specifier):
            yield note(
                TOPIC,
                f"{listed.place} asks for {listed.text}, but {version} is installed here: "
                "HKube will run a different version",
            )


def _is_version(text: str) -> bool:
    try:
        Version(text)
    except ValueError:
        return False
    return True


def _fits(version: str, specifier: SpecifierSet) -> bool:
    try:
        return specifier.contains(Version(version), prereleases=True)
    except ValueError:  # old metadata, or ==1.*
        return True


def _needs(name: str) -> list[Requirement]:
    import importlib_metadata

    needed = []
    try:
        texts = importlib_metadata.requires(name) or []
    except Exception:  # not installed, or its metadata is broken
        return []
    for text in texts:
        try:
            requirement = Requirement(text)
            applies = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        except (ValueError, RecursionError):  # a marker can be valid but meaningless
            continue
        if applies:
            needed.append(requirement)
    return needed
