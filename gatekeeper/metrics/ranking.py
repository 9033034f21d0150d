"""Metrics of the order that scores give to cases, at no operating point."""

from __future__ import annotations

from gatekeeper.metrics.specification import Metric, Suite

_RELOADED = "Metrics Reloaded (Maier-Hein et al., Nat Methods 2024, doi 10.1038/s41592-023-02151-z)"

AUROC = Metric(
    name="auroc",
    aliases=("auc",),
    title="Area under the ROC curve",
    suite=Suite.PERFORMANCE,
    definition="probability that a positive case scores above a negative one, ties counted one half",
    source="Hanley & McNeil, Radiology 1982;143:29; DeLong, DeLong & Clarke-Pearson, Biometrics 1988;44:837",
    undefined="all cases are of one class",
    n_of="cases",
    interval=(
        "DeLong, by patient where one has several cases (Obuchowski); Wilson score on the effective number of pairs"
    ),
)
AVERAGE_PRECISION = Metric(
    name="average_precision",
    aliases=("ap",),
    title="Average precision",
    suite=Suite.PERFORMANCE,
    definition="Σ (R_k - R_(k-1)) P_k over the cuts of the score: precision, averaged over sensitivity. Depends on the "
    "test set's prevalence, which is its value for scores that tell nothing",
    source=_RELOADED,
    undefined="all cases are of one class",
    n_of="cases",
    interval="Wilson score on the effective number of trials, from the variance over patients and a fifth of a patient "
    "who is lost altogether; least of any ROC curve where the classes are separated",
    convention="steps, nothing interpolated; cases of one score together",
    caution="the lower limit is wrong in up to 4 % of test sets of 300 cases and more instead of 2.5 %; in smaller "
    "ones limits are wider than they need be",
    tasks=frozenset({"classification"}),
)
PARTIAL_AUROC = Metric(
    name="partial_auroc",
    aliases=("partial_auc",),
    title="Partial area under the ROC curve",
    suite=Suite.PERFORMANCE,
    definition="area A under the ROC curve up to a false-positive rate x, standardised: "
    "(1 + (A - x² / 2) / (x - x² / 2)) / 2; 0.5 for scores that tell nothing, 1 where it is perfect",
    source="McClish, Med Decis Making 1989;9:190",
    undefined="all cases are of one class",
    n_of="cases",
    interval="Wilson score on the effective number of trials, from the variance over patients and a fifth of a patient "
    "who is lost altogether; exact over pairs where the classes are separated",
    caution="the lower limit is wrong in up to 5 % of test sets of 300 cases instead of 2.5 %",
    convention="standardised after McClish, not the raw area; straight lines between the points of the curve",
    options=frozenset({"up_to_false_positive_rate"}),
    must=frozenset({"up_to_false_positive_rate"}),
    tasks=frozenset({"classification"}),
)
SENSITIVITY_AT_PRECISION = Metric(
    name="sensitivity_at_precision",
    aliases=("sens_at_ppv",),
    title="Sensitivity at a precision",
    suite=Suite.PERFORMANCE,
    definition="best sensitivity among all cuts of the score at which at least this share of alarms is right. Depends "
    "on the test set's prevalence",
    source=_RELOADED,
    undefined="no cut has such a precision, or all cases are of one class",
    n_of="cases",
    interval="patient-cluster bootstrap, percentile; least of any ROC curve where the classes are separated",
    convention="nothing is interpolated",
    caution="the lower limit is wrong in 3 to 7 % of test sets of 300 cases and more instead of 2.5 %",
    options=frozenset({"at_precision"}),
    must=frozenset({"at_precision"}),
    tasks=frozenset({"classification"}),
)
PRECISION_AT_SENSITIVITY = Metric(
    name="precision_at_sensitivity",
    aliases=("ppv_at_sens",),
    title="Precision at a sensitivity",
    suite=Suite.PERFORMANCE,
    definition="best precision among all cuts of the score that call at least this share of positive cases. Depends on "
    "the test set's prevalence",
    source=_RELOADED,
    undefined="all cases are of one class",
    n_of="cases",
    interval="patient-cluster bootstrap, bias-corrected; least of any ROC curve where the classes are separated",
    convention="nothing is interpolated",
    caution="the lower limit is wrong in 6 to 9 % of test sets of 100 cases and 3 to 4 % of 300 instead of 2.5 %, with "
    "10 positive cases in 13 %",
    options=frozenset({"at_sensitivity"}),
    must=frozenset({"at_sensitivity"}),
    tasks=frozenset({"classification"}),
)
