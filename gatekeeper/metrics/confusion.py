"""Proportions of a confusion table.

Source: Maier-Hein, Reinke et al., "Metrics reloaded", Nature Methods 2024, doi 10.1038/s41592-023-02151-z.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gatekeeper.metrics.specification import Metric, Suite

_SOURCE = "Metrics Reloaded (Maier-Hein et al., Nat Methods 2024, doi 10.1038/s41592-023-02151-z)"

_SHARE = (
    "Clopper-Pearson (or the method that the policy names); on the effective number of cases (Korn & Graubard) where a "
    "patient has several"
)
_AT_PREVALENCE = "; at a prevalence: logit of Mercaldo, Lau & Zhou"

Counts = NDArray[np.float64]


@dataclass(frozen=True)
class ConfusionTable:
    """Counts of calls against labels, one table or many: four arrays of one shape (...)."""

    tp: Counts
    fp: Counts
    fn: Counts
    tn: Counts

    @classmethod
    def of(cls, counts: Counts) -> ConfusionTable:
        """Read counts of shape (..., 4), the last axis in the order tp, fp, fn, tn."""
        return cls(tp=counts[..., 0], fp=counts[..., 1], fn=counts[..., 2], tn=counts[..., 3])


@dataclass(frozen=True)
class Proportion:
    """Hits among trials; undefined where there are no trials."""

    hits: Counts
    trials: Counts

    @property
    def value(self) -> NDArray[np.float64]:
        """Hits over trials, NaN where trials is 0."""
        nothing = np.full(np.shape(self.trials), np.nan)
        return np.asarray(np.divide(self.hits, self.trials, out=nothing, where=self.trials > 0))


def confusion_by_patient(
    called: NDArray[np.bool_], label: NDArray[np.int8], patient: NDArray[np.intp], patients: int
) -> Counts:
    """Count tp, fp, fn, tn for each patient.

    Parameters
    ----------
    called, label, patient : arrays of length n; ``patient`` holds codes from 0 to ``patients`` - 1

    Returns
    -------
    Counts of shape (patients, 4) in the order tp, fp, fn, tn.
    """
    positive = label == 1
    cells = (called & positive, called & ~positive, ~called & positive, ~called & ~positive)
    return np.stack([np.bincount(patient[cell], minlength=patients) for cell in cells], axis=1).astype(np.float64)


def sensitivity(table: ConfusionTable) -> Proportion:
    """Share of positive cases that were called: TP / (TP + FN)."""
    return Proportion(table.tp, table.tp + table.fn)


def specificity(table: ConfusionTable) -> Proportion:
    """Share of negative cases that were not called: TN / (TN + FP)."""
    return Proportion(table.tn, table.tn + table.fp)


def precision(table: ConfusionTable) -> Proportion:
    """Share of alarms that are right: TP / (TP + FP). Depends on the prevalence in the test set."""
    return Proportion(table.tp, table.tp + table.fp)


def npv(table: ConfusionTable) -> Proportion:
    """Share of all-clears that are right: TN / (TN + FN). Depends on the prevalence in the test set."""
    return Proportion(table.tn, table.tn + table.fn)


def accuracy(table: ConfusionTable) -> Proportion:
    """Share of cases that were called right: (TP + TN) / n. Depends on the prevalence in the test set."""
    return Proportion(table.tp + table.tn, table.tp + table.fp + table.fn + table.tn)


def recall_rate(table: ConfusionTable) -> Proportion:
    """Share of cases that were called, rightly or not: (TP + FP) / n."""
    return Proportion(table.tp + table.fp, table.tp + table.fp + table.fn + table.tn)


def detection_rate(table: ConfusionTable) -> Proportion:
    """Share of all cases that are positive and were called: TP / n."""
    return Proportion(table.tp, table.tp + table.fp + table.fn + table.tn)


SENSITIVITY = Metric(
    name="sensitivity",
    aliases=("recall",),
    title="Sensitivity",
    suite=Suite.PERFORMANCE,
    definition="TP / (TP + FN): share of positive cases that the candidate called",
    source=_SOURCE,
    undefined="no positive case",
    n_of="positive cases",
    interval=_SHARE,
    options=frozenset({"interval", "at_specificity"}),
    proportion=sensitivity,
)
SPECIFICITY = Metric(
    name="specificity",
    title="Specificity",
    suite=Suite.PERFORMANCE,
    definition="TN / (TN + FP): share of negative cases that the candidate did not call",
    source=_SOURCE,
    undefined="no negative case",
    n_of="negative cases",
    interval=_SHARE,
    options=frozenset({"interval", "at_sensitivity"}),
    proportion=specificity,
)
PRECISION = Metric(
    name="precision",
    aliases=("ppv",),
    title="Precision (PPV)",
    suite=Suite.PERFORMANCE,
    definition=(
        "TP / (TP + FP): share of alarms that are right. With at_prevalence p: "
        "Se p / (Se p + (1 - Sp)(1 - p)), Bayes' rule"
    ),
    source=_SOURCE + "; at a prevalence: Mercaldo, Lau & Zhou, Stat Med 2007, doi 10.1002/sim.2677",
    undefined="no case was called positive",
    n_of="alarms",
    interval=_SHARE + _AT_PREVALENCE,
    options=frozenset({"interval", "at_prevalence"}),
    proportion=precision,
)
NPV = Metric(
    name="npv",
    title="Negative predictive value",
    suite=Suite.PERFORMANCE,
    definition=(
        "TN / (TN + FN): share of all-clears that are right. With at_prevalence p: "
        "Sp (1 - p) / (Sp (1 - p) + (1 - Se) p), Bayes' rule"
    ),
    source=_SOURCE + "; at a prevalence: Mercaldo, Lau & Zhou, Stat Med 2007, doi 10.1002/sim.2677",
    undefined="every case was called positive",
    n_of="all-clears",
    interval=_SHARE + _AT_PREVALENCE,
    options=frozenset({"interval", "at_prevalence"}),
    proportion=npv,
)
ACCURACY = Metric(
    name="accuracy",
    title="Accuracy",
    suite=Suite.PERFORMANCE,
    definition="(TP + TN) / n: share of cases that were called right. Depends on the prevalence in the test set",
    source=_SOURCE,
    undefined="no case",
    n_of="cases",
    interval=_SHARE,
    options=frozenset({"interval"}),
    proportion=accuracy,
)
RECALL_RATE = Metric(
    name="abnormal_interpretation_rate",
    aliases=("recall_rate", "call_back_rate"),
    title="Abnormal interpretation rate",
    suite=Suite.PERFORMANCE,
    definition="(TP + FP) / n: share of examinations called positive; at_prevalence p: Se p + (1 - Sp)(1 - p)",
    source="ACR BI-RADS Atlas, 5th edition 2013, follow-up and outcome monitoring: abnormal interpretation rate",
    undefined="no case",
    n_of="cases",
    interval=_SHARE + "; at a prevalence: exact limits of sensitivity and specificity, combined by Bonferroni",
    caution="at a prevalence the limits are wider than they need be: both rates are taken at their worst together",
    higher_is_better=False,
    options=frozenset({"interval", "at_prevalence"}),
    proportion=recall_rate,
)
DETECTION_RATE = Metric(
    name="detection_rate",
    aliases=("cancer_detection_rate",),
    title="Detection rate",
    suite=Suite.PERFORMANCE,
    definition="TP / n: positive cases that were called among all examined, 0.5 % being 5 per 1,000; "
    "at_prevalence p: Se p",
    source="ACR BI-RADS Atlas, 5th edition 2013, follow-up and outcome monitoring: cancer detection rate",
    undefined="no case",
    n_of="cases",
    interval=_SHARE + "; at a prevalence: the limits of sensitivity, times the prevalence",
    options=frozenset({"interval", "at_prevalence"}),
    proportion=detection_rate,
)
