"""True values of metrics of binormal scores, by formula or quadrature: no sample is drawn for them.

The latent score of a negative case is N(-z(specificity), 1), that of a positive one N(z(sensitivity), 1); the cut is at
0. The score is 1 / (1 + exp(-1.5 latent)).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

STEEPNESS = 1.5
_NODES = np.linspace(-8.5, 8.5, 1001)  # the trapezoid rule is as good as exact for a smooth function here
_WEIGHTS = np.exp(-(_NODES**2) / 2.0) / np.exp(-(_NODES**2) / 2.0).sum()
_FAR = 12.0

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Binormal:
    """Scores of two classes; ``share`` of the cases are positive."""

    sensitivity: float
    specificity: float
    share: float

    @property
    def means(self) -> tuple[float, float]:
        """Return the mean latent score of negative and of positive cases."""
        return -float(ndtri(self.specificity)), float(ndtri(self.sensitivity))

    @property
    def apart(self) -> float:
        """Return how far the classes lie apart, in standard deviations."""
        return self.means[1] - self.means[0]

    def auroc(self) -> float:
        """Return the area under the ROC curve."""
        return float(ndtr(self.apart / np.sqrt(2.0)))

    def rate_at(self, other_rate: float) -> float:
        """Return the sensitivity at a specificity, or the specificity at a sensitivity."""
        return float(ndtr(self.apart - ndtri(other_rate)))

    def mean_loss(self, loss: Callable[[Floats], Floats]) -> float:
        """Return the mean of a loss of the probability given to the true class."""
        negative, positive = self.means
        on_positive = _WEIGHTS @ loss(score_of(positive + _NODES))
        on_negative = _WEIGHTS @ loss(score_of(-(negative + _NODES)))
        return float(self.share * on_positive + (1.0 - self.share) * on_negative)

    def brier_score(self) -> float:
        """Return the mean squared error of the score."""
        return self.mean_loss(lambda right: (1.0 - right) ** 2)

    def log_score(self) -> float:
        """Return the mean of -log of the probability given to the true class."""
        return self.mean_loss(lambda right: -np.log(right))

    def calibration_slope_deviation(self) -> float:
        """Return how far the slope is from 1: log odds are linear in the latent score, with slope ``apart``."""
        return abs(self.apart / STEEPNESS - 1.0)

    def calibration_intercept_deviation(self) -> float:
        """Return the shift of log odds, at slope 1, that makes as many cases positive as there are."""
        negative, positive = self.means

        def excess(shift: float) -> float:
            given = [_WEIGHTS @ score_of(mean + _NODES + shift / STEEPNESS) for mean in (negative, positive)]
            return float((1.0 - self.share) * given[0] + self.share * given[1] - self.share)

        return abs(float(brentq(excess, -20.0, 20.0, xtol=1e-12)))

    def precision_above(self, cut: Floats | float) -> Floats:
        """Return the precision of calling positive what lies above a cut of the latent score."""
        negative, positive = self.means
        right, wrong = self.share * ndtr(positive - cut), (1.0 - self.share) * ndtr(negative - cut)
        return np.asarray(right / (right + wrong))

    def average_precision(self) -> float:
        """Return the mean precision over cuts at positive cases."""
        return float(_WEIGHTS @ self.precision_above(self.means[1] + _NODES))

    def precision_at_sensitivity(self, sensitivity: float) -> float:
        """Return the precision at the cut with this sensitivity; it rises with the cut."""
        return float(self.precision_above(self.means[1] - float(ndtri(sensitivity))))

    def sensitivity_at_precision(self, precision: float) -> float:
        """Return the sensitivity at the lowest cut with this precision."""
        cut = brentq(lambda at: float(self.precision_above(at)) - precision, -_FAR, _FAR, xtol=1e-12)
        return float(ndtr(self.means[1] - cut))

    def partial_auroc(self, most: float) -> float:
        """Return the standardised area up to a false-positive rate (McClish)."""
        rates = np.linspace(0.0, 1.0, 200_001) ** 3 * most  # close together where the curve is steep
        area = float(np.trapezoid(ndtr(self.apart + ndtri(rates)), rates))
        least = most**2 / 2.0
        return (1.0 + (area - least) / (most - least)) / 2.0

    def calibration_errors(self, bins: int) -> tuple[float, float]:
        """Return the expected and the maximum calibration error in bins of equal width of the score."""
        latent = np.linspace(-_FAR, _FAR, 2_400_001)
        parts = [
            share * np.exp(-((latent - mean) ** 2) / 2.0)
            for share, mean in zip((1.0 - self.share, self.share), self.means, strict=True)
        ]
        total, score = parts[0] + parts[1], score_of(latent)
        inside = np.minimum((score * bins).astype(np.intp), bins - 1)
        cases, given, positive = (
            np.bincount(inside, weights=weights, minlength=bins) for weights in (total, total * score, parts[1])
        )
        errors = np.abs(given - positive)
        return float(errors.sum() / cases.sum()), float((errors / cases).max())


def score_of(latent: Floats) -> Floats:
    """Return the score of a latent score."""
    return np.asarray(1.0 / (1.0 + np.exp(-STEEPNESS * latent)))


def expectation(of: Callable[[Floats], Floats]) -> float:
    """Return the mean of a function of one standard normal number."""
    return float(_WEIGHTS @ of(_NODES))
