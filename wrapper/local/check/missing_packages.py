"""What is imported against what requirements.txt lists: will the image have it?"""

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
from ..source.requirements import FILE_NAME, Listed, Requirements
from .finding import Finding, fine, note, wrong
from .imported_modules import Imported

TOPIC = "packages"
OWN_DISTRIBUTION = "hkube-wrapper"
REPLACED = {"hkube-python-wrapper": "hkube_python_wrapper", "wrapper": "wrapper"}
"""Distributions that have a package of this wrapper's name, and that name."""


@dataclass(frozen=True)
class InstalledPackages:
    """What is installed here.

    Attributes:
        modules: each importable name, with the distributions that have it.
        brought: what the wrapper needs, and so every image has.
        needs: the versions of it that the wrapper runs with.
    """

    modules: Installed = field(default_factory=dict)
    brought: frozenset[str] = frozenset()
    needs: Mapping[str, SpecifierSet] = field(default_factory=dict)


@dataclass(frozen=True)
class Package:
    """What one import comes from.

    Attributes:
        module: its name, as it is imported.
        place: where.
        distribution: its distribution, as well as it can be told.
        version: the version that is installed here; empty: none is.
        listed: requirements.txt has it.
    """

    module: str
    place: str
    distribution: str
    version: str
    listed: bool


def surroundings() -> InstalledPackages:
    """Read what is installed here."""
    return InstalledPackages(
        installed_distributions(),
        frozenset(needed_by([OWN_DISTRIBUTION]) - {OWN_DISTRIBUTION}),
        needs_of_wrapper(),
    )


def needs_of_wrapper() -> dict[str, SpecifierSet]:
    """Return the versions that the wrapper runs with; nothing where it is not installed."""
    return {canonicalize_name(each.name): each.specifier for each in _needs(OWN_DISTRIBUTION)}


def harmful(requirements: Requirements, needs: Mapping[str, SpecifierSet]) -> Iterator[str]:
    """Name the lines that would break the wrapper in the image.

    Args:
        requirements: the list.
        needs: the versions that the wrapper runs with.
    """
    for listed in requirements.listed:
        if listed.name in REPLACED:
            yield (
                f"{listed.place} lists {listed.text}, which would take the place of this wrapper's "
                f"own {REPLACED[listed.name]}: remove the line, the image has it"
            )
        wanted = needs.get(listed.name) if listed.applies else None
        if wanted is not None and not _may_both_be_met(listed.specifier, wanted):
            yield (
                f"{listed.place} asks for {listed.text}, but the wrapper needs "
                f"{listed.name}{wanted}: remove the line, or ask for a version in that range"
            )


def _may_both_be_met(one: SpecifierSet, other: SpecifierSet) -> bool:
    """Whether a version could do for both: each limit is tried, and what is just above it."""
    tried = {"0"}
    for limit in (each.version.removesuffix(".*") for each in (*one, *other)):
        start, _, last = limit.rpartition(".")
        above = (
            f"{start}.{int(last) + 1}".lstrip(".") if last.isdecimal() and len(last) < 10 else limit
        )
        tried |= {limit, f"{limit}.0.0.1", above}
    return any(_is_version(each) and _fits(each, one) and _fits(each, other) for each in tried)


def needed_by(names: Iterable[str]) -> set[str]:
    """Return the canonical names of some distributions, and of all that they need in turn."""
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
    """Hold the imports against the list.

    Returns:
        A package for each import's top name, and what is to be said about them and the list.
    """
    packages: dict[str, Package] = {}
    findings: list[Finding] = [wrong(TOPIC, problem) for problem in requirements.problems]
    findings += [wrong(TOPIC, text) for text in harmful(requirements, here.needs)]
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
        findings.append(fine(TOPIC, "only Python's own modules are imported"))
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
        what += f", which is {package.distribution}"
    if imported.optional:
        return note(TOPIC, f"{what}, but does without: {FILE_NAME} does not list it")
    if name in carried:
        text = f"{what}; it comes with what {FILE_NAME} lists, but list it too: {line}"
        return note(TOPIC, text)
    if name in here.brought:
        return note(TOPIC, f"{what}; the image has it for the wrapper, but list it too: {line}")
    unknown = [each for each in requirements.listed if each.applies and not _is_known(each)]
    if unknown and not is_certain(imported.name, here.modules):
        return note(
            TOPIC,
            f"{what}; whether {unknown[0].text} ({unknown[0].place}) has it cannot be told, as "
            "that is not installed here",
        )
    missing = f"is not in {FILE_NAME}" if requirements.present else f"there is no {FILE_NAME}"
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
                f"{listed.place} asks for {listed.text}, but {version} is installed here: what "
                "you try here is not what will run there",
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
    except ValueError:  # metadata of long ago, or ==1.*
        return True


def _needs(name: str) -> list[Requirement]:
    import importlib_metadata

    needed = []
    try:
        texts = importlib_metadata.requires(name) or []
    except Exception:  # not installed, or metadata that is broken
        return []
    for text in texts:
        try:
            requirement = Requirement(text)
            applies = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        except (ValueError, RecursionError):  # also a marker that is valid, and without sense
            continue
        if applies:
            needed.append(requirement)
    return needed
