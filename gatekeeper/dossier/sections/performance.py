"""How often the candidate is right: curves with their limits, calibration, calls by class, wrong calls."""

from __future__ import annotations

from collections.abc import Iterator

from gatekeeper.dossier import numerals
from gatekeeper.dossier.blocks import Block, Cell, Column, Figure, Paragraph, Row, Table
from gatekeeper.dossier.charts import froc_chart, precision_recall_chart, roc_chart
from gatekeeper.dossier.curves import Band
from gatekeeper.dossier.material import DossierMaterial
from gatekeeper.dossier.sections import by_class, calibration, examples, structures

_WHOLE = 1e-6


def performance(material: DossierMaterial) -> tuple[Block, ...]:
    """Show curves with the operating point, the counts behind it, whether scores are probabilities, and wrong calls.

    Of what outlines or measures, show values by structure instead; of several classes, the calls by class.
    """
    task = material.policy.context.task
    if task in ("segmentation", "quantification"):
        return structures.performance(material)
    if task == "multiclass_classification":
        return by_class.performance(material)
    return (
        *_calls(material),
        *_findings(material),
        *_curves(material),
        *calibration.calibration(material),
        *examples.examples(material),
    )


def _calls(material: DossierMaterial) -> Iterator[Block]:
    cut = material.candidate.contract.operating_point
    score = "the highest score of its findings" if material.policy.context.task == "detection" else "its score"
    yield Paragraph(f"A case is called positive when {score} is at or above the operating point, {cut:g}.")
    counts = confusion_counts(material)
    if counts is not None:
        yield _confusion(counts)


def _findings(material: DossierMaterial) -> Iterator[Block]:
    found = material.shown.froc
    if found is None:
        return
    value, limits = found.score.rounded, found.score.limits
    score = (
        ""
        if value is None
        else f" Their mean, as the requirement on it has it, is {numerals.estimated(value, limits)}."
    )
    caption = (
        "Findings against reference lesions, all cases that are no repeats; the scale of false positives doubles from "
        "tick to tick. Discs: the sensitivities at the seven rates of LUNA16's score, each with the limits on which a "
        f"requirement at that rate would be decided, which take patients as a whole.{score} Ring: the operating point "
        "with the limits of both numbers. A case without an answer finds nothing and has as many false findings as the "
        "worst one answered, unless its failure costs otherwise."
    )
    yield Figure((froc_chart(found),), caption)


def _curves(material: DossierMaterial) -> Iterator[Block]:
    if material.roc is None:
        yield Paragraph("There is no ROC curve: it needs scores of positive and of negative cases.")
        return
    curves = [precision_recall_chart(curve) for curve in material.shown.precision_recall]
    caption = (
        "All cases that are no repeats. Ring: the operating point; bars: the limits of both rates, by the method of "
        f"their requirements. {_of_roc(material.roc.band)} The dashed diagonal is chance."
    )
    if curves:
        caption += f" {_of_precision(material.shown.precision_recall[0].band)}"
    yield Figure((roc_chart(material.roc), *curves[:1]), caption)
    if curves[1:]:
        caption = "The same at the prevalence that the policy declares, taken as known: the dashed line."
        yield Figure(tuple(curves[1:]), caption)


def _of_roc(band: Band | None) -> str:
    if band is None:
        return "No band is drawn: too few patients."
    return (
        f"Grey: {numerals.confidence(band.confidence)} limits of sensitivity at each specificity, point by point, not "
        f"for the whole curve at once ({band.method})."
    )


def _of_precision(band: Band | None) -> str:
    drawn = (
        "Grey there: limits of specificity at each sensitivity, by the same method, carried over by Bayes' rule."
        if band
        else "There is no band for it."
    )
    return (
        "Precision is that at the test set's own share of positives, taken as given: the dashed line, which calls at "
        f"random would reach. {drawn}"
    )


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
