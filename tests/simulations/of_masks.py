"""Values of masks, case by case: Dice that is skewed to the left, distances and volumes skewed to the right."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from study import Drawn, item_of, rows_with

from gatekeeper.suites.structures import measure

MODEL = (
    "Dice from a beta distribution of mean 0.9, log-normal distances of mean 4.6 mm, relative volume differences with "
    "an SD of 10 %; none or 5 % of the structures missed, at the declared cost of 0, of the volume's diagonal (300 mm) "
    "or of 1; one case a patient, or three that share half of the variance. Truths follow from the model."
)
MEASURED_WITH = "gatekeeper.suites.structures.measure"
DIAGONAL = 300.0
FAILING = 0.05
ALPHA, BETA = 18.0, 2.0  # of Dice that did not fail
LOG_MEAN, LOG_SD = 1.2, 0.8  # of distances in mm
SHARED = 0.5  # of the variance of the quantile that all cases of a patient share


@dataclass(frozen=True)
class Masks:
    """Cases of one structure, one in twenty of them failed or none."""

    cases: int
    cases_each: int
    failing: float
    samples: int = 1000
    family: str = "masks"

    @property
    def setting(self) -> str:
        """Return the setting in words."""
        return f"{self.failing:.0%} of structures missed"

    def draw(self, source: np.random.Generator, number: int) -> Iterator[Drawn]:
        """Draw a test set and measure every metric on it."""
        from scipy.special import betaincinv, ndtr

        patient, shared = np.arange(self.cases) // self.cases_each, 0.0 if self.cases_each == 1 else SHARED
        latent = math.sqrt(shared) * source.normal(size=self.cases)[patient]
        latent += math.sqrt(1.0 - shared) * source.normal(size=self.cases)
        missed = source.random(self.cases) < self.failing
        right = betaincinv(ALPHA, BETA, ndtr(latent))
        near = np.exp(LOG_MEAN - LOG_SD * latent)
        answers = {
            "measured.organ.dice": np.where(missed, 0.0, right),
            "measured.organ.hausdorff_95": np.where(missed, DIAGONAL, np.minimum(near, DIAGONAL)),
            "measured.organ.relative_volume_difference": np.where(missed, 1.0, 0.1 * np.abs(latent)),
            "measured.organ.diagonal": np.full(self.cases, DIAGONAL),
        }
        label = np.ones(self.cases, dtype=np.int8)
        rows = rows_with(self.cases, self.cases_each, label, np.full(self.cases, 0.5), answers=answers)
        truths = {
            "dice": (1.0 - self.failing) * ALPHA / (ALPHA + BETA),
            "hausdorff_95": self.failing * DIAGONAL + (1.0 - self.failing) * _distance(),
            "relative_volume_difference": self.failing + (1.0 - self.failing) * 0.1 * math.sqrt(2.0 / math.pi),
        }
        for name, truth in truths.items():
            item = item_of(name, structure="organ")
            yield Drawn(name, measure(item, rows), truth, item)


def _distance() -> float:
    """Return the mean of a log-normal distance cut off at the diagonal."""
    from scipy.special import ndtr

    end = (math.log(DIAGONAL) - LOG_MEAN) / LOG_SD
    below = math.exp(LOG_MEAN + LOG_SD**2 / 2.0) * float(ndtr(end - LOG_SD))
    return below + DIAGONAL * float(ndtr(-end))


def studies() -> Iterator[Masks]:
    """Return every setting."""
    sizes = ((30, 1), (100, 1), (300, 1), (300, 3), (1000, 1), (999, 3))
    for failing, (cases, each) in itertools.product((0.0, FAILING), sizes):
        yield Masks(cases, each, failing)
