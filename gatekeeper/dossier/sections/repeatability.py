"""Repeatability: how steady answers are at each level, which cases flipped, how true repeats scatter."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import groupby

from gatekeeper.dossier import numerals
from gatekeeper.dossier.blocks import Block, Cell, Column, Figure, Heading, Paragraph, Row, Table
from gatekeeper.dossier.charts import repeatability_chart
from gatekeeper.dossier.material import DossierMaterial
from gatekeeper.dossier.numerals import Style
from gatekeeper.dossier.sections import structures
from gatekeeper.dossier.sections.found import words_of
from gatekeeper.dossier.wording import plain_name
from gatekeeper.metrics import Suite
from gatekeeper.suites.repeat_summary import LevelSummary

_MOST_LISTED = 10  # cases that flipped, one row each
_MOST_SCORES = 6


def repeatability(material: DossierMaterial) -> tuple[Block, ...]:
    """Show how repeats of one subject differ, and say what each requirement on it found."""
    return (
        *words_of(material, Suite.REPEATABILITY),
        *_levels(material),
        *_flipped(material.levels),
        *_true_repeats(material),
    )


def _levels(material: DossierMaterial) -> Iterator[Block]:
    if not material.levels:
        return
    with_flips, with_dice = any(level.flips for level in material.levels), any(level.dice for level in material.levels)
    columns = (
        Column("Level", 30.0 - 13.0 * with_flips - 13.0 * with_dice),
        Column("n", 6.0, "right"),
        Column("Largest change", 10.0, "right"),
        *((Column("Flips", 13.0, "right"),) if with_flips else ()),
        *((Column("Dice, mean and least", 13.0, "right"),) if with_dice else ()),
        Column("wSD", 8.0, "right"),
        Column("wCV, %RC", 10.0, "right"),
        Column("RC", 9.0, "right"),
        Column("ICC", 8.0, "right"),
        Column("Limits of agreement", 19.0, "right"),
    )
    unit = "mL" if material.candidate.contract.input.axes == 3 else "mm²"
    rows: list[Row] = []
    of_structures = any(level.structure for level in material.levels)
    for structure, those in groupby(sorted(material.levels, key=_structure), key=_structure):
        if of_structures:
            name = f"{plain_name(structure).capitalize()}, in {unit}" if structure else "Score"
            rows.append(Row(group=name))
        rows += [_row(level, with_flips, with_dice) for level in those]
    yield Table("How steady answers are", columns, tuple(rows))
    yield Paragraph(_explained(material.levels), quiet=True)


def _structure(level: LevelSummary) -> str:
    return level.structure or ""


def _explained(levels: Sequence[LevelSummary]) -> str:
    told = [
        "n: cases, or subjects with true repeats. wSD, wCV: standard deviation and root mean square coefficient of "
        "variation within a subject; RC = 2.77 wSD, %RC = 2.77 wCV; ICC(2,1). Limits of agreement: mean difference ± "
        "1.96 standard deviations, the first answer less the other, and below them the mean difference."
    ]
    if any(level.runs > 2 for level in levels):
        told.append("Of several runs the limits are those of the run that differs most; all else is over all runs.")
    if any(level.flips for level in levels):
        told.append("A case flips when its answers are not all one call; below, the exact upper limit (95 %).")
    if any(level.structure for level in levels):
        told.append("Dice: of the outlines of two runs; after benign changes and of true repeats volumes are compared.")
    return " ".join(told)


def _row(level: LevelSummary, with_flips: bool, with_dice: bool) -> Row:
    flips = level.flips
    upper = () if flips is None or flips.upper is None else (f"at most {numerals.number(flips.upper, Style.PERCENT)}",)
    share = Cell("–") if flips is None else Cell(f"{flips.count:,} of {flips.n:,}", upper, strong=True)
    low, bias, high = (_value(number, level) for number in level.agreement or (None, None, None))
    cells = [
        Cell(_name(level), (_what(level),), strong=True),
        Cell(f"{level.n:,}"),
        Cell(_value(level.largest, level)),
        *((share,) if with_flips else ()),
        *((_dice(level),) if with_dice else ()),
        Cell(_value(level.sd, level)),
        Cell(_share(level.cv), () if level.cv is None else (_share(2.77 * level.cv),)),
        Cell(_value(level.coefficient, level)),
        Cell("–" if level.icc is None else numerals.number(level.icc, Style.SHARE)),
        Cell("–") if level.agreement is None else Cell(f"{low} to {high}", (bias,)),
    ]
    return Row(tuple(cells))


def _dice(level: LevelSummary) -> Cell:
    if level.dice is None:
        return Cell("–")
    mean, least = (numerals.number(number, Style.SHARE) for number in level.dice)
    return Cell(mean, (least,), strong=True)


def _name(level: LevelSummary) -> str:
    return f"{level.level}, {level.numeric_format}" if level.numeric_format else level.level


def _what(level: LevelSummary) -> str:
    more = level.runs - 1
    return {
        "R0": numerals.counted(more, "rerun"),
        "R1": "one at a time, last first",
        "R2": "another numeric format",
        "R3": numerals.counted(more, "benign change"),
    }.get(level.level, "true repeats")


def _value(number: float | None, level: LevelSummary) -> str:
    if number is None:
        return "–"
    small = level.structure is None or abs(number) < 1.0
    return numerals.number(number, Style.SMALL) if small else numerals.length(number)


def _share(number: float | None) -> str:
    return "–" if number is None else numerals.number(number, Style.PERCENT)


def _flipped(levels: Sequence[LevelSummary]) -> Iterator[Block]:
    """List the cases that flipped: one far from the operating point deserves a look."""
    rows: list[Row] = []
    for level in levels:
        cases = level.flips.cases if level.flips else ()
        if cases:
            left = len(cases) - _MOST_LISTED
            more = f", and {left:,} more" if left > 0 else ""
            listed = numerals.counted(min(len(cases), _MOST_LISTED), "case")
            rows.append(Row(group=f"{_name(level)}, {_what(level)}: {listed}{more}"))
            rows += [
                Row((Cell(case.case_id), Cell(_scores(case.scores)), Cell(numerals.number(case.distance, Style.SMALL))))
                for case in cases[:_MOST_LISTED]
            ]
    if rows:
        columns = (Column("Case", 36.0), Column("Scores", 40.0), Column("From the operating point", 24.0, "right"))
        yield Heading("Cases that flipped, the nearest to the operating point first")
        yield Table("Cases that flipped", columns, tuple(rows), narrow=True)


def _scores(scores: Sequence[float]) -> str:
    written = ["no answer" if math.isnan(score) else f"{score:.3f}" for score in scores[:_MOST_SCORES]]
    return ", ".join(written) + (", …" if len(scores) > _MOST_SCORES else "")


def _true_repeats(material: DossierMaterial) -> tuple[Block, ...]:
    measured = structures.repeats(material)
    if measured:
        return measured
    scatter = material.repeatability
    if scatter is None or not scatter.mean:
        return (Paragraph("The test set has no repeated subjects."),)
    subjects, flips = len(scatter.mean), sum(scatter.flipped)
    caption = (
        f"Each mark is one of {numerals.counted(subjects, 'subject')} with repeats. Ring: same call every time "
        f"({subjects - flips:,}). Diamond: calls differ ({flips:,})."
    )
    chart = repeatability_chart(scatter, material.candidate.contract.operating_point)
    return (Figure((chart,), caption),)
