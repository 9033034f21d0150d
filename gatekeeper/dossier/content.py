"""From material to the content model: the order of the dossier. No layout here."""

from __future__ import annotations

from gatekeeper.dossier import numerals
from gatekeeper.dossier.attachments import Attached
from gatekeeper.dossier.blocks import Block, Content, Section
from gatekeeper.dossier.first_page import first_page
from gatekeeper.dossier.material import DossierMaterial
from gatekeeper.dossier.sections import (
    failures,
    glossary,
    latency,
    methods,
    performance,
    provenance,
    refusals,
    repeatability,
    requirements,
    self_test,
    stress,
    subjects,
    traceability,
)
from gatekeeper.dossier.wording import shortened

DEVELOPMENT = ("DEVELOPMENT SIGNATURE", "not for release")
EXPLORATORY = ("EXPLORATORY", "the policy was changed on the command line; cannot release")


def compose_content(material: DossierMaterial, attached: tuple[Attached, ...]) -> Content:
    """Compose the whole dossier as plain strings, rows and drawings."""
    verdict = material.verdict
    parts: tuple[tuple[str, tuple[Block, ...]], ...] = (
        ("Requirements", requirements.requirements(material)),
        ("Where the thresholds come from", requirements.thresholds(material)),
        ("Subgroups", requirements.subgroups(material)),
        ("Performance", performance.performance(material)),
        ("Cases without an answer", failures.failures(material)),
        ("Repeatability", repeatability.repeatability(material)),
        ("Robustness", stress.robustness(material)),
        ("Refusals", refusals.refusals(material)),
        ("Latency", latency.latency(material)),
        ("What this gate can see", self_test.self_test(material)),
        ("Test set", subjects.testset(material)),
        ("Candidate", subjects.candidate(material)),
        ("Methods", methods.methods(material)),
        ("Environment", provenance.environment(material, attached)),
        ("Traceability", traceability.traceability(material, attached)),
        ("Attachments and verification", provenance.attachments(material, attached)),
        ("Glossary", glossary.glossary()),
    )
    return Content(
        title=f"Release dossier: {verdict.candidate} under {verdict.policy_id} {verdict.policy_version}",
        created=f"{numerals.instant(verdict.run.finished):%Y-%m-%dT%H:%M:%SZ}",
        bands=bands_of(material),
        footer=footer_of(material),
        first_page=first_page(material),
        sections=tuple(
            Section(number, f"section-{number}", title, blocks) for number, (title, blocks) in enumerate(parts, start=2)
        ),
    )


def bands_of(material: DossierMaterial) -> tuple[tuple[str, str], ...]:
    """Return the warnings that stand on every page: a word, and what it means."""
    development = (DEVELOPMENT,) if material.development else ()
    return (*development, EXPLORATORY) if material.verdict.exploratory else development


def footer_of(material: DossierMaterial) -> str:
    """Return what every page says of the document it belongs to."""
    verdict = material.verdict
    return (
        f"document {numerals.short_digest(verdict.reproducible)} · run {shortened(verdict.run.id, 48)} · "
        f"policy {numerals.short_digest(verdict.digests.policy)} · "
        f"candidate {numerals.short_digest(verdict.digests.candidate)}"
    )
