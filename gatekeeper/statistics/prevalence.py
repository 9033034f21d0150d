"""Predictive values at a declared prevalence, from sensitivity and specificity of an enriched test set.

Source: Mercaldo, Lau & Zhou, "Confidence intervals for predictive values with an emphasis to case-control studies",
Stat Med 2007;26:2170, doi 10.1002/sim.2677: the standard logit interval, prevalence taken as known.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from gatekeeper.statistics.interval import Interval, inverse_logit, normal_quantile
from gatekeeper.statistics.proportions import clopper_pearson

Floats = NDArray[np.float64]


def ppv_at(sensitivity: Floats | float, specificity: Floats | float, prevalence: float) -> Floats:
    """Return the positive predictive value by Bayes' rule: Se p / (Se p + (1 - Sp)(1 - p)).

    Arrays of one shape in, the same shape out; NaN where nothing would be called positive (Se = 0 and Sp = 1) or an
    input is NaN. Raises ValueError unless 0 < prevalence < 1.
    """
    _check_prevalence(prevalence)
    right = np.asarray(sensitivity, dtype=np.float64) * prevalence
    wrong = (1.0 - np.asarray(specificity, dtype=np.float64)) * (1.0 - prevalence)
    return _share(right, wrong)


def npv_at(sensitivity: Floats | float, specificity: Floats | float, prevalence: float) -> Floats:
    """Return the negative predictive value by Bayes' rule: Sp (1 - p) / (Sp (1 - p) + (1 - Se) p).

    Arrays of one shape in, the same shape out; NaN where nothing would be called negative (Se = 1 and Sp = 0) or an
    input is NaN. Raises ValueError unless 0 < prevalence < 1.
    """
    return ppv_at(specificity, sensitivity, 1.0 - prevalence)


def called_share_at(sensitivity: Floats | float, specificity: Floats | float, prevalence: float) -> Floats:
    """Return the share of all units that are called positive at a prevalence p: Se p + (1 - Sp)(1 - p).

    Arrays of one shape in, the same shape out. Raises ValueError unless 0 < prevalence < 1.
    """
    _check_prevalence(prevalence)
    right = np.asarray(sensitivity, dtype=np.float64) * prevalence
    return np.asarray(right + (1.0 - np.asarray(specificity, dtype=np.float64)) * (1.0 - prevalence))


def ppv_interval(tp: float, fn: float, fp: float, tn: float, prevalence: float, confidence: float = 0.95) -> Interval:
    """Return the standard logit interval of the positive predictive value at ``prevalence``.

    logit(PPV) = log(Se / (1 - Sp)) + logit(p), with variance (1 - Se) / TP + Sp / FP.

    With TP = 0 or FP = 0 the logit is infinite. The limits are then Bayes' rule at the lower, and at the upper, exact
    Clopper-Pearson limits of both sensitivity and specificity, each permitted half of the error (Bonferroni), so that
    they hold the truth at least as often as promised. The paper's own answer, z²/2 added to every cell, is not used:
    it rates no false alarm below one false alarm.

    Parameters
    ----------
    tp, fn : positive cases called and not called, whole numbers or effective ones
    fp, tn : negative cases called and not called
    prevalence : share of positives where the candidate is to be used, 0 < prevalence < 1

    Raises ValueError without a positive case, without a negative case, or without any alarm (PPV is undefined).
    """
    _check_prevalence(prevalence)
    if min(tp, fn, fp, tn) < 0:
        raise ValueError("a count is negative")
    if tp + fn == 0 or fp + tn == 0:
        raise ValueError("a predictive value needs positive and negative cases")
    if tp + fp == 0:
        raise ValueError("no case was called so: the predictive value is undefined")
    if tp == 0 or fp == 0:
        return _worst_and_best(tp, fn, fp, tn, prevalence, confidence)
    sensitivity, false_alarms = tp / (tp + fn), fp / (fp + tn)
    centre = math.log(sensitivity / false_alarms) + math.log(prevalence / (1.0 - prevalence))
    half = normal_quantile(confidence) * math.sqrt((1.0 - sensitivity) / tp + (1.0 - false_alarms) / fp)
    return Interval(
        inverse_logit(centre - half), inverse_logit(centre + half), confidence, "logit (Mercaldo, Lau & Zhou)"
    )


def npv_interval(tp: float, fn: float, fp: float, tn: float, prevalence: float, confidence: float = 0.95) -> Interval:
    """Return the standard logit interval of the negative predictive value at ``prevalence``.

    The mirror image of ``ppv_interval``: the exact limits take over where TN = 0 or FN = 0. Raises ValueError without
    a positive case, without a negative case, or when every case was called positive (NPV is undefined).
    """
    return ppv_interval(tn, fp, fn, tp, 1.0 - prevalence, confidence)


def _worst_and_best(tp: float, fn: float, fp: float, tn: float, prevalence: float, confidence: float) -> Interval:
    each = 1.0 - (1.0 - confidence) / 2.0
    sensitivity, specificity = clopper_pearson(tp, tp + fn, each), clopper_pearson(tn, fp + tn, each)
    lower = float(ppv_at(sensitivity.lower, specificity.lower, prevalence))
    upper = float(ppv_at(sensitivity.upper, specificity.upper, prevalence))
    method = "Clopper-Pearson (exact) limits of sensitivity and specificity, combined by Bonferroni"
    return Interval(lower, upper, confidence, method)


def _share(right: Floats, wrong: Floats) -> Floats:
    called = right + wrong
    return np.asarray(np.divide(right, called, out=np.full(called.shape, np.nan), where=called > 0))


def _check_prevalence(prevalence: float) -> None:
    if not 0.0 < prevalence < 1.0:
        raise ValueError(f"a prevalence must lie between 0 and 1, not {prevalence}")
