"""Whether scores are probabilities: the reliability diagram and the metrics of calibration."""

from __future__ import annotations

from collections.abc import Iterator

from gatekeeper.dossier import numerals
from gatekeeper.dossier.blocks import Block, Cell, Column, Figure, Heading, Paragraph, Row, Table
from gatekeeper.dossier.charts import reliability_chart
from gatekeeper.dossier.curves import Reliability
from gatekeeper.dossier.material import DossierMaterial
from gatekeeper.metrics import METRICS
from gatekeeper.suites import Measurement

_COLUMNS = (
    Column("Metric", 40.0),
    Column("Value", 14.0, "right"),
    Column("Interval", 22.0, "right"),
    Column("n", 24.0),
)


def calibration(material: DossierMaterial) -> Iterator[Block]:
    """Show how scores stand to shares; nothing where answers are no probabilities of a class."""
    found = material.shown.reliability
    if found is None:
        return
    yield Heading("Calibration")
    yield Figure((reliability_chart(found),), _caption(found))
    rows = tuple(_row(METRICS.get(name).title, measured) for name, measured in found.measured)
    yield Table("Metrics of calibration", _COLUMNS, rows)
    yield Paragraph(
        "Shares of positive cases are those of this test set: where prevalence differs in use, calibration does too. A "
        "calibration error is above 0 even where scores are right, since cases are few.",
        quiet=True,
    )


def _caption(found: Reliability) -> str:
    replaced = (
        f" {numerals.counted(found.replaced, 'case')} without an answer counted with the probability that the policy "
        "makes of a failure: where that is wrong, certainty of the other class."
        if found.replaced
        else ""
    )
    return (
        "Discs: bins of equal width, mean score against share of positive cases, with exact limits (Clopper-Pearson, "
        "on the effective number of cases where a patient has several in a bin). On the dashed diagonal a score is the "
        f"probability that it says. Bars: cases by score, the dark part positive.{replaced}"
    )


def _row(title: str, measured: Measurement) -> Row:
    between = numerals.between(measured.limits, numerals.Style.SHARE) if measured.limits else "none"
    value = "–" if measured.rounded is None else numerals.number(measured.rounded, numerals.Style.SHARE)
    level = numerals.confidence(measured.interval.confidence) if measured.interval else ""
    counted = f"{measured.n:,} {measured.n_of}"
    return Row(
        (
            Cell(title, (measured.method,)),
            Cell(value, strong=True),
            Cell(between, (level,) if level else ()),
            Cell(counted, (numerals.counted(measured.patients, "patient"),)),
        )
    )
