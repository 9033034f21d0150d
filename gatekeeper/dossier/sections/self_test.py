"""What the gate made of defects that were planted in the evidence, and what it would not see."""

from __future__ import annotations

from gatekeeper.dossier import numerals
from gatekeeper.dossier.blocks import Block, Cell, Column, Paragraph, Row, Table
from gatekeeper.dossier.material import DossierMaterial
from gatekeeper.dossier.wording import joined
from gatekeeper.evidence.self_test import DefectOutcome, PlantedDefect

_MOST_NAMED = 4
_HOW_TO_READ = (
    "Each defect was planted alone in this evidence, and all of it judged again by the same rules. Caught: a blocking "
    "requirement that was met, or not decided, is not met. Not decided any more: one that was met is not decided, so "
    "that the gate stays shut as well. Worse than before: none of these, and one that kept the gate shut before fell "
    "out of its interval. Not seen: no blocking requirement changes, so that a candidate with this defect would be "
    "judged as this one was. Not applicable: this evidence cannot carry the defect."
)


def self_test(material: DossierMaterial) -> tuple[Block, ...]:
    """Show each planted defect with what was done, what saw it, and what came of it."""
    tested = material.self_test
    if tested is None:
        return (Paragraph("No defect was planted in this evidence: what this gate would not see is not known."),)
    columns = (
        Column("Defect", 19.0),
        Column("What was done", 36.0),
        Column("Seen by", 28.0),
        Column("Outcome", 17.0),
    )
    titles = {finding.id: finding.full_title for finding in material.verdict.findings}
    rows = tuple(_row(defect, titles) for defect in tested.defects)
    again = (
        "The same evidence, its cases shuffled and its table cut into other pieces, gave the same findings bit for bit."
        if tested.a_a
        else "The same evidence with its cases shuffled did not give the same findings: rely on none of them."
    )
    blocks: list[Block] = [Paragraph(f"{_tally(tested.defects)} {again}")]
    if tested.shut_by:
        shut = _named(tested.shut_by, titles)
        blocks.append(Paragraph(f"Without any defect the gate is shut by {shut}: it may see more once that is met."))
    return (*blocks, Table("Defects planted in this evidence", columns, rows), Paragraph(_HOW_TO_READ, quiet=True))


def _tally(defects: tuple[PlantedDefect, ...]) -> str:
    tried = [defect for defect in defects if defect.outcome is not DefectOutcome.NOT_APPLICABLE]
    missed = [defect.title for defect in tried if defect.outcome is DefectOutcome.NOT_SEEN]
    planted = f"{numerals.counted(len(tried), 'defect')} planted, {len(tried) - len(missed):,} seen."
    return f"{planted} This gate would not see: {joined(missed)}." if missed else planted


def _row(defect: PlantedDefect, titles: dict[str, str]) -> Row:
    seen = _named(defect.seen_by, titles) if defect.seen_by else "–"
    noticed = (f"noticed, but not blocked, by {_named(defect.noticed_by, titles)}",) if defect.noticed_by else ()
    outcome = Cell(defect.outcome.value, strong=defect.outcome is DefectOutcome.NOT_SEEN)
    return Row((Cell(defect.title, strong=True), Cell(defect.done), Cell(seen, noticed), outcome))


def _named(ids: tuple[str, ...], titles: dict[str, str]) -> str:
    shown = [titles.get(id_, id_) for id_ in ids[:_MOST_NAMED]]
    more = [f"{len(ids) - _MOST_NAMED:,} more"] if len(ids) > _MOST_NAMED else []
    return joined([*shown, *more])
