"""The few figures that the training prints: no intervals, no verdict. The gate makes its own from the evidence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gatekeeper.demo.learning import Samples
from gatekeeper.metrics.repeatability import subject_flips, within_subject_squares
from gatekeeper.statistics.roc import auroc

SPECIFICITY_ASKED = 0.95


@dataclass(frozen=True)
class Accuracy:
    """How well scores tell malignant from benign; the three proportions are at an operating point."""

    cases: int
    malignant: int
    auc: float
    sensitivity: float
    specificity: float
    precision: float

    def __str__(self) -> str:
        return (
            f"n {self.cases} ({self.malignant} malignant)  AUC {self.auc:.3f}  sensitivity {self.sensitivity:.3f}  "
            f"specificity {self.specificity:.3f}  PPV {self.precision:.3f}"
        )


@dataclass(frozen=True)
class Repeatability:
    """How much the readers of one nodule change its score; nodules with one reading are left out.

    ``pooled`` is the root of the pooled variance, ``median`` and ``percentile_95`` are of each nodule's own standard
    deviation; ``flips`` is the share of nodules whose readings did not all get the same call.
    """

    nodules: int
    pooled: float
    median: float
    percentile_95: float
    flips: float

    def __str__(self) -> str:
        return (
            f"n {self.nodules}  within-nodule SD {self.pooled:.3f} (median {self.median:.3f}, 95th percentile "
            f"{self.percentile_95:.3f})  different calls {self.flips:.3f}"
        )


def accuracy(label: NDArray[np.int8], score: NDArray[np.float64], operating_point: float) -> Accuracy:
    """Return the accuracy of scores (n,) against labels (n,); a case is called when its score is at or above the cut.

    Both classes must be there; precision is NaN when nothing is called.
    """
    called, positive = score >= operating_point, label == 1
    return Accuracy(
        cases=len(label),
        malignant=int(positive.sum()),
        auc=auroc(score, label),
        sensitivity=float(called[positive].mean()),
        specificity=float(1 - called[~positive].mean()),
        precision=float(positive[called].mean()) if called.any() else float("nan"),
    )


def repeatability(samples: Samples, score: NDArray[np.float64], operating_point: float) -> Repeatability:
    """Return how far the readings of one nodule agree in score and in call."""
    _, subject = np.unique(samples.nodule, return_inverse=True)
    subjects = int(subject.max()) + 1
    squares, freedom = within_subject_squares(score, subject, subjects)
    repeated = freedom > 0
    deviation = np.sqrt(squares[repeated] / freedom[repeated])
    flips = subject_flips(score >= operating_point, subject, subjects)
    return Repeatability(
        nodules=int(repeated.sum()),
        pooled=float(np.sqrt(squares.sum() / freedom.sum())),
        median=float(np.median(deviation)),
        percentile_95=float(np.percentile(deviation, 95)),
        flips=float(flips[repeated].mean()),
    )


def choose_operating_point(label: NDArray[np.int8], score: NDArray[np.float64]) -> float:
    """Return the lowest cut, in hundredths, at which the specificity is 0.95 or more."""
    benign = score[label == 0]
    for hundredths in range(1, 100):
        if (benign < hundredths / 100).mean() >= SPECIFICITY_ASKED:
            return hundredths / 100
    raise ValueError("no cut below 1 has the specificity that is asked for")
