"""What calls are worth to those who act on them.

Sources: Vickers & Elkin, "Decision curve analysis", Med Decis Making 2006;26:565 (net benefit); Maier-Hein, Reinke et
al., "Metrics reloaded", Nature Methods 2024, doi 10.1038/s41592-023-02151-z (expected cost); Linn & Grunau, "New
patient-oriented summary measure of net total gain in certainty for dichotomous diagnostic tests", Epidemiol Perspect
Innov 2006;3:11 (number needed to predict, the reciprocal of the predictive summary index).
"""

from __future__ import annotations

import numpy as np

from gatekeeper.metrics.confusion import ConfusionTable, Counts, npv, precision
from gatekeeper.metrics.specification import Metric, Suite

_RECOVERED = "MOVER (Zou & Donner, Stat Med 2008;27:1693) of Wilson limits of sensitivity and specificity"
_OF_SET = "; without at_prevalence, also of the share of positives; on effective numbers where a patient has several"
_MOST = 1_000_000.0


def net_benefit(table: ConfusionTable, at_threshold_probability: float) -> Counts:
    """Return (TP - FP w) / n, w = p_t / (1 - p_t) the odds of the threshold probability; NaN of no case.

    In units of true positives a case: the prevalence at most. Calling nobody gives 0.
    """
    odds = at_threshold_probability / (1.0 - at_threshold_probability)
    cases = table.tp + table.fp + table.fn + table.tn
    return _over(table.tp - odds * table.fp, cases)


def expected_cost(table: ConfusionTable, miss_cost: float) -> Counts:
    """Return (FP + c FN) / n, c the cost of a missed case in false alarms; NaN of no case. 0 without an error."""
    return _over(table.fp + miss_cost * table.fn, table.tp + table.fp + table.fn + table.tn)


def predictive_summary_index(table: ConfusionTable) -> Counts:
    """Return PPV + NPV - 1, in [-1, 1]; NaN where all calls are alike."""
    return precision(table).value + npv(table).value - 1.0


def number_needed_to_predict(table: ConfusionTable) -> Counts:
    """Return 1 / (PPV + NPV - 1), 1 or more; NaN where all calls are alike.

    Where calls tell nothing (PPV + NPV at most 1) no number of patients is enough; it is then given as 1,000,000.
    """
    index = predictive_summary_index(table)
    most = np.full(np.shape(index), _MOST)
    needed = np.divide(1.0, index, out=most, where=np.asarray(index) > 1.0 / _MOST)
    return np.asarray(np.where(np.isnan(index), np.nan, needed))


def _over(above: Counts, below: Counts) -> Counts:
    nothing = np.full(np.shape(below), np.nan)
    return np.asarray(np.divide(above, below, out=nothing, where=np.asarray(below) > 0))


NET_BENEFIT = Metric(
    name="net_benefit",
    title="Net benefit",
    suite=Suite.PERFORMANCE,
    definition="(TP - FP w) / n with w = p_t / (1 - p_t), the odds of the threshold probability: how many false alarms "
    "one found case is worth. At_prevalence p: Se p - (1 - Sp)(1 - p) w",
    source="Vickers & Elkin, Med Decis Making 2006;26:565",
    undefined="a class has no case",
    n_of="cases",
    interval=_RECOVERED + _OF_SET,
    convention="at the operating point's own calls; not divided by the prevalence",
    lowest=-_MOST,
    options=frozenset({"at_threshold_probability", "at_prevalence"}),
    must=frozenset({"at_threshold_probability"}),
    of_table=net_benefit,
)
EXPECTED_COST = Metric(
    name="expected_cost",
    title="Expected cost",
    suite=Suite.PERFORMANCE,
    definition="(FP + c FN) / n, c the cost of a missed case in false alarms (miss_cost). At_prevalence p: "
    "(1 - Sp)(1 - p) + c (1 - Se) p",
    source="Metrics Reloaded (Maier-Hein et al., Nat Methods 2024, doi 10.1038/s41592-023-02151-z)",
    undefined="a class has no case",
    n_of="cases",
    interval=_RECOVERED + _OF_SET,
    convention="in false alarms a case; not divided by the cost of the best blind call",
    highest=_MOST,
    higher_is_better=False,
    options=frozenset({"miss_cost", "at_prevalence"}),
    must=frozenset({"miss_cost"}),
    of_table=expected_cost,
)
NUMBER_NEEDED_TO_PREDICT = Metric(
    name="number_needed_to_predict",
    aliases=("nnp",),
    title="Number needed to predict",
    suite=Suite.PERFORMANCE,
    definition="1 / (PPV + NPV - 1): patients to examine for one more right prediction than chance gives",
    source="Linn & Grunau, Epidemiol Perspect Innov 2006;3:11; FDA draft guidance on AI-enabled device software "
    "functions (2025-01-07), worked example",
    undefined="all calls are alike",
    n_of="cases",
    interval="reciprocals of the limits of PPV + NPV - 1: " + _RECOVERED + _OF_SET,
    convention="without bound where calls tell nothing: given as 1,000,000",
    unit="count",
    lowest=1.0,
    highest=_MOST,
    higher_is_better=False,
    options=frozenset({"at_prevalence"}),
    of_table=number_needed_to_predict,
)
