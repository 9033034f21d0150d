"""The software bill of materials of a run: CycloneDX 1.6 in JSON, the same bytes for the same packages and time.

Source: ECMA-424 (CycloneDX). Distributions of Python and the interpreter are in it; what the operating system and its
drivers bring is not.
"""

from __future__ import annotations

import json
import uuid
from datetime import datetime
from typing import TYPE_CHECKING

from gatekeeper.canonical import JSON, digest_json
from gatekeeper.engine.components import Component, Installed

if TYPE_CHECKING:
    from cyclonedx.model.component import Component as Described
    from cyclonedx.model.component import ComponentType

_ROLE = "gatekeeper:role"
_PLUG_IN = "plug-in of the candidate"
_INTERPRETER = "cpython"


def bill_of_materials(installed: Installed, finished: str) -> bytes:
    """Write the bill of materials; ``finished`` (ISO 8601, UTC) is when the run that it belongs to was finished.

    Its serial number is made of its contents, so that nothing in it is drawn at random.
    """
    from cyclonedx.model.bom import Bom, BomMetaData
    from cyclonedx.model.component import ComponentType
    from cyclonedx.output.json import JsonV1Dot6

    described = {component.key: _described(component) for component in installed.components}
    own = _described(installed.own, ComponentType.APPLICATION)
    python = _interpreter(installed.python)
    bom = Bom(
        components=[*described.values(), python],
        serial_number=uuid.uuid5(uuid.NAMESPACE_URL, digest_json(_contents(installed, finished))),
        metadata=BomMetaData(component=own, timestamp=datetime.fromisoformat(finished)),
    )
    for component in (installed.own, *installed.components):
        target = own if component is installed.own else described[component.key]
        bom.register_dependency(target, [described[name] for name in component.requires if name in described])
    bom.register_dependency(own, [python])
    return JsonV1Dot6(bom).output_as_string(indent=2).encode() + b"\n"


def components_in(bill: bytes) -> int:
    """Count the components of a bill of materials, without gatekeeper itself, which it describes."""
    return len(json.loads(bill)["components"])


def _described(component: Component, kind: ComponentType | None = None) -> Described:
    from cyclonedx.contrib.license.factories import LicenseFactory
    from cyclonedx.model import Property
    from cyclonedx.model.component import Component as Described
    from cyclonedx.model.component import ComponentType
    from packageurl import PackageURL

    purl = PackageURL("pypi", name=component.key, version=component.version)
    return Described(
        name=component.name,
        version=component.version,
        type=kind or ComponentType.LIBRARY,
        purl=purl,
        bom_ref=purl.to_string(),
        licenses=[LicenseFactory().make_from_string(component.licence)] if component.licence else (),
        properties=[Property(name=_ROLE, value=_PLUG_IN)] if component.plug_in else (),
    )


def _interpreter(version: str) -> Described:
    from cyclonedx.model.component import Component as Described
    from cyclonedx.model.component import ComponentType
    from packageurl import PackageURL

    purl = PackageURL("generic", name=_INTERPRETER, version=version)
    return Described(
        name=_INTERPRETER, version=version, type=ComponentType.PLATFORM, purl=purl, bom_ref=purl.to_string()
    )


def _contents(installed: Installed, finished: str) -> dict[str, JSON]:
    listed: list[JSON] = [
        [one.name, one.version, one.licence, [*one.requires], one.plug_in]
        for one in (installed.own, *installed.components)
    ]
    return {"finished": finished, "python": installed.python, "components": listed}
