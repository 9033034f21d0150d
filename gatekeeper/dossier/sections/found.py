"""What the requirements of one suite found, in their own words."""

from __future__ import annotations

from gatekeeper.dossier.blocks import Block, Points
from gatekeeper.dossier.material import DossierMaterial
from gatekeeper.evidence import Finding
from gatekeeper.metrics import Suite


def findings_of(material: DossierMaterial, suite: Suite) -> list[Finding]:
    """Return the findings of one suite on all cases, in the order in which they are judged."""
    return [f for f in material.verdict.findings if f.suite == suite.value and not f.subgroup]


def words_of(material: DossierMaterial, suite: Suite) -> tuple[Block, ...]:
    """Say what the requirements of one suite found."""
    found = findings_of(material, suite)
    return (
        (Points(tuple((f"{finding.title}: {finding.outcome.value}.", finding.words) for finding in found)),)
        if found
        else ()
    )
