"""Parts of sections 5 and 6 on what was outlined or measured: values by structure, cases, volumes, pictures."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from gatekeeper.dossier import numerals
from gatekeeper.dossier.blocks import Block, Cell, Column, Figure, Heading, Paragraph, Row, Table
from gatekeeper.dossier.charts import agreement_chart, overlay_picture, strip_chart
from gatekeeper.dossier.charts.agreement import FEWEST_FOR_LIMITS
from gatekeeper.dossier.charts.strip import median
from gatekeeper.dossier.material import DossierMaterial, StructureResult, StructureValue, VolumePairs
from gatekeeper.dossier.wording import plain_name
from gatekeeper.engine import MOST_CASES
from gatekeeper.metrics import Suite
from gatekeeper.policy import Policy
from gatekeeper.statistics.bland_altman import bland_altman, differences

_MOST_LISTED = 12  # cases, one row each
_MOST_CHARTS = 4
_USUAL = ("dice", "hausdorff_95")


def performance(material: DossierMaterial) -> tuple[Block, ...]:
    """Show what was measured of each structure, case by case where there are few, then pictures where they may be."""
    if not material.structures:
        return (Paragraph("The evidence holds nothing that was measured of a structure."),)
    told = (
        "Each structure is compared with its reference mask on the grid of the image; each case counts once. A case "
        "without an answer counts as a structure that was missed: overlap 0, a distance the diagonal of the volume."
    )
    blocks: list[Block] = [Paragraph(told)]
    for result in material.structures:
        blocks += _structure(material.policy, result)
    return (*blocks, *_pictures(material))


def repeats(material: DossierMaterial) -> tuple[Block, ...]:
    """Show how far volumes of true repeats lie apart; nothing where there are none."""
    blocks: list[Block] = []
    for result in material.structures:
        pairs = result.against_repeat
        if pairs.names:
            blocks.append(Paragraph(_apart(f"{plain_name(result.name)}, original less repeat", pairs)))
            blocks += _agreement(pairs, f"{_name(result)}: original less repeat")
    return tuple(blocks)


def _structure(policy: Policy, result: StructureResult) -> Iterator[Block]:
    lost = sum(not ok for ok in result.answered)
    cases = numerals.counted(len(result.cases), "case")
    yield Heading(f"{_name(result)}: {cases}, {lost:,} without an answer")
    yield _table(result)
    yield Paragraph(
        "Mean and interval are as a requirement on them is judged. Where few patients were looked at, an interval "
        "reaches to values that nobody has seen: it says what cannot be excluded.",
        quiet=True,
    )
    charts = tuple(
        strip_chart(value, result.answered, _threshold(policy, result, value)) for value in _drawn(policy, result)
    )
    if charts and len(result.cases) > 1:
        caption = (
            "Each ring is a case, a cross one without an answer at its cost. Below them the mean with its interval, "
            "which may reach beyond the scale. Dashed line: threshold. Box: the middle half of five cases or more."
        )
        yield Figure(charts, caption)
    if len(result.cases) <= _MOST_LISTED:
        yield _case_table(result)
    if result.against_reference.names:
        yield Paragraph(_apart(f"{plain_name(result.name)}, candidate less reference", result.against_reference))
        yield from _agreement(result.against_reference, f"{_name(result)}: candidate less reference")


def _table(result: StructureResult) -> Table:
    columns = (
        Column("Value", 30.0),
        Column("Mean", 12.0, "right"),
        Column("95 % interval", 20.0, "right"),
        Column("n", 12.0, "right"),
        Column("Median", 11.0, "right"),
        Column("Worst case", 15.0, "right"),
    )
    return Table(f"What was measured: {_name(result)}", columns, tuple(_row(result, value) for value in result.values))


def _row(result: StructureResult, value: StructureValue) -> Row:
    given = [number for number in value.values if math.isfinite(number)]
    worst = min(given, default=math.nan) if value.higher_is_better else max(given, key=abs, default=math.nan)
    where = result.cases[value.values.index(worst)] if given else ""
    between = "–" if value.interval is None else " to ".join(_number(end, value) for end in value.interval)
    return Row(
        (
            Cell(value.title, (value.unit,) if value.unit != "1" else (), strong=True),
            Cell("–" if value.estimate is None else _number(value.estimate, value), strong=True),
            Cell(between),
            Cell(f"{value.n:,}", (numerals.counted(value.patients, "patient"),)),
            Cell(_number(median(sorted(given)), value) if given else "–"),
            Cell(_number(worst, value) if given else "–", (where,) if where else ()),
        )
    )


def _case_table(result: StructureResult) -> Table:
    shown = result.values[:4]
    pairs = result.against_reference
    volumes = {name: both for name, *both in zip(pairs.names, pairs.first, pairs.second, strict=True)}
    width = 74.0 / (len(shown) + 2)
    columns = (
        Column("Case", 26.0),
        *(Column(value.title, width, "right") for value in shown),
        Column(f"Reference, {pairs.unit}", width, "right"),
        Column(f"Candidate, {pairs.unit}", width, "right"),
    )
    rows = []
    for at, name in enumerate(result.cases):
        candidate, reference = volumes.get(name, (math.nan, math.nan))
        rows.append(
            Row(
                (
                    Cell(name, () if result.answered[at] else ("no answer",), strong=True),
                    *(Cell(_number(value.values[at], value)) for value in shown),
                    Cell(_volume(reference)),
                    Cell(_volume(candidate)),
                )
            )
        )
    return Table(f"Every case: {_name(result)}", columns, tuple(rows))


def _drawn(policy: Policy, result: StructureResult) -> list[StructureValue]:
    """Choose what is drawn: what the policy asks of this structure, else the usual two."""
    asked = [value for value in result.values if _threshold(policy, result, value) is not None]
    usual = [value for value in result.values if value.metric in _USUAL]
    return (asked or usual)[:_MOST_CHARTS]


def _threshold(policy: Policy, result: StructureResult, value: StructureValue) -> float | None:
    """Return the strictest threshold that the policy sets on a value: of its blocking requirements, if it has any."""
    found = [
        (item.blocking, item.threshold.value)
        for item in policy.requirements.values()
        if item.spec.suite is Suite.PERFORMANCE
        and item.spec.name == value.metric
        and item.structure in (None, result.name)
        and value.title.startswith(item.spec.title + (f" within {item.tolerance_mm:g} mm" if item.tolerance_mm else ""))
    ]
    blocking = [number for blocks, number in found if blocks] or [number for _, number in found]
    return (max if value.higher_is_better else min)(blocking, default=None)


def _apart(what: str, pairs: VolumePairs) -> str:
    apart = [one - two for one, two in zip(pairs.first, pairs.second, strict=True)]
    mean = math.fsum(apart) / len(apart)
    said = f"Volume of {what}: {numerals.counted(len(apart), 'pair')}, mean difference {_volume(mean)} {pairs.unit}"
    limits = _limits(pairs)
    if limits is None:
        few = f"with fewer than {FEWEST_FOR_LIMITS} pairs no limits of agreement are drawn"
        return f"{said}, from {_volume(min(apart))} to {_volume(max(apart))}; {few}."
    return (
        f"{said}; limits of agreement {_volume(limits[0])} and {_volume(limits[2])} {pairs.unit} (mean less and plus "
        "1.96 standard deviations: Bland & Altman, Lancet 1986;1:307)."
    )


def _limits(pairs: VolumePairs) -> tuple[float, float, float] | None:
    if len(pairs.first) < FEWEST_FOR_LIMITS:
        return None
    found = bland_altman(differences(np.asarray(pairs.first), np.asarray(pairs.second)))
    return found.lower, found.bias, found.upper


def _agreement(pairs: VolumePairs, title: str) -> tuple[Block, ...]:
    chart = agreement_chart(pairs, title, _limits(pairs))
    if chart is None:
        return ()
    lines = " Full line: mean difference; dashed: limits of agreement." if _limits(pairs) else ""
    return (Figure((chart,), f"Difference of two volumes against their mean, each ring a case.{lines}"),)


def _pictures(material: DossierMaterial) -> Iterator[Block]:
    if not material.policy.dossier.pictures:
        yield Paragraph("The policy allows no pictures in the dossier (dossier: pictures).", quiet=True)
        return
    if not material.overlays:
        large = len(material.manifest.cases) > MOST_CASES
        why = f": the test set has more than {MOST_CASES:,} cases" if large else ""
        yield Paragraph(f"No case was kept for pictures{why}.", quiet=True)
        return
    yield Heading("Pictures of the worst cases and of the best one")
    caption = (
        "Slices through the middle of the reference. The patient's right is on the left side; in a sagittal slice the "
        "front is. Full line: reference. Dashed line: candidate. Where both run together only the dashes are seen."
    )
    names = list(dict.fromkeys(overlay.case_id for overlay in material.overlays))
    for name in names:
        drawings = tuple(overlay_picture(overlay) for overlay in material.overlays if overlay.case_id == name)
        yield Figure(drawings, caption if name == names[-1] else "")


def _name(result: StructureResult) -> str:
    return plain_name(result.name).capitalize()


def _number(number: float, value: StructureValue) -> str:
    if not math.isfinite(number):
        return "–"
    return numerals.length(number) if value.unit in ("mm", "mL") else numerals.number(number, numerals.Style.SHARE)


def _volume(volume: float) -> str:
    return f"{volume:,.1f}".replace("-", numerals.MINUS) if math.isfinite(volume) else "–"


def metrics_of(results: Sequence[StructureResult]) -> list[str]:
    """Return the names of all metrics that are shown."""
    return [value.metric for result in results for value in result.values]
