"""Waivers of the policy: of what, why, by whom, until when, and what the verdict is without them."""

from __future__ import annotations

from collections.abc import Iterator

from gatekeeper.dossier.blocks import Block, Cell, Column, Heading, Paragraph, Row, Table
from gatekeeper.dossier.material import DossierMaterial
from gatekeeper.policy.schema import Waiver
from gatekeeper.policy.titles import title_of

_COLUMNS = (
    Column("Requirement", 24.0),
    Column("Reason", 30.0),
    Column("By", 16.0),
    Column("Expires", 12.0),
    Column("On the day of the run", 18.0),
)


def waivers(material: DossierMaterial) -> Iterator[Block]:
    """Show every waiver; nothing where the policy has none."""
    asked = material.policy.waivers
    if not asked:
        return
    day = material.verdict.run.started[:10]
    yield Heading("Waivers")
    yield Paragraph(
        "A waiver is leave to release although a requirement is not met. It ends with its last day (UTC); the finding "
        "keeps its outcome and is shown."
    )
    yield Table("Waivers", _COLUMNS, tuple(_row(material, waiver, day) for waiver in asked))
    word, without = material.verdict.verdict.value, material.verdict.without_waivers
    if without is None:
        yield Paragraph(f"No waiver took anything out of this verdict: without them it is {word} as well.")
    else:
        yield Paragraph(f"The verdict without waivers: {without.value}. With them: {word}.")


def _row(material: DossierMaterial, waiver: Waiver, day: str) -> Row:
    asked = material.policy.requirements.get(waiver.requirement)
    title = title_of(asked, material.policy) if asked else waiver.requirement
    return Row(
        (
            Cell(title, (waiver.requirement,), strong=True),
            Cell(waiver.reason),
            Cell(waiver.by),
            Cell(waiver.expires),
            Cell("in force" if day <= waiver.expires else "expired", _use(material, waiver)),
        )
    )


def _use(material: DossierMaterial, waiver: Waiver) -> tuple[str, ...]:
    found = next((f for f in material.verdict.findings if f.id == waiver.requirement), None)
    if found is None:
        return ()
    return (f"{found.outcome.value}, {'not counted' if found.waived else 'counted'}",)
