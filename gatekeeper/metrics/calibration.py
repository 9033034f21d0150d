"""Whether scores are probabilities: losses of a case, and the metrics of calibration.

Sources: Brier, Mon Weather Rev 1950;78:1; Good, J R Stat Soc B 1952;14:107 (log score); Gneiting & Raftery, J Am Stat
Assoc 2007;102:359 (both are strictly proper: the truth has the least expected loss).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from gatekeeper.metrics.specification import Metric, Suite

Floats = NDArray[np.float64]
Labels = NDArray[np.integer] | NDArray[np.bool_]

LEAST_PROBABILITY = 2.0**-52
MOST_LOG_LOSS = 52.0 * math.log(2.0)

_METRICS_RELOADED = "Metrics Reloaded (Maier-Hein et al., Nat Methods 2024, doi 10.1038/s41592-023-02151-z)"
_BOTH = frozenset({"classification", "multiclass_classification"})
_BINS = (
    "equal bins, 15 unless bins says otherwise, closed on the right; of several classes the highest score (top label)"
)
_FEW = "a score nearer than 1e-6 to 0 or 1 counts as so near"


def brier_losses(scores: Floats, labels: Labels) -> Floats:
    """Return the Brier loss of each case.

    Parameters
    ----------
    scores : shape (n,), the probability of the finding, for (p - y)² in [0, 1]; or (n, K), probabilities of K classes
        that add up to 1, for Σ_k (p_k - y_k)² in [0, 2], with two classes twice the former
    labels : shape (n,), 0 or 1; or 0 to K - 1

    Raises ValueError for scores that are no probabilities, labels of no class, or shapes that do not fit.
    """
    scores, truth = _checked(scores, labels)
    if scores.ndim == 1:
        return np.asarray((scores - truth) ** 2)
    return np.asarray(((scores - (np.arange(scores.shape[1]) == truth[:, None])) ** 2).sum(axis=1))


def log_losses(scores: Floats, labels: Labels) -> Floats:
    """Return -ln of the probability that was given to what is so, for each case; shapes and errors of ``brier_losses``.

    A probability below 2⁻⁵² counts as 2⁻⁵², so that certainty of what is not so costs 36.04, and no more.
    """
    scores, truth = _checked(scores, labels)
    if scores.ndim == 1:
        given = np.where(truth == 1, scores, 1.0 - scores)
    else:
        given = np.take_along_axis(scores, truth[:, None], axis=1)[:, 0]
    return np.asarray(np.abs(np.log(np.maximum(given, LEAST_PROBABILITY))))


def _checked(scores: Floats, labels: Labels) -> tuple[Floats, NDArray[np.integer]]:
    scores, classes_of = np.asarray(scores, dtype=np.float64), np.asarray(labels)
    if scores.ndim not in (1, 2) or classes_of.shape != scores.shape[:1] or (scores.ndim == 2 and scores.shape[1] < 2):
        raise ValueError(f"scores {scores.shape} and labels {classes_of.shape} do not fit")
    if not ((scores >= 0.0) & (scores <= 1.0)).all():
        raise ValueError("a score is no probability: it is NaN or outside [0, 1]")
    if scores.ndim == 2 and scores.size and np.abs(scores.sum(axis=1) - 1.0).max() > 1e-4:
        raise ValueError("scores of classes must add up to 1")
    classes = 2 if scores.ndim == 1 else scores.shape[1]
    if not np.isin(classes_of, np.arange(classes)).all():
        raise ValueError(f"a label is none of the classes 0 to {classes - 1}")
    return scores, classes_of.astype(np.int64)


BRIER_SCORE = Metric(
    name="brier_score",
    aliases=("brier",),
    title="Brier score",
    suite=Suite.PERFORMANCE,
    definition="mean of (p - y)², p the probability of the finding; of several classes the mean of Σ (p_k - y_k)²",
    source="Brier, Mon Weather Rev 1950;78:1; " + _METRICS_RELOADED,
    undefined="no case",
    n_of="cases",
    interval="Wilson score on the effective number of trials, by patient",
    convention="0 to 1 for a finding, 0 to 2 for several classes (not halved)",
    highest=2.0,
    higher_is_better=False,
    tasks=_BOTH,
)
LOG_SCORE = Metric(
    name="log_score",
    aliases=("log_loss",),
    title="Log score",
    suite=Suite.PERFORMANCE,
    definition="mean of -ln p, p the probability that was given to what is so",
    source="Good, J R Stat Soc B 1952;14:107; " + _METRICS_RELOADED,
    undefined="no case",
    n_of="cases",
    interval="Student t with the skewness removed (Hall, J R Stat Soc B 1992;54:221), by patient",
    convention="natural logarithm; a probability below 2⁻⁵² counts as 2⁻⁵², a cost of 36.04",
    caution="rare confident errors that the test set does not hold are not in the interval; below 300 cases the upper "
    "limit is too low in up to 5 % of test sets instead of 2.5 %",
    highest=MOST_LOG_LOSS,
    higher_is_better=False,
    tasks=_BOTH,
)
EXPECTED_CALIBRATION_ERROR = Metric(
    name="expected_calibration_error",
    aliases=("ece",),
    title="Expected calibration error",
    suite=Suite.PERFORMANCE,
    definition="mean over cases of |mean score - share of positives| in the bin of their score",
    source="Naeini, Cooper & Hauskrecht, AAAI 2015:2901; Guo et al., ICML 2017:1321 (top label); " + _METRICS_RELOADED,
    undefined="no case",
    n_of="cases",
    interval="patient-cluster bootstrap: percentile above, centred bins below (triangle inequality)",
    convention=_BINS,
    caution="the estimate is too high in small samples (about 0.07 of a calibrated candidate at 300 cases, 0.04 at "
    "1,000), and more so with more bins; the upper limit is higher than it need be. Of a calibrated candidate of 100 "
    "cases the lower limit is above 0 in 7 % of test sets instead of 2.5 %",
    higher_is_better=False,
    options=frozenset({"bins"}),
    tasks=_BOTH,
)
CLASSWISE_CALIBRATION_ERROR = Metric(
    name="classwise_calibration_error",
    aliases=("classwise_ece",),
    title="Class-wise calibration error",
    suite=Suite.PERFORMANCE,
    definition="mean over classes of the expected calibration error of a class's probability against the rest",
    source="Kull et al., NeurIPS 2019;32:12316; " + _METRICS_RELOADED,
    undefined="no case",
    n_of="cases",
    interval="patient-cluster bootstrap: percentile above, centred bins below (triangle inequality)",
    convention="equal bins, 15 unless bins says otherwise, closed on the right; each class counts alike",
    caution="the estimate is too high in small samples, and more so with more bins",
    higher_is_better=False,
    options=frozenset({"bins"}),
    tasks=frozenset({"multiclass_classification"}),
    measured=False,
)
MAXIMUM_CALIBRATION_ERROR = Metric(
    name="maximum_calibration_error",
    aliases=("mce",),
    title="Maximum calibration error",
    suite=Suite.PERFORMANCE,
    definition="greatest |mean score - share of positives| of a bin that holds a case",
    source="Naeini, Cooper & Hauskrecht, AAAI 2015:2901; " + _METRICS_RELOADED,
    undefined="no case",
    n_of="cases",
    interval="percentile of resamples of patients above; exact limits of the bins' shares, by Bonferroni, below",
    convention=_BINS,
    caution="rests on the emptiest bin: the estimate says little where a bin has fewer than 50 cases, and the upper "
    "limit is then far too high",
    higher_is_better=False,
    options=frozenset({"bins"}),
    tasks=_BOTH,
)
CALIBRATION_SLOPE_DEVIATION = Metric(
    name="calibration_slope_deviation",
    title="Deviation of the calibration slope",
    suite=Suite.PERFORMANCE,
    definition="|b - 1|, b the slope of logit P(y = 1) = a + b logit(p); below 1 scores are too extreme",
    source="Cox, Biometrika 1958;45:562; Van Calster et al., BMC Med 2019;17:230",
    undefined="one class, all scores equal, or classes that a score separates: no slope is finite",
    n_of="cases",
    interval="farther of Wald's limits of b from 1 (equivalence), sandwich variance by patient, t",
    caution="below 1,000 cases the limit is wrong in up to 4 % of test sets instead of 2.5 %",
    convention="a limit of at most 0.2 asks that the whole interval of b lies from 0.8 to 1.2; " + _FEW,
    highest=1_000_000.0,
    higher_is_better=False,
    tasks=frozenset({"classification"}),
)
CALIBRATION_INTERCEPT_DEVIATION = Metric(
    name="calibration_intercept_deviation",
    aliases=("calibration_in_the_large",),
    title="Deviation of the calibration intercept",
    suite=Suite.PERFORMANCE,
    definition="|a|, a the intercept of logit P(y = 1) = a + logit(p), in log odds: how far the mean score is off",
    source="Cox, Biometrika 1958;45:562; Steyerberg, Clinical Prediction Models, 2nd edition 2019, chapter 15",
    undefined="all cases are of one class",
    n_of="cases",
    interval="farther of Wald's limits of a from 0 (equivalence), sandwich variance by patient, t",
    caution="the limit is wrong in up to 3.6 % of test sets instead of 2.5 %",
    convention="at slope 1 (calibration in the large); " + _FEW,
    highest=1_000_000.0,
    higher_is_better=False,
    tasks=frozenset({"classification"}),
)
