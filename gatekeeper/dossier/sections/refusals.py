"""What the candidate did with inputs that a safe product declines."""

from __future__ import annotations

from gatekeeper.dossier import numerals
from gatekeeper.dossier.blocks import Block, Cell, Column, Paragraph, Row, Table
from gatekeeper.dossier.material import DossierMaterial
from gatekeeper.dossier.sections.found import words_of
from gatekeeper.dossier.wording import plain_name
from gatekeeper.metrics import Suite
from gatekeeper.suites.refusal import Refusals


def refusals(material: DossierMaterial) -> tuple[Block, ...]:
    """Show the tries of each kind, and how many were declined, answered, or neither."""
    words = words_of(material, Suite.REFUSAL)
    if not material.refusals:
        return (*words, Paragraph("The policy lists no unusable inputs."))
    columns = (
        Column("Kind", 30.0),
        Column("Tries", 10.0, "right"),
        Column("Declined", 12.0, "right"),
        Column("Answered", 12.0, "right"),
        Column("Neither", 12.0, "right"),
        Column("Answered at most", 24.0, "right"),
    )
    told = (
        "Inputs that are the same to the candidate are one try. Answered: a failure. Neither: it crashed, took too "
        "long or too much memory, or its output did not hold. At most: one-sided 95 % upper limit of the share "
        "answered, exact (Clopper-Pearson), each try counted for itself."
    )
    rows = tuple(_row(kind) for kind in material.refusals)
    return (*words, Table("Unusable inputs", columns, rows), Paragraph(told, quiet=True))


def _row(found: Refusals) -> Row:
    name = Cell(plain_name(found.kind), strong=True)
    if not found.tries:
        return Row((name, Cell("0"), Cell("–"), Cell("–"), Cell("–"), Cell("not tried")))
    counts = (found.tries, found.refused, found.answered, found.failed)
    most = "–" if found.most_answered is None else numerals.number(found.most_answered, numerals.Style.PERCENT)
    return Row((name, *(Cell(f"{count:,}") for count in counts), Cell(most)))
