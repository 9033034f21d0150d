"""Calibration slope and intercept: logistic recalibration of probabilities.

logit P(y = 1) = a + b logit(p). The slope b is 1 and the intercept a, at slope 1 (calibration in the large), is 0 for a
calibrated candidate; a slope below 1 says that scores are too extreme. Sources: Cox, Biometrika 1958;45:562;
Steyerberg, Clinical Prediction Models, 2nd edition 2019, chapter 15; Van Calster et al., BMC Med 2019;17:230. Variance:
sandwich by patient (Liang & Zeger, Biometrika 1986;73:13), times C / (C - 1) and (n - 1) / (n - k), k coefficients.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gatekeeper.statistics.calibration import Labels, checked
from gatekeeper.statistics.interval import Interval, error_each_side

Floats = NDArray[np.float64]

NEAREST = 1e-6  # to 0 and 1: a score nearer than that counts as so near

_CHUNK_ELEMENTS = 1 << 16
_TURNS = 100
_CLOSE = 1e-10


@dataclass(frozen=True)
class _Fit:
    """Cases of a logistic model: ``terms`` (n, k) with coefficients, ``known`` (n,) without, ``labels`` (n,)."""

    terms: Floats
    known: Floats
    labels: Floats

    @classmethod
    def of(cls, scores: Floats, labels: Labels, slope: bool) -> _Fit:
        chances, truth = checked(scores, labels)
        held = np.clip(chances, NEAREST, 1.0 - NEAREST)
        logits = np.log(held) - np.log1p(-held)
        ones = np.ones(len(logits))
        if slope:
            return cls(np.stack([logits, ones], 1), np.zeros(len(logits)), truth)
        return cls(ones[:, None], logits, truth)

    def exists(self, weights: Floats) -> NDArray[np.bool_]:
        """Say in which resamples, rows of weights (B, n), the coefficients are finite: where both classes overlap."""
        taken, positive = weights > 0.0, self.labels == 1.0
        both = (taken & positive).any(axis=1) & (taken & ~positive).any(axis=1)
        if self.terms.shape[1] == 1:
            return np.asarray(both)
        low, high = (np.where(taken, self.terms[:, 0], end) for end in (np.inf, -np.inf))
        over = high[:, positive].max(axis=1, initial=-np.inf) > low[:, ~positive].min(axis=1, initial=np.inf)
        under = high[:, ~positive].max(axis=1, initial=-np.inf) > low[:, positive].min(axis=1, initial=np.inf)
        return np.asarray(both & over & under)

    def coefficients(self, weights: Floats) -> Floats:
        """Return the coefficients (B, k) of greatest likelihood by Newton's method, steps halved where too long."""
        found = np.full((len(weights), self.terms.shape[1]), np.nan)
        rows = np.flatnonzero(self.exists(weights))
        weights, at = weights[rows], np.zeros((len(rows), self.terms.shape[1]))
        at[:, 0] = float(self.terms.shape[1] - 1)
        value = self._likelihood(at, weights)
        for _ in range(_TURNS):
            if len(rows) == 0:
                break
            step = self._step(at, weights)
            moved, reached = at + step, self._likelihood(at + step, weights)
            for _ in range(_TURNS):
                worse = reached < value - 1e-12 * np.abs(value)
                if not worse.any():
                    break
                step[worse] /= 2.0
                moved[worse] = at[worse] + step[worse]
                reached[worse] = self._likelihood(moved[worse], weights[worse])
            close = np.abs(step).max(axis=1) <= _CLOSE * (1.0 + np.abs(moved).max(axis=1))
            found[rows[close]] = moved[close]
            rows, weights, at, value = rows[~close], weights[~close], moved[~close], reached[~close]
        return found

    def chances(self, at: Floats) -> Floats:
        """Return P(y = 1) of each case for coefficients (B, k); shape (B, n)."""
        line = at @ self.terms.T + self.known
        small = np.exp(-np.abs(line))
        return np.asarray(np.where(line >= 0.0, 1.0, small) / (1.0 + small))

    def _step(self, at: Floats, weights: Floats) -> Floats:
        chance = self.chances(at)
        slopes = (weights * (self.labels - chance)) @ self.terms
        curved = weights * chance * (1.0 - chance)
        if self.terms.shape[1] == 1:
            return np.asarray(slopes / curved.sum(axis=1, keepdims=True))
        xx, x, one = (curved @ column for column in (self.terms[:, 0] ** 2, self.terms[:, 0], self.terms[:, 1]))
        determinant = xx * one - x * x
        first = (one * slopes[:, 0] - x * slopes[:, 1]) / determinant
        return np.stack([first, (xx * slopes[:, 1] - x * slopes[:, 0]) / determinant], axis=1)

    def _likelihood(self, at: Floats, weights: Floats) -> Floats:
        line = at @ self.terms.T + self.known
        costs = np.log1p(np.exp(-np.abs(line))) + np.maximum(line, 0.0) - self.labels * line
        return -np.asarray(np.einsum("ij,ij->i", weights, costs))


def calibration_slope_interval(
    scores: Floats, labels: Labels, patients: NDArray[np.intp], confidence: float = 0.95, times: float = 1.0
) -> tuple[float, Interval]:
    """Return the calibration slope and Wald's interval of it, with t of C - 1 degrees of freedom, C patients.

    Parameters
    ----------
    scores : shape (n,), probabilities; those nearer than 1e-6 to 0 or 1 count as so near (logit ± 13.8)
    labels : shape (n,), 0 or 1; ``patients`` : their codes, shape (n,)
    times : for the interval of so many times as many cases that tell the same

    Raises ValueError for no probability, and where no slope is finite: one class, all scores equal, or classes that a
    score separates; also with fewer than three patients.
    """
    return _wald(_Fit.of(scores, labels, slope=True), patients, confidence, times)


def calibration_intercept_interval(
    scores: Floats, labels: Labels, patients: NDArray[np.intp], confidence: float = 0.95, times: float = 1.0
) -> tuple[float, Interval]:
    """Return the calibration intercept at slope 1 (calibration in the large), in log odds, and Wald's interval of it.

    Above 0 the finding is more frequent than the scores say. Parameters and errors as for
    ``calibration_slope_interval``; scores may be equal, or separate the classes.
    """
    return _wald(_Fit.of(scores, labels, slope=False), patients, confidence, times)


def calibration_slope_of_weights(
    scores: Floats,
    labels: Labels,
    weights: NDArray[np.integer] | Iterable[NDArray[np.integer]],
    clusters: NDArray[np.intp],
) -> Floats:
    """Return the calibration slope in each of B resamples; NaN where it is not finite (see the interval).

    ``weights`` : shape (B, C), how often each resample takes each cluster, or blocks of such rows; ``clusters`` : codes
    below C, shape (n,). Equals the slope of the cases repeated so often to 1e-8.
    """
    return _many(_Fit.of(scores, labels, slope=True), weights, clusters)


def calibration_intercept_of_weights(
    scores: Floats,
    labels: Labels,
    weights: NDArray[np.integer] | Iterable[NDArray[np.integer]],
    clusters: NDArray[np.intp],
) -> Floats:
    """Return the calibration intercept in each of B resamples; NaN where a resample has one class only."""
    return _many(_Fit.of(scores, labels, slope=False), weights, clusters)


def deviation_interval(value: float, interval: Interval, ideal: float) -> tuple[float, Interval]:
    """Return |value - ideal| and its interval: how far the limits of the value lie from the ideal.

    The upper limit is at most T exactly when both limits of the value lie within T of the ideal: an equivalence test
    (Schuirmann, J Pharmacokinet Biopharm 1987;15:657), each side at the error of one limit. The lower limit is 0 where
    the ideal lies within the interval.
    """
    ends = (abs(interval.lower - ideal), abs(interval.upper - ideal))
    lower = 0.0 if interval.lower <= ideal <= interval.upper else min(ends)
    return abs(value - ideal), Interval(lower, max(ends), interval.confidence, interval.method)


def _wald(fit: _Fit, patients: NDArray[np.intp], confidence: float, times: float) -> tuple[float, Interval]:
    from scipy.special import stdtrit

    error = error_each_side(confidence)
    n, k = fit.terms.shape
    codes = np.unique(patients, return_inverse=True)[1]
    if codes.shape != (n,):
        raise ValueError(f"patients {codes.shape} and scores {n} must be of one length")
    order = np.lexsort((fit.labels, fit.known, fit.terms[:, 0], codes))  # so that the order of rows does not matter
    fit, codes = _Fit(fit.terms[order], fit.known[order], fit.labels[order]), codes[order]
    count = int(codes[-1]) + 1
    at = fit.coefficients(np.ones((1, n)))
    if not np.isfinite(at).all() or count < 3:
        raise ValueError("a calibration line needs three patients, and classes that overlap: else it is not finite")
    chance = fit.chances(at)[0]
    bread = np.linalg.inv((fit.terms * (chance * (1.0 - chance))[:, None]).T @ fit.terms)
    residuals = (fit.labels - chance)[:, None] * fit.terms
    scores = np.stack([np.bincount(codes, column) for column in residuals.T], axis=1)
    small = count / (count - 1.0) * (n - 1.0) / (n - k)
    variance = small * float((bread @ scores.T @ scores @ bread)[0, 0]) / times
    half = -float(stdtrit(count - 1, error)) * math.sqrt(variance)
    value = float(at[0, 0])
    return value, Interval(value - half, value + half, confidence, "Wald, sandwich variance by patient")


def _many(
    fit: _Fit, weights: NDArray[np.integer] | Iterable[NDArray[np.integer]], clusters: NDArray[np.intp]
) -> Floats:
    rows = max(1, _CHUNK_ELEMENTS // len(fit.labels))
    pieces = []
    for block in [weights] if isinstance(weights, np.ndarray) else weights:
        for start in range(0, len(block), rows):
            taken = block[start : start + rows].take(clusters, axis=1).astype(np.float64)
            pieces.append(fit.coefficients(taken)[:, 0])
    return np.concatenate(pieces) if pieces else np.empty(0)
