"""Calls of several classes: which were called what, and how each class fares against the rest."""

from __future__ import annotations

from gatekeeper.dossier import numerals
from gatekeeper.dossier.blocks import Block, Cell, Column, Paragraph, Row, Table
from gatekeeper.dossier.curves import ClassCalls
from gatekeeper.dossier.material import DossierMaterial
from gatekeeper.suites import Measurement

_MOST_COLUMNS = 12
_SHARES = (Column("Class", 28.0), Column("Sensitivity", 36.0), Column("Precision", 36.0))


def performance(material: DossierMaterial) -> tuple[Block, ...]:
    """Show the confusion table of all classes, then sensitivity and precision of each against the rest."""
    calls = material.shown.classes
    if calls is None:
        return (Paragraph("The evidence holds no probabilities of classes."),)
    told = "A case is called the class of the highest probability, the first one declared where two are equal."
    if calls.replaced:
        told += (
            f" {numerals.counted(calls.replaced, 'case')} without an answer counted as called the class farthest from "
            "the true one in the order of the classes."
        )
    rows = tuple(
        Row(
            (
                Cell(name, strong=True),
                Cell(_share(sensitivity), _of(sensitivity)),
                Cell(_share(precision), _of(precision)),
            )
        )
        for name, (sensitivity, precision) in zip(calls.names, calls.shares, strict=True)
    )
    return (Paragraph(told), _confusion(calls), Table("Each class against the rest", _SHARES, rows))


def _confusion(calls: ClassCalls) -> Block:
    """Return the table of counts; of more classes than fit across a page, only the calls that were wrong, by number."""
    if len(calls.names) > _MOST_COLUMNS:
        return _wrong(calls)
    width = 80.0 / (len(calls.names) + 1)
    columns = (
        Column("True class, called as:", 20.0),
        *(Column(name, width, "right") for name in (*calls.names, "All")),
    )
    lines = [(name, *row, sum(row)) for name, row in zip(calls.names, calls.counts, strict=True)]
    below = [sum(column) for column in zip(*calls.counts, strict=True)]
    lines.append(("All", *below, sum(below)))
    rows = tuple(
        Row((Cell(str(name), strong=True), *(Cell(f"{count:,}", strong=at == row) for at, count in enumerate(counts))))
        for row, (name, *counts) in enumerate(lines)
    )
    return Table("Calls against labels", columns, rows)


def _wrong(calls: ClassCalls) -> Table:
    pairs = [
        (count, name, calls.names[called])
        for at, (name, row) in enumerate(zip(calls.names, calls.counts, strict=True))
        for called, count in enumerate(row)
        if count and called != at
    ]
    ordered = sorted(pairs, key=lambda pair: -pair[0])
    columns = (Column("True class", 40.0), Column("Called", 40.0), Column("Cases", 20.0, "right"))
    rows = tuple(Row((Cell(name), Cell(called), Cell(f"{count:,}"))) for count, name, called in ordered)
    return Table("Wrong calls", columns, rows)


def _share(measured: Measurement) -> str:
    if measured.rounded is None:
        return "undefined"
    return numerals.estimated(measured.rounded, measured.limits)


def _of(measured: Measurement) -> tuple[str, ...]:
    return (f"of {measured.n:,} {measured.n_of}, {numerals.counted(measured.patients, 'patient')}",)
