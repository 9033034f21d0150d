"""Metrics of calls of several classes: functions of counts of shape (..., K, K), rows the labels, columns the calls.

Many tables are evaluated at once: the leading axes are those of the result. Source, unless another is named:
Maier-Hein, Reinke et al., "Metrics reloaded", Nature Methods 2024, doi 10.1038/s41592-023-02151-z.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from gatekeeper.metrics.specification import Metric, Suite

Counts = NDArray[np.float64]


class Average(StrEnum):
    """How numbers of single classes are brought together.

    ``macro``: mean over classes, each alike. ``weighted``: each as often as it is among the labels; a class without a
    label does not count. ``micro``: of the counts of all classes together.
    """

    MACRO = "macro"
    WEIGHTED = "weighted"
    MICRO = "micro"


def confusion_of_classes(
    called: NDArray[np.integer], label: NDArray[np.integer], patient: NDArray[np.intp], patients: int, classes: int
) -> Counts:
    """Count calls by label, of each patient.

    Parameters
    ----------
    called, label : classes from 0 to ``classes`` - 1, shape (n,); ``patient`` : codes from 0 to ``patients`` - 1

    Returns
    -------
    Counts of shape (patients, classes, classes), row the label, column the call. ValueError for another class or shape.
    """
    if not called.shape == label.shape == patient.shape or called.ndim != 1:
        raise ValueError("calls, labels and patients must be of one length")
    known = np.arange(classes)
    if not (np.isin(called, known).all() and np.isin(label, known).all()):
        raise ValueError(f"a call or a label is none of the classes 0 to {classes - 1}")
    code = (patient * classes + label) * classes + called
    counted = np.bincount(code.astype(np.intp), minlength=patients * classes * classes)
    return counted.reshape(patients, classes, classes).astype(np.float64)


def class_sensitivity(counts: Counts) -> Counts:
    """Return, of each class, the share of its cases that were called so; shape (..., K), NaN without a case of it."""
    return _ratio(_right(counts), counts.sum(axis=-1))


def class_specificity(counts: Counts) -> Counts:
    """Return, of each class, the share of the other cases that were not called so; NaN where all cases are of it."""
    outside, alarms = _outside(counts)
    return _ratio(outside - alarms, outside)


def class_precision(counts: Counts) -> Counts:
    """Return, of each class, the share of the calls of it that are right; NaN where no case was called so."""
    return _ratio(_right(counts), counts.sum(axis=-2))


def class_npv(counts: Counts) -> Counts:
    """Return, of each class, the share of the calls of others that are not of it; NaN where all were called so."""
    called_other = _cases(counts)[..., None] - counts.sum(axis=-2)
    return _ratio(called_other - (counts.sum(axis=-1) - _right(counts)), called_other)


def class_f1(counts: Counts) -> Counts:
    """Return, of each class, 2 TP / (2 TP + FP + FN); NaN where no case is of it and none was called so."""
    return _ratio(2.0 * _right(counts), counts.sum(axis=-1) + counts.sum(axis=-2))


def sensitivity(counts: Counts, average: Average = Average.MACRO) -> Counts:
    """Return the average sensitivity; macro it is the balanced accuracy, micro and weighted both are the accuracy."""
    return accuracy(counts) if average is Average.MICRO else _averaged(class_sensitivity(counts), counts, average)


def specificity(counts: Counts, average: Average = Average.MACRO) -> Counts:
    """Return the average specificity, one class against the rest."""
    if average is not Average.MICRO:
        return _averaged(class_specificity(counts), counts, average)
    outside, alarms = _outside(counts)
    return _ratio((outside - alarms).sum(axis=-1), outside.sum(axis=-1))


def precision(counts: Counts, average: Average = Average.MACRO) -> Counts:
    """Return the average precision; micro it is the accuracy. NaN where a class that counts was never called."""
    return accuracy(counts) if average is Average.MICRO else _averaged(class_precision(counts), counts, average)


def npv(counts: Counts, average: Average = Average.MACRO) -> Counts:
    """Return the average negative predictive value, one class against the rest."""
    if average is not Average.MICRO:
        return _averaged(class_npv(counts), counts, average)
    called_other = _cases(counts)[..., None] - counts.sum(axis=-2)
    missed = counts.sum(axis=-1) - _right(counts)
    return _ratio((called_other - missed).sum(axis=-1), called_other.sum(axis=-1))


def f1(counts: Counts, average: Average = Average.MACRO) -> Counts:
    """Return the average F1 (macro: the mean of the classes' F1, not F1 of means); micro it is the accuracy."""
    return accuracy(counts) if average is Average.MICRO else _averaged(class_f1(counts), counts, average)


def accuracy(counts: Counts) -> Counts:
    """Return the share of cases that were called right; NaN of no case."""
    return _ratio(_right(counts).sum(axis=-1), _cases(counts))


def kappa(counts: Counts) -> Counts:
    """Return Cohen's kappa, each wrong call as bad as another (Cohen, Educ Psychol Meas 1960;20:37)."""
    return weighted_kappa(counts, power=0)


def weighted_kappa(counts: Counts, power: int = 2) -> Counts:
    """Return 1 - Σ w o / Σ w e over cells, w = |i - j|^power the distance of ordered classes, e what chance gives.

    ``power`` 1 is linear, 2 quadratic; 0 weighs every wrong call alike. At most 1; NaN where all calls and all labels
    are of one class. Source: Cohen, Psychol Bull 1968;70:213.
    """
    weights = disagreement(counts.shape[-1], power)
    by_chance = np.einsum("ij,...i,...j->...", weights, counts.sum(axis=-1), counts.sum(axis=-2))
    return 1.0 - _ratio(np.einsum("ij,...ij->...", weights, counts) * _cases(counts), by_chance)


def disagreement(classes: int, power: int) -> Counts:
    """Return the weights |i - j|^power of wrong calls, 0 on the diagonal; shape (classes, classes)."""
    apart = np.abs(np.subtract.outer(np.arange(classes), np.arange(classes))).astype(np.float64)
    return (apart > 0) * apart**power


def matthews(counts: Counts) -> Counts:
    """Return the correlation of calls and labels, R_K, at most 1; NaN where calls, or labels, are all alike.

    Source: Gorodkin, Comput Biol Chem 2004;28:367. With two classes it is the Matthews correlation coefficient.
    """
    labels, calls, cases = counts.sum(axis=-1), counts.sum(axis=-2), _cases(counts)
    together = _right(counts).sum(axis=-1) * cases - (labels * calls).sum(axis=-1)
    spread = [cases**2 - (side**2).sum(axis=-1) for side in (labels, calls)]
    return _ratio(together, np.sqrt(spread[0]) * np.sqrt(spread[1]))


def expected_cost(counts: Counts, costs: Counts) -> Counts:
    """Return the mean cost of a call: Σ costs[label, call] n[label, call] / n; NaN of no case.

    Raises ValueError unless ``costs`` is of shape (K, K), finite, 0 or more, and 0 on the diagonal.
    """
    costs = np.asarray(costs, dtype=np.float64)
    if (
        costs.shape != counts.shape[-2:]
        or not np.isfinite(costs).all()
        or (costs < 0).any()
        or np.diagonal(costs).any()
    ):
        raise ValueError(f"costs must be finite, 0 or more, 0 for right calls, and of shape {counts.shape[-2:]}")
    return _ratio(np.einsum("ij,...ij->...", costs, counts), _cases(counts))


def _right(counts: Counts) -> Counts:
    return np.asarray(np.diagonal(counts, axis1=-2, axis2=-1))


def _cases(counts: Counts) -> Counts:
    return np.asarray(counts.sum(axis=(-2, -1)))


def _outside(counts: Counts) -> tuple[Counts, Counts]:
    """Return the cases that are not of each class, and how many of these were called so."""
    return _cases(counts)[..., None] - counts.sum(axis=-1), counts.sum(axis=-2) - _right(counts)


def _averaged(values: Counts, counts: Counts, average: Average) -> Counts:
    if average is Average.MACRO:
        return np.asarray(values.mean(axis=-1))
    shares = _ratio(counts.sum(axis=-1), np.broadcast_to(_cases(counts)[..., None], values.shape))
    return np.asarray(np.where(shares == 0.0, 0.0, values * shares).sum(axis=-1))


def _ratio(above: Counts, below: Counts) -> Counts:
    nothing = np.full(np.shape(below), np.nan)
    return np.asarray(np.divide(above, below, out=nothing, where=np.asarray(below) > 0))


_RELOADED = "Metrics Reloaded (Maier-Hein et al., Nat Methods 2024, doi 10.1038/s41592-023-02151-z)"
_TABLE = "Wilson score on the effective number of trials, from the variance over patients (delta method)"
_AREAS = (
    "Wilson score on the effective number of trials, from the variance over patients and a fifth of a patient who is "
    "lost altogether; exact over pairs where the classes are separated"
)
_FEW = "at 100 patients a limit is wrong in up to 4 % of test sets instead of 2.5 %, at 40 in up to 5 %"


def _entry(
    name: str,
    title: str,
    definition: str,
    source: str,
    undefined: str,
    *,
    interval: str = _TABLE,
    lowest: float = 0.0,
    options: frozenset[str] = frozenset(),
    convention: str = "",
    caution: str = _FEW,
    aliases: tuple[str, ...] = (),
) -> Metric:
    return Metric(
        name=name,
        title=title,
        suite=Suite.PERFORMANCE,
        definition=definition,
        source=source,
        undefined=undefined,
        n_of="cases",
        interval=interval,
        lowest=lowest,
        options=options,
        convention=convention,
        caution=caution,
        aliases=aliases,
        tasks=frozenset({"multiclass_classification"}),
        measured=False,
    )


_NO_CASE = "a class has no case"
_ONE_CLASS = "all calls and labels are of one class"
MULTICLASS_ACCURACY = _entry(
    "multiclass_accuracy",
    "Accuracy over classes",
    "share of cases that were called right; micro-averaged sensitivity, precision and F1 are the same",
    _RELOADED,
    "no case",
)
MACRO_SENSITIVITY = _entry(
    "macro_sensitivity",
    "Mean sensitivity over classes",
    "mean over classes of the share of a class's cases that were called so (balanced accuracy)",
    _RELOADED,
    _NO_CASE,
    aliases=("macro_recall", "multiclass_balanced_accuracy"),
    convention="each class counts alike; a class without a case makes it undefined",
)
MACRO_SPECIFICITY = _entry(
    "macro_specificity",
    "Mean specificity over classes",
    "mean over classes of the share of the other cases that were not called so",
    _RELOADED,
    "all cases are of one class",
)
MACRO_PRECISION = _entry(
    "macro_precision",
    "Mean precision over classes",
    "mean over classes of the share of the calls of a class that are right. Depends on the classes' shares",
    _RELOADED,
    "a class was never called",
    convention="a class that was never called makes it undefined, not 0",
)
MACRO_F1 = _entry(
    "macro_f1",
    "Mean F1 over classes",
    "mean over classes of 2 TP / (2 TP + FP + FN). Depends on the classes' shares",
    _RELOADED,
    "a class has no case and was never called",
    convention="mean of the classes' F1, not F1 of mean precision and mean sensitivity",
)
MULTICLASS_MATTHEWS = _entry(
    "multiclass_matthews",
    "Matthews correlation over classes",
    "correlation of calls and labels over K classes, R_K. Depends on the classes' shares",
    "Gorodkin, Comput Biol Chem 2004;28:367; " + _RELOADED,
    "all calls, or all labels, are alike",
    lowest=-1.0,
    aliases=("multiclass_mcc",),
)
MULTICLASS_KAPPA = _entry(
    "multiclass_kappa",
    "Cohen's kappa over classes",
    "(p_o - p_e) / (1 - p_e): agreement of calls and labels beyond chance. Depends on the classes' shares",
    "Cohen, Educ Psychol Meas 1960;20:37; " + _RELOADED,
    _ONE_CLASS,
    lowest=-1.0,
)
WEIGHTED_KAPPA = _entry(
    "weighted_kappa",
    "Quadratic-weighted kappa",
    "agreement of ordered classes beyond chance, disagreements weighted by the square of their distance",
    "Cohen, Psychol Bull 1968;70:213; variance: Fleiss, Cohen & Everitt, Psychol Bull 1969;72:323",
    _ONE_CLASS,
    lowest=-1.0,
    aliases=("quadratic_weighted_kappa",),
    convention="classes in the order in which they are declared, equally spaced",
)
LINEAR_WEIGHTED_KAPPA = _entry(
    "linear_weighted_kappa",
    "Linear-weighted kappa",
    "agreement of ordered classes beyond chance, disagreements weighted by their distance",
    "Cohen, Psychol Bull 1968;70:213; variance: Fleiss, Cohen & Everitt, Psychol Bull 1969;72:323",
    _ONE_CLASS,
    lowest=-1.0,
    convention="classes in the order in which they are declared, equally spaced",
)
MACRO_AUROC = _entry(
    "macro_auroc",
    "Mean area under the ROC curve, class against rest",
    "mean over classes of the probability that a case of the class has a higher score for it than another case; with "
    "average weighted, by the classes' shares",
    "Provost & Domingos, CeDER working paper 00-04, Stern School of Business 2000; " + _RELOADED,
    _NO_CASE,
    interval=_AREAS,
    options=frozenset({"average"}),
    convention="class against the rest: depends on the shares of the other classes",
)
HAND_TILL_AUROC = _entry(
    "hand_till_auroc",
    "Mean area under the ROC curve, class against class (Hand & Till's M)",
    "mean over ordered pairs of classes of the probability that a case of the first has a higher score for it than one "
    "of the second",
    "Hand & Till, Mach Learn 2001;45:171",
    _NO_CASE,
    interval=_AREAS,
    convention="class against class: does not depend on the classes' shares",
)
