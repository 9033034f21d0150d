"""What a run's process could import: every installed distribution, as its own metadata describes it.

The digest of names and versions is part of what a run's evidence depends on, so that a run begun with other packages is
not resumed: its bill of materials holds for all of it.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageMetadata, distributions

from gatekeeper import __version__
from gatekeeper.canonical import digest_json

OWN = "gatekeeper-imaging"
_LONGEST_LICENCE = 300
_NO_LICENCE = re.compile(r"unknown|none|licen[cs]e(\.\w+)?", re.IGNORECASE)  # a name of a file, or nothing


@dataclass(frozen=True)
class Component:
    """One distribution: ``requires`` are the normalised names of others here that it needs; ``plug_in`` the candidate.

    ``licence`` is what it declares, in one line, or empty.
    """

    name: str
    version: str
    licence: str = ""
    requires: tuple[str, ...] = ()
    plug_in: bool = False

    @property
    def key(self) -> str:
        """The name as indexes compare it (PEP 503)."""
        return normalised(self.name)


@dataclass(frozen=True)
class Installed:
    """All components by name, without gatekeeper itself, which is ``own``; ``python`` is the interpreter's version."""

    own: Component
    components: tuple[Component, ...]
    python: str

    @property
    def digest(self) -> str:
        """SHA-256 of names and versions."""
        listed = {component.key: component.version for component in (self.own, *self.components)}
        return digest_json({"python": self.python, "components": {**listed}})


def installed(plugin: str | None = None) -> Installed:
    """List what is installed; ``plugin`` is the candidate's plug-in, as its record names it: distribution, version."""
    found: dict[str, Component] = {}
    for distribution in distributions():
        component = _component(distribution)
        if component is not None:
            found.setdefault(component.key, component)  # the first on the path is the one that is imported
    if plugin is not None:
        name, _, version = plugin.rpartition(" ")
        known = found.get(normalised(name), Component(name, version))
        found[known.key] = Component(known.name, version, known.licence, known.requires, plug_in=True)
    own = found.pop(OWN, Component(OWN, __version__))
    ordered = tuple(found[key] for key in sorted(found))
    return Installed(Component(own.name, __version__, own.licence, own.requires), ordered, platform.python_version())


def normalised(name: str) -> str:
    """Return the name of a distribution as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _component(distribution: Distribution) -> Component | None:
    """Describe a distribution; None for what has no name or no version, such as the rest of a broken installation."""
    metadata = distribution.metadata
    name, version = _field(metadata, "Name"), _field(metadata, "Version")
    if not name or not version:
        return None
    return Component(name, version, _licence(distribution), tuple(sorted({*_needed(distribution)})))


def _field(metadata: PackageMetadata, name: str) -> str:
    return next(iter(metadata.get_all(name) or ()), "")


def _needed(distribution: Distribution) -> Iterator[str]:
    """Give the normalised names of what a distribution needs here, without its extras."""
    from packaging.requirements import InvalidRequirement, Requirement

    for written in distribution.requires or ():
        try:
            wanted = Requirement(written)
        except InvalidRequirement:
            continue
        if wanted.marker is None or wanted.marker.evaluate({"extra": ""}):
            yield normalised(wanted.name)


def _licence(distribution: Distribution) -> str:
    """Return the licence that is declared: an SPDX expression (PEP 639), classifiers, or the field's first line."""
    metadata = distribution.metadata
    classified = [
        line.rpartition(" :: ")[2] for line in metadata.get_all("Classifier") or () if line.startswith("License :: ")
    ]
    lines = [line.strip() for line in _field(metadata, "License").splitlines() if line.strip()]
    told = [line for line in lines[:1] if not _NO_LICENCE.fullmatch(line)]
    return (_field(metadata, "License-Expression") or " and ".join(classified) or "".join(told))[:_LONGEST_LICENCE]
