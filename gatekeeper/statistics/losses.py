"""The mean of a loss over cases, such as the Brier score: in resamples, and with its interval.

Losses of a good candidate are skewed: most are small and few are large, so that Student's t puts the upper limit too
low (in 4 to 11 % of test sets of 50 to 300 cases instead of 2.5 %). A bounded loss has Wilson's limits on its effective
number of trials, one whose bound is far off has Hall's.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gatekeeper.statistics.influence import by_patient, no_bounds, score_interval, skewed_mean_interval
from gatekeeper.statistics.interval import Interval, check_confidence
from gatekeeper.statistics.proportions import clopper_pearson

Floats = NDArray[np.float64]


def mean_loss(losses: Floats) -> float:
    """Return the mean of losses of shape (n,); the order of rows does not matter. ValueError as for its interval."""
    _check(losses)
    return math.fsum(losses) / len(losses)


def mean_loss_of_weights(
    losses: Floats, weights: NDArray[np.integer] | Iterable[NDArray[np.integer]], clusters: NDArray[np.intp]
) -> Floats:
    """Return the mean loss in each of B resamples of the clusters; NaN where a resample has no case.

    Parameters
    ----------
    losses : shape (n,)
    weights : shape (B, C), how often each resample takes each cluster, or blocks of such rows
    clusters : codes below C, shape (n,)
    """
    _check(losses)
    pieces = []
    for block in [weights] if isinstance(weights, np.ndarray) else weights:
        sums = np.stack([np.bincount(clusters, losses, block.shape[1]), np.bincount(clusters, None, block.shape[1])], 1)
        total, cases = (block.astype(np.float64) @ sums).T
        pieces.append(np.divide(total, cases, out=np.full(len(block), np.nan), where=cases > 0))
    return np.concatenate(pieces) if pieces else np.empty(0)


def mean_loss_interval(
    losses: Floats,
    patients: NDArray[np.intp],
    highest: float,
    confidence: float = 0.95,
    skewed: bool = False,
    times: float = 1.0,
) -> tuple[float, Interval]:
    """Return the mean loss and the interval that the gate decides on.

    Wilson's limits on the effective number of trials, the spread taken to hold a fifth of a patient with the highest
    (or the lowest) loss; Hall's for losses that are ``skewed``, the highest far above all that are likely. Where no
    patient differs, a share of patients, Clopper and Pearson's upper limit of none, may have any loss all the same.

    Parameters
    ----------
    losses : shape (n,), finite, 0 or more; ``patients`` : their codes, shape (n,)
    highest : the greatest loss that a case can have, finite
    times : for the interval of so many times as many cases that tell the same

    Raises ValueError for no loss, or one that is not finite or not between 0 and ``highest``.
    """
    check_confidence(confidence)
    mean = mean_loss(losses)
    if not math.isfinite(highest) or (losses > highest).any() or patients.shape != losses.shape:
        raise ValueError(f"losses must have a patient each, and lie between 0 and {highest}")
    cases = by_patient(np.ones(len(losses)), patients)
    of_patients = by_patient((losses - mean) / len(losses), patients)
    if np.abs(of_patients).max() <= 1e-12 * max(mean, 1e-300):
        return mean, _alike(mean, highest, len(cases) * times, confidence)
    if len(cases) < 2:
        return mean, no_bounds((0.0, highest), confidence, "one patient bounds nothing")
    if skewed:
        found = skewed_mean_interval(mean, of_patients, confidence, times)
        return mean, replace(found, lower=max(0.0, found.lower), upper=min(highest, found.upper))
    size = 1.0 / len(cases)
    return mean, score_interval(
        mean, of_patients, (0.0, highest), confidence, worst=(size * mean, size * (highest - mean)), times=times
    )


def _alike(mean: float, highest: float, patients: float, confidence: float) -> Interval:
    share = clopper_pearson(0, patients, confidence).upper
    method = "Clopper-Pearson (exact) over patients, since no patient differs"
    return Interval(mean - share * mean, mean + share * (highest - mean), confidence, method)


def _check(losses: Floats) -> None:
    if losses.ndim != 1 or losses.size == 0 or not np.isfinite(losses).all() or (losses < 0.0).any():
        raise ValueError("a mean loss needs losses, all of them finite and none negative")
