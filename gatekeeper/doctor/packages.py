"""Installed packages, against what gatekeeper and its extras ask for."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator
from typing import TYPE_CHECKING

from gatekeeper import __version__
from gatekeeper.doctor.finding import Finding, broken, missing, works

if TYPE_CHECKING:
    from packaging.requirements import Requirement

_AREA = "packages"
_NAME = "gatekeeper-imaging"
_OF_DEVELOPERS = ("test", "lint", "dev", "docs")
_FOR: dict[str, str] = {
    "models": "candidates of the formats onnx and monai_bundle",
    "pkcs11": "keys in a token",
    "mlflow": "a tracking server and model registry",
}


def examine_packages() -> Iterator[Finding]:
    """Tell whether every required package is there in a version that fits, and which extras are."""
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        facts = importlib.metadata.metadata(_NAME)
        asked = [Requirement(line) for line in facts.get_all("Requires-Dist") or ()]
    except (importlib.metadata.PackageNotFoundError, InvalidRequirement):
        mend = f"pip install {_NAME}, or in a copy of the repository pip install -e ."
        yield missing(_AREA, "gatekeeper", f"{__version__}, not installed as a package", mend)
        return
    plain = [one for one in asked if one.marker is None or one.marker.evaluate({"extra": ""})]
    faults = [fault for one in plain if (fault := _fault(one)) is not None]
    if faults:
        yield broken(_AREA, "required", "; ".join(faults), f"pip install --upgrade {_NAME}")
    else:
        yield works(_AREA, "required", f"gatekeeper {__version__} and all {len(plain)} packages that it needs")
    for extra in facts.get_all("Provides-Extra") or ():
        if extra not in _OF_DEVELOPERS:
            of_it = [one for one in asked if _belongs(one, extra)]
            yield _of_extra(extra, [fault for one in of_it if (fault := _fault(one)) is not None], of_it)


def _belongs(requirement: Requirement, extra: str) -> bool:
    marker = requirement.marker
    return marker is not None and marker.evaluate({"extra": extra}) and not marker.evaluate({"extra": ""})


def _of_extra(extra: str, faults: list[str], asked: list[Requirement]) -> Finding:
    purpose = _FOR.get(extra, "an extra")
    if not faults:
        return works(_AREA, extra, f"{purpose}: {', '.join(_installed(one) for one in asked)}")
    mend = f"pip install '{_NAME}[{extra}]'"
    return missing(_AREA, extra, f"{purpose}: {'; '.join(faults)}", mend)


def _installed(requirement: Requirement) -> str:
    return f"{requirement.name} {importlib.metadata.version(requirement.name)}"


def _fault(requirement: Requirement) -> str | None:
    """Return what is wrong with an installed package in words, None where it fits."""
    from packaging.version import InvalidVersion

    try:
        version = importlib.metadata.version(requirement.name)
        fits = requirement.specifier.contains(version, prereleases=True)
    except importlib.metadata.PackageNotFoundError:
        return f"{requirement.name} is not installed"
    except InvalidVersion:
        return f"{requirement.name} has no readable version"
    return None if fits else f"{requirement.name} is {version}, not {requirement.specifier}"
