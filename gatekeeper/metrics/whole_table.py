"""Metrics of a whole confusion table, which are no share of counted cases.

Source: Maier-Hein, Reinke et al., "Metrics reloaded", Nature Methods 2024, doi 10.1038/s41592-023-02151-z.
"""

from __future__ import annotations

import numpy as np

from gatekeeper.metrics.confusion import ConfusionTable, Counts, sensitivity, specificity
from gatekeeper.metrics.specification import Metric, Suite

_SOURCE = "Metrics Reloaded (Maier-Hein et al., Nat Methods 2024, doi 10.1038/s41592-023-02151-z)"
_EFFECTIVE = "; on effective numbers of cases where a patient has several"
_NEWCOMBE = "Newcombe's hybrid score" + _EFFECTIVE
_RECOVERED = (
    "MOVER (Zou & Donner, Stat Med 2008;27:1693) of Wilson limits of sensitivity, specificity and the share of "
    "positives" + _EFFECTIVE
)
_FEW = "below 300 cases the limit on the far side of the demand is wrong in up to 5 % of test sets instead of 2.5 %"
_MOST_RATIO = 1_000_000.0


def youden(table: ConfusionTable) -> Counts:
    """Return Se + Sp - 1, in [-1, 1]; NaN where a class has no case."""
    return sensitivity(table).value + specificity(table).value - 1.0


def balanced_accuracy(table: ConfusionTable) -> Counts:
    """Return (Se + Sp) / 2, in [0, 1]; NaN where a class has no case."""
    return (sensitivity(table).value + specificity(table).value) / 2.0


def f_beta(table: ConfusionTable, beta: float) -> Counts:
    """Return (1 + β²) TP / ((1 + β²) TP + β² FN + FP), in [0, 1]; NaN where no case is positive and none was called."""
    weight = beta * beta
    hits = (1.0 + weight) * table.tp
    return _ratio(hits, hits + weight * table.fn + table.fp)


def f1(table: ConfusionTable) -> Counts:
    """Return ``f_beta`` with β = 1: 2 TP / (2 TP + FP + FN)."""
    return f_beta(table, 1.0)


def matthews(table: ConfusionTable) -> Counts:
    """Return the correlation of calls and labels, in [-1, 1]; NaN where calls, or labels, are all alike."""
    together = (table.tp + table.fp) * (table.tp + table.fn) * (table.tn + table.fp) * (table.tn + table.fn)
    return _ratio(table.tp * table.tn - table.fp * table.fn, np.sqrt(together))


def kappa(table: ConfusionTable) -> Counts:
    """Return (p_o - p_e) / (1 - p_e), in [-1, 1]; NaN where all calls and all labels are of one class."""
    by_chance = (table.tp + table.fp) * (table.fp + table.tn) + (table.tp + table.fn) * (table.fn + table.tn)
    return _ratio(2.0 * (table.tp * table.tn - table.fp * table.fn), by_chance)


def negative_likelihood_ratio(table: ConfusionTable) -> Counts:
    """Return (1 - Se) / Sp, 0 or more; NaN where a class has no case, or all negative cases were called."""
    return _ratio(1.0 - sensitivity(table).value, specificity(table).value)


def positive_likelihood_ratio(table: ConfusionTable) -> Counts:
    """Return Se / (1 - Sp), 0 or more; NaN where a class has no case, or no case was called.

    Where no negative case was called the ratio is infinite; it is then given as 1,000,000.
    """
    called, alarms = sensitivity(table).value, 1.0 - specificity(table).value
    ratio = _ratio(called, alarms)
    return np.asarray(np.where((alarms <= 0.0) & (called > 0.0), _MOST_RATIO, ratio))


def at_rates(sensitivity: Counts | float, specificity: Counts | float, prevalence: Counts | float) -> ConfusionTable:
    """Return the table of a large test set with these rates, in shares of all of its cases."""
    cells = (
        sensitivity * prevalence,
        (1.0 - specificity) * (1.0 - prevalence),
        (1.0 - sensitivity) * prevalence,
        specificity * (1.0 - prevalence),
    )
    return ConfusionTable(*(np.asarray(cell) for cell in cells))


def _ratio(above: Counts, below: Counts) -> Counts:
    nothing = np.full(np.shape(below), np.nan)
    return np.asarray(np.divide(above, below, out=nothing, where=np.asarray(below) > 0))


BALANCED_ACCURACY = Metric(
    name="balanced_accuracy",
    title="Balanced accuracy",
    suite=Suite.PERFORMANCE,
    definition="(Se + Sp) / 2: mean over both classes of the share of cases that were called right",
    source=_SOURCE,
    undefined="a class has no case",
    n_of="cases",
    interval=_NEWCOMBE,
    of_table=balanced_accuracy,
)
YOUDEN = Metric(
    name="youden",
    aliases=("informedness",),
    title="Youden's index",
    suite=Suite.PERFORMANCE,
    definition="Se + Sp - 1: 0 for calls that do not depend on the label",
    source="Youden, Cancer 1950;3:32; " + _SOURCE,
    undefined="a class has no case",
    n_of="cases",
    interval=_NEWCOMBE,
    lowest=-1.0,
    of_table=youden,
)
F1 = Metric(
    name="f1",
    title="F1 score",
    suite=Suite.PERFORMANCE,
    definition="2 TP / (2 TP + FP + FN): harmonic mean of precision and sensitivity. Depends on the test set's "
    "prevalence",
    source=_SOURCE,
    undefined="no case is positive and none was called",
    n_of="cases",
    interval=_RECOVERED,
    caution=_FEW,
    of_table=f1,
)
F_BETA = Metric(
    name="f_beta",
    title="F-beta score",
    suite=Suite.PERFORMANCE,
    definition="(1 + β²) TP / ((1 + β²) TP + β² FN + FP): sensitivity counts β times as much as precision. Depends on "
    "the test set's prevalence",
    source="van Rijsbergen, Information Retrieval, 2nd edition 1979, chapter 7; " + _SOURCE,
    undefined="no case is positive and none was called",
    n_of="cases",
    interval=_RECOVERED,
    caution=_FEW,
    options=frozenset({"beta"}),
    must=frozenset({"beta"}),
    of_table=f_beta,
)
MATTHEWS = Metric(
    name="matthews_correlation",
    aliases=("mcc",),
    title="Matthews correlation coefficient",
    suite=Suite.PERFORMANCE,
    definition="correlation of calls and labels: (TP TN - FP FN) / √((TP + FP)(TP + FN)(TN + FP)(TN + FN)). "
    "Depends on the test set's prevalence",
    source="Matthews, Biochim Biophys Acta 1975;405:442; " + _SOURCE,
    undefined="all calls, or all labels, are alike",
    n_of="cases",
    interval=_RECOVERED,
    caution=_FEW,
    lowest=-1.0,
    of_table=matthews,
)
KAPPA = Metric(
    name="kappa",
    aliases=("cohen_kappa",),
    title="Cohen's kappa",
    suite=Suite.PERFORMANCE,
    definition="(p_o - p_e) / (1 - p_e): agreement of calls and labels beyond chance. Depends on the test set's "
    "prevalence",
    source="Cohen, Educ Psychol Meas 1960;20:37; " + _SOURCE,
    undefined="all calls and labels are of one class",
    n_of="cases",
    interval=_RECOVERED,
    caution=_FEW,
    lowest=-1.0,
    of_table=kappa,
)
POSITIVE_LIKELIHOOD_RATIO = Metric(
    name="positive_likelihood_ratio",
    aliases=("lr_plus",),
    title="Positive likelihood ratio",
    suite=Suite.PERFORMANCE,
    definition="Se / (1 - Sp): how much the odds of the finding rise with an alarm",
    source="Simel, Samsa & Matchar, J Clin Epidemiol 1991;44:763; " + _SOURCE,
    undefined="a class has no case, or no case was called",
    convention="infinite where no negative case was called: given as 1,000,000",
    n_of="cases",
    interval="log method of Simel, Samsa & Matchar, exact limits by class where no negative case was called"
    + _EFFECTIVE,
    highest=_MOST_RATIO,
    of_table=positive_likelihood_ratio,
)
NEGATIVE_LIKELIHOOD_RATIO = Metric(
    name="negative_likelihood_ratio",
    aliases=("lr_minus",),
    title="Negative likelihood ratio",
    suite=Suite.PERFORMANCE,
    definition="(1 - Se) / Sp: how much the odds of the finding fall when there is no alarm",
    source="Simel, Samsa & Matchar, J Clin Epidemiol 1991;44:763; " + _SOURCE,
    undefined="a class has no case, or every negative case was called",
    n_of="cases",
    interval="log method of Simel, Samsa & Matchar, exact limits by class where no positive case was missed"
    + _EFFECTIVE,
    highest=_MOST_RATIO,
    higher_is_better=False,
    of_table=negative_likelihood_ratio,
)
