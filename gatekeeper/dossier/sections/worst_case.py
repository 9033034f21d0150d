"""What cases without an answer cost: on answered cases alone, as judged, and with every one counted as wrong."""

from __future__ import annotations

from collections.abc import Iterator

from gatekeeper.dossier import numerals
from gatekeeper.dossier.blocks import Block, Cell, Column, Heading, Paragraph, Row, Table
from gatekeeper.dossier.curves import Costed, Unanswered
from gatekeeper.dossier.material import DossierMaterial
from gatekeeper.evidence import Threshold
from gatekeeper.suites import Measurement

_COLUMNS = (
    Column("Requirement", 25.0),
    Column("Threshold", 12.0),
    Column("Answered cases alone", 21.0, "right"),
    Column("As judged", 21.0, "right"),
    Column("Every one wrong", 21.0, "right"),
)


def worst_case(material: DossierMaterial) -> Iterator[Block]:
    """Show each requirement on performance three times; nothing where every subject was answered."""
    found = material.shown.unanswered
    if found is None:
        return
    yield Heading("What they cost at worst")
    yield Paragraph(_share(found))
    if found.costed:
        yield Table("Cases without an answer, counted in three ways", _COLUMNS, tuple(map(_row, found.costed)))
        yield Paragraph(_told(found), quiet=True)


def _share(found: Unanswered) -> str:
    n, answered = found.answered.n, found.answered
    told = f"{found.lost:,} of {numerals.counted(n, 'case')} that are no repeats got no answer: "
    told += numerals.number(found.lost / n, numerals.Style.PERCENT)
    if answered.limits and answered.interval:
        low, high = (1.0 - end for end in reversed(answered.limits))
        told += (
            f" ({numerals.between((low, high), numerals.Style.PERCENT)}, "
            f"{numerals.confidence(answered.interval.confidence)}, {answered.method})"
        )
    return f"{told}."


def _told(found: Unanswered) -> str:
    alike = all(_figures(one.judged) == _figures(one.worst) for one in found.costed)
    judged = (
        "What was judged is the worst case: the policy counts every case without an answer as wrong."
        if alike
        else "What was judged counts each failure as the policy declares."
    )
    return (
        f"Each with the interval of the requirement's own method. {judged} Wrong means: a positive case not called, a "
        "negative one called, a case called the class farthest from its own, a structure or a lesion missed. Answered "
        "cases alone are shown for comparison and judge nothing."
    )


def _figures(measured: Measurement) -> tuple[float | None, tuple[float, float] | None]:
    return measured.rounded, measured.limits


def _row(one: Costed) -> Row:
    style, wanted = numerals.style_of(one.requirement.spec.name, one.requirement.spec.unit), one.requirement.threshold
    return Row(
        (
            Cell(one.title, strong=True),
            Cell(numerals.threshold(wanted, style), (numerals.threshold_end(wanted),)),
            *(_cell(measured, wanted, style) for measured in (one.answered, one.judged, one.worst)),
        )
    )


def _cell(measured: Measurement, wanted: Threshold, style: numerals.Style) -> Cell:
    if measured.rounded is None:
        return Cell("undefined")
    limits = measured.limits
    between = " to ".join(numerals.beside(end, wanted.value, style) for end in limits) if limits else "no interval"
    outcome = wanted.outcome(measured.rounded, limits).value
    value = numerals.beside(measured.rounded, wanted.value, style)
    return Cell(value, (between, f"{outcome}, n {measured.n:,}"))
