"""Rows on subgroups: the groups of each requirement on one scale, the worst of them, and how far they lie apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from gatekeeper.dossier import numerals
from gatekeeper.dossier.blocks import Cell, Column, Row
from gatekeeper.dossier.charts import outcome_mark
from gatekeeper.dossier.charts.groups import common_span, gap_chart, group_chart
from gatekeeper.dossier.numerals import Style
from gatekeeper.dossier.wording import plain_name
from gatekeeper.evidence import Finding
from gatekeeper.suites.subgroups import Asked

COLUMNS = (
    Column("", 4.0),
    Column("Group", 24.0),
    Column("Estimate", 16.0, "right"),
    Column("Interval against threshold", 26.0),
    Column("Threshold", 13.0),
    Column("n", 17.0),
)
_GAP = "Gap, best to worst"
HOW_TO_READ = (
    "The groups of one requirement share a scale, whose ends stand below the worst of them. Which group is the worst, "
    "and which two lie farthest apart, is seen from the results: so these intervals hold for all groups, or all pairs "
    "of groups, together (Bonferroni). Groups are taken as independent samples."
)


def group_rows(findings: Iterable[Finding], gaps: Sequence[Asked] = ()) -> Iterator[Row]:
    """Return the rows of subgroup findings, in their order; ``gaps`` are shown where no finding bounds them."""
    blocks: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        blocks.setdefault((finding.id.partition("[")[0], next(iter(finding.subgroup))), []).append(finding)
    apart = {(one.requirement, one.attribute): one for one in gaps}
    for (id_, attribute), block in blocks.items():
        first = block[0]
        yield Row(group=f"{first.title}, by {plain_name(attribute)}")
        judged = [finding for finding in block if not _is_gap(finding)]
        span = common_span(judged)
        worst = next((next(iter(finding.subgroup.values())) for finding in judged if _is_worst(finding)), None)
        for finding in judged:
            name = next(iter(finding.subgroup.values()))
            yield _group_row(finding, span, strong=_is_worst(finding) or name == worst)
        gap = apart.get((id_, attribute))
        for finding in block:
            if _is_gap(finding):
                yield _gap_row(finding, gap)
        if gap is not None and gap.most is None:
            yield _unbounded_row(gap, first)


def _group_row(finding: Finding, span: tuple[float, float], *, strong: bool) -> Row:
    name = next(iter(finding.subgroup.values())) or "not given"
    if _is_worst(finding):
        name = f"Worst: {name}" if finding.estimate is not None else "Worst group"
    drawing = None
    if finding.estimate is not None:
        drawing = group_chart(finding, span, strong=strong, ends=_is_worst(finding))
    return Row((*_told(finding, name), Cell(drawing=drawing), *_held_against(finding)))


def _gap_row(finding: Finding, asked: Asked | None) -> Row:
    drawing = None
    if finding.estimate is not None:
        drawing = gap_chart(
            finding.words,
            finding.estimate,
            finding.interval,
            _style(finding),
            most=finding.threshold.value,
            outcome=finding.outcome,
        )
    named = _GAP if asked is None else f"{_GAP}: {_between(asked)}"
    return Row((*_told(finding, named), Cell(drawing=drawing), *_held_against(finding)))


def _unbounded_row(asked: Asked, like: Finding) -> Row:
    measured, style = asked.gap.measurement, _style(like)
    between, limits, written = _between(asked), measured.limits, "no interval"
    if limits is not None and measured.interval is not None:
        ends = " to ".join(numerals.number(limit, style) for limit in limits)
        written = f"{ends}, {_level(measured.interval.confidence)}"
    estimate = measured.rounded or 0.0
    words = f"Gap between {between}: {numerals.number(estimate, style)}"
    return Row(
        (
            Cell(),
            Cell(f"{_GAP}: {between}"),
            Cell(numerals.number(estimate, style), (written,), strong=True),
            Cell(drawing=gap_chart(words, estimate, limits, style)),
            Cell("not bounded"),
            Cell(f"{measured.n:,}", (measured.n_of, numerals.counted(measured.patients, "patient"))),
        )
    )


def _between(asked: Asked) -> str:
    return f"{asked.gap.best or 'not given'}, {asked.gap.worst or 'not given'}"


def _told(finding: Finding, name: str) -> tuple[Cell, ...]:
    reason = f": {finding.reason.value.lower().replace('_', ' ')}" if finding.reason else ""
    between = numerals.interval(finding)
    level = f", {_level(finding.confidence)}" if finding.confidence is not None and between else ""
    return (
        Cell(drawing=outcome_mark(finding.outcome)),
        Cell(name, (f"{finding.outcome.value}{reason}",)),
        Cell(numerals.estimate(finding), (f"{between}{level}" if between else "no interval",), strong=True),
    )


def _held_against(finding: Finding) -> tuple[Cell, ...]:
    threshold = numerals.threshold(finding.threshold, _style(finding))
    return (
        Cell(threshold, (numerals.threshold_end(finding.threshold),)),
        Cell(f"{finding.n:,}", (finding.n_of, numerals.counted(finding.patients, "patient"))),
    )


def _level(confidence: float) -> str:
    return numerals.confidence(round(confidence, 4))


def _style(finding: Finding) -> Style:
    return numerals.style_of(finding.metric, finding.unit)


def _is_worst(finding: Finding) -> bool:
    return finding.id.endswith("].worst")


def _is_gap(finding: Finding) -> bool:
    return finding.id.endswith("].gap")
