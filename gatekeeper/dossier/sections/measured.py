"""What was measured: performance, repeatability, latency."""

from __future__ import annotations

import math

from gatekeeper.dossier import numerals
from gatekeeper.dossier.blocks import Block, Cell, Column, Facts, Figure, Paragraph, Points, Row, Table
from gatekeeper.dossier.charts import (
    latency_chart,
    percentile,
    repeatability_chart,
    roc_chart,
)
from gatekeeper.dossier.material import DossierMaterial
from gatekeeper.dossier.sections import structures
from gatekeeper.evidence import Finding
from gatekeeper.metrics import Suite

_WHOLE = 1e-6
_PERCENTILES = (50.0, 90.0, 95.0, 99.0)


def performance(material: DossierMaterial) -> tuple[Block, ...]:
    """Show the ROC curve with the operating point, and the counts behind sensitivity and specificity.

    Of what outlines or measures, show values by structure instead.
    """
    if material.policy.context.task in ("segmentation", "quantification"):
        return structures.performance(material)
    cut = material.candidate.contract.operating_point
    blocks: list[Block] = [
        Paragraph(f"A case is called positive when its score is at or above the operating point, {cut:g}.")
    ]
    counts = confusion_counts(material)
    if counts is not None:
        blocks.append(_confusion(counts))
    if material.roc is None:
        blocks.append(Paragraph("There is no ROC curve: it needs scores of positive and of negative cases."))
    else:
        caption = "ROC curve over all cases that are no repeats. The dashed diagonal is chance."
        blocks.append(Figure((roc_chart(material.roc),), caption))
    return tuple(blocks)


def confusion_counts(material: DossierMaterial) -> tuple[int, int, int, int] | None:
    """Return tp, fn, fp, tn from the findings on sensitivity and specificity, or None when they do not give them."""
    pairs = []
    for metric in ("sensitivity", "specificity"):
        found = next((f for f in material.verdict.findings if f.metric == metric and not f.subgroup), None)
        if found is None or found.estimate is None or found.n <= 0:
            return None
        hits = found.estimate * found.n
        if abs(hits - round(hits)) > _WHOLE * found.n:
            return None
        pairs.append((round(hits), found.n - round(hits)))
    (tp, fn), (tn, fp) = pairs
    return tp, fn, fp, tn


def _confusion(counts: tuple[int, int, int, int]) -> Table:
    tp, fn, fp, tn = counts
    columns = (
        Column("", 28.0),
        Column("Called positive", 24.0, "right"),
        Column("Not called", 24.0, "right"),
        Column("All", 24.0, "right"),
    )
    rows = (("Positive cases", tp, fn), ("Negative cases", fp, tn), ("All cases", tp + fp, fn + tn))
    return Table(
        "Calls against labels",
        columns,
        tuple(
            Row((Cell(name, strong=True), *(Cell(f"{n:,}") for n in (called, missed, called + missed))))
            for name, called, missed in rows
        ),
        narrow=True,
    )


def repeatability(material: DossierMaterial) -> tuple[Block, ...]:
    """Show how repeats of one subject differ, and say what each requirement on it found."""
    blocks: list[Block] = [*words_of(material, Suite.REPEATABILITY)]
    measured = structures.repeats(material)
    if measured:
        return (*blocks, *measured)
    scatter = material.repeatability
    if scatter is None or not scatter.mean:
        return (*blocks, Paragraph("The test set has no repeated subjects."))
    subjects, flips = len(scatter.mean), sum(scatter.flipped)
    caption = (
        f"Each mark is one of {numerals.counted(subjects, 'subject')} with repeats. Ring: same call every time "
        f"({subjects - flips:,}). Diamond: calls differ ({flips:,})."
    )
    chart = repeatability_chart(scatter, material.candidate.contract.operating_point)
    return (*blocks, Figure((chart,), caption))


def latency(material: DossierMaterial) -> tuple[Block, ...]:
    """Show the distribution of timed calls, its percentiles, and the machine on which they were timed."""
    words = words_of(material, Suite.LATENCY)
    seconds = material.latency_seconds
    if not seconds:
        return (*words, Paragraph("No call was timed."))
    wanted = [finding.threshold.value for finding in _findings(material, Suite.LATENCY)]
    ordered = sorted(seconds)
    answered = [value for value in ordered if math.isfinite(value)]
    if not answered:
        return (*words, Paragraph(f"None of {numerals.counted(len(seconds), 'timed call')} gave an answer."))
    named = [(f"p{percent:g}", _time(percentile(ordered, percent))) for percent in _PERCENTILES]
    summary = ", ".join(f"{name} {value}" for name, value in [*named, ("slowest", _time(answered[-1]))])
    failed = len(seconds) - len(answered)
    summary += f", {failed:,} without an answer" if failed else ""
    environment = material.environment
    protocol = material.policy.latency
    facts = (
        ("Percentiles", f"{summary} ({numerals.counted(len(seconds), 'timed call')})"),
        ("Protocol", f"batch size 1, cases in turn, after {numerals.counted(protocol.warm_up_calls, 'warm-up call')}"),
        ("Device", f"{environment.device_name} ({environment.device}), {environment.numeric_format}"),
        (
            "Processor",
            f"{environment.processor}, {numerals.counted(environment.cores, 'core')}, "
            f"{numerals.counted(environment.threads, 'thread')} used",
        ),
    )
    caption = "Share of calls that were done by a time. A duration is the one kind of number that differs between runs."
    return (*words, Figure((latency_chart(seconds, sorted(set(wanted))),), caption), Facts(facts))


def _time(seconds: float) -> str:
    return numerals.number(seconds, numerals.Style.TIME) if math.isfinite(seconds) else "no answer"


def _findings(material: DossierMaterial, suite: Suite) -> list[Finding]:
    return [f for f in material.verdict.findings if f.suite == suite.value and not f.subgroup]


def words_of(material: DossierMaterial, suite: Suite) -> tuple[Block, ...]:
    """Say what the requirements of one suite found."""
    found = _findings(material, suite)
    return (
        (Points(tuple((f"{finding.title}: {finding.outcome.value}.", finding.words) for finding in found)),)
        if found
        else ()
    )
