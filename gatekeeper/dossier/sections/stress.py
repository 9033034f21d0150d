"""Robustness: dose and response, what is lost at each severity, where requirements break, how far they hold."""

from __future__ import annotations

from itertools import groupby

from gatekeeper.dossier import numerals
from gatekeeper.dossier.blocks import Block, Cell, Column, Figure, Heading, Paragraph, Points, Row, Table
from gatekeeper.dossier.charts import Drawing, ladder_chart, response_range
from gatekeeper.dossier.material import DossierMaterial, Ladder, LadderStep
from gatekeeper.dossier.sections.found import words_of
from gatekeeper.dossier.wording import plain_name
from gatekeeper.evidence.notation import write_magnitude
from gatekeeper.metrics import Suite
from gatekeeper.suites.stress_summary import CorruptionError, Held

_HALF, _THIRD = 222.0, 144.0


def robustness(material: DossierMaterial) -> tuple[Block, ...]:
    """Show dose and response of every ladder, then what they mean in tables and in words for the labelling."""
    words = words_of(material, Suite.ROBUSTNESS)
    if not material.ladders:
        return (*words, Paragraph("The policy asks for no perturbation ladder."))
    return (
        *words,
        *_figures(material.ladders),
        _breaking_points(material.ladders),
        *_lost(material.ladders),
        *_errors(material.corruption_errors),
        *_envelope(material.envelope),
    )


def _figures(ladders: tuple[Ladder, ...]) -> tuple[Figure, ...]:
    by_title = {title: [ladder for ladder in ladders if ladder.requirement == title] for title in _titles(ladders)}
    return tuple(
        Figure(
            _side_by_side(those),
            f"{title} as the perturbation grows, with its interval at each severity. Dashed line: threshold. Disc: "
            "still met. Cross: no longer met. Triangle: breaking point. “None” is the baseline.",
        )
        for title, those in by_title.items()
    )


def _titles(ladders: tuple[Ladder, ...]) -> list[str]:
    return list(dict.fromkeys(ladder.requirement for ladder in ladders))


def _side_by_side(ladders: list[Ladder]) -> tuple[Drawing, ...]:
    width = _HALF if len(ladders) in (1, 2, 4) else _THIRD
    span = response_range(ladders)
    return tuple(ladder_chart(ladder, span, width) for ladder in ladders)


def _breaking_points(ladders: tuple[Ladder, ...]) -> Table:
    columns = (
        Column("Perturbation", 26.0),
        Column("Requirement followed", 26.0),
        Column("Without", 12.0, "right"),
        Column("Strongest step met", 18.0, "right"),
        Column("Breaks at", 18.0, "right"),
    )
    return Table("Breaking points", columns, tuple(_ladder_row(ladder) for ladder in ladders))


def _ladder_row(ladder: Ladder) -> Row:
    broken = ladder.breaking_point
    style = numerals.Style.SHARE if ladder.of_shares else numerals.Style.PLAIN
    without = "–" if ladder.baseline.estimate is None else numerals.number(ladder.baseline.estimate, style)
    met = len(ladder.steps) if broken is None else broken - 1
    strongest = _step(ladder, met) if met > 0 else "none"
    breaks = "not on this ladder" if broken is None else "already without" if broken == 0 else _step(ladder, broken)
    return Row(
        (
            Cell(plain_name(ladder.perturbation), strong=True),
            Cell(ladder.requirement),
            Cell(without),
            Cell(strongest),
            Cell(breaks),
        )
    )


def _step(ladder: Ladder, severity: int) -> str:
    magnitude = next((step.magnitude for step in ladder.steps if step.severity == severity), None)
    return f"{severity}" if magnitude is None else f"{severity}: {write_magnitude(magnitude, ladder.unit)}"


def _lost(ladders: tuple[Ladder, ...]) -> tuple[Block, ...]:
    """Show what is lost at each severity: points of a share, with paired intervals."""
    shown = [ladder for ladder in ladders if ladder.of_shares and any(step.lost for step in ladder.steps)]
    if not shown:
        return ()
    most = max(len(ladder.steps) for ladder in shown)
    columns = (
        Column("Perturbation", 24.0),
        *(Column(f"Severity {severity}", 76.0 / most, "right") for severity in range(1, most + 1)),
    )
    rows: list[Row] = []
    for title, those in groupby(shown, key=lambda ladder: ladder.requirement):
        rows.append(Row(group=title))
        rows += [
            Row(
                (
                    Cell(plain_name(ladder.perturbation), strong=True),
                    *(_lost_cell(step) for step in ladder.steps),
                    *(Cell() for _ in range(most - len(ladder.steps))),
                )
            )
            for ladder in those
        ]
    told = (
        "Points lost against the baseline on the same cases, with the interval of the paired difference below. A "
        "number below 0 is a gain."
    )
    return Table("Lost at each severity", columns, tuple(rows)), Paragraph(told, quiet=True)


def _lost_cell(step: LadderStep) -> Cell:
    if step.lost is None:
        return Cell("–")
    lost, lower, upper = step.lost
    limits = () if lower is None or upper is None else (f"{_points(lower)} to {_points(upper)}",)
    return Cell(_points(lost), below=limits)


def _points(share: float) -> str:
    return f"{share * 100.0:z.1f}".replace("-", "−")


def _errors(errors: tuple[CorruptionError, ...]) -> tuple[Block, ...]:
    if not errors:
        return ()
    columns = (
        Column("Perturbation", 30.0),
        Column("Error", 30.0),
        Column("Without", 13.0, "right"),
        Column("Mean of severities", 14.0, "right"),
        Column("Added", 13.0, "right"),
    )
    rows = tuple(
        Row(
            (
                Cell(plain_name(error.perturbation), strong=True),
                Cell(error.what),
                Cell(numerals.number(error.without, numerals.Style.SHARE)),
                Cell(numerals.number(error.mean, numerals.Style.SHARE)),
                Cell(f"{_points(error.added)} points"),
            )
        )
        for error in errors
    )
    told = (
        "The error averaged over the severities of a ladder, as MedMNIST-C has it, without its division by a reference "
        "network. It compares candidates on one ladder, and says nothing on another."
    )
    return Table("Corruption errors", columns, rows), Paragraph(told, quiet=True)


def _envelope(envelope: tuple[Held, ...]) -> tuple[Block, ...]:
    if not envelope:
        return ()
    told = (
        "What the labelling can say. A requirement holds where the limit that the policy names clears its threshold, "
        "at this severity and all before it; it says nothing on perturbations that were not tried, or on two at a time."
    )
    shut = [title for title in dict.fromkeys(held.requirement for held in envelope) if _never_held(title, envelope)]
    items = [(plain_name(held.perturbation), held.words) for held in envelope if held.requirement not in shut]
    if shut:
        items.append(("Without stress", f"Not shown to hold even then, so nothing is said of it: {'; '.join(shut)}."))
    return Heading("Operating envelope"), Paragraph(told, quiet=True), Points(tuple(items))


def _never_held(title: str, envelope: tuple[Held, ...]) -> bool:
    return all(held.steps < 0 for held in envelope if held.requirement == title)
