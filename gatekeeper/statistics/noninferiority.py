"""Is the candidate no worse than the reference by a margin, on the same cases?

Every comparison is candidate less reference. It is decided on one limit of a two-sided interval: where a higher value
is better, the candidate is non-inferior when the lower limit lies above -margin; where a lower one is better, when the
upper limit lies below +margin. At 95 % a candidate that is worse by just the margin passes in 2.5 % of test sets. The
margin is a distance, more than 0, to be set before the data are seen.

Sources: ICH E9 (1998), section 3.3.2; the methods are those of ``paired_proportions``, ``paired_auroc`` and ``means``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from gatekeeper.statistics.bootstrap import RESAMPLES
from gatekeeper.statistics.interval import Interval
from gatekeeper.statistics.means import ClusteredMean
from gatekeeper.statistics.paired_auroc import paired_areas
from gatekeeper.statistics.paired_proportions import effective_pairs, tango, tango_z

Floats = NDArray[np.float64]


class Decision(StrEnum):
    """What a comparison says of a margin; ``NOT_SHOWN`` is no proof of either."""

    NON_INFERIOR = "non-inferior"
    NOT_SHOWN = "not shown"
    INFERIOR = "inferior"


@dataclass(frozen=True)
class PairedComparison:
    """Candidate less reference, and what it says of a margin.

    ``p_value`` is one-sided: of a candidate worse by the margin or more. ``candidate_only`` and ``reference_only``
    count the cases in which only that model was right; None for areas and means. ``n`` cases of ``patients``.
    """

    difference: float
    interval: Interval
    margin: float
    higher_is_better: bool
    p_value: float
    n: int
    patients: int
    candidate_only: int | None = None
    reference_only: int | None = None

    def __post_init__(self) -> None:
        check_margin(self.margin)

    @property
    def decision(self) -> Decision:
        """Non-inferior, inferior (the whole interval beyond the margin), or not shown."""
        lower, upper = self.interval.lower, self.interval.upper
        nearest, farthest = (lower, upper) if self.higher_is_better else (-upper, -lower)
        if nearest > -self.margin:
            return Decision.NON_INFERIOR
        return Decision.INFERIOR if farthest < -self.margin else Decision.NOT_SHOWN

    @property
    def method(self) -> str:
        """How the interval is made."""
        return self.interval.method


def compare_proportions(
    candidate: NDArray[np.bool_],
    reference: NDArray[np.bool_],
    patients: NDArray[np.intp],
    margin: float,
    confidence: float = 0.95,
    higher_is_better: bool = True,
) -> PairedComparison:
    """Compare two proportions of the same cases, such as sensitivities, by Tango's score interval and test.

    Where patients have several cases, on effective numbers of them (``effective_pairs``).

    Parameters
    ----------
    candidate, reference : shape (n,), True for cases that count, such as the positives that a model calls
    patients : codes of the patients, shape (n,)
    margin : 0 < margin < 1

    Raises ValueError as ``effective_pairs`` does and for a margin out of range.
    """
    check_margin(margin, below=1.0)
    pairs = effective_pairs(candidate, reference, patients, confidence)
    interval = tango(pairs, confidence)
    if pairs.n != len(candidate):
        interval = Interval(
            interval.lower, interval.upper, confidence, f"{interval.method} on effective numbers of cases"
        )
    score = tango_z(pairs, -margin) if higher_is_better else -tango_z(pairs, margin)
    return PairedComparison(
        pairs.difference,
        interval,
        margin,
        higher_is_better,
        0.5 * math.erfc(score / math.sqrt(2.0)),
        len(candidate),
        len(np.unique(patients)),
        int((candidate & ~reference).sum()),
        int((reference & ~candidate).sum()),
    )


def compare_aurocs(
    candidate: Floats,
    reference: Floats,
    labels: NDArray[np.integer] | NDArray[np.bool_],
    margin: float,
    patients: NDArray[np.intp] | None = None,
    confidence: float = 0.95,
) -> PairedComparison:
    """Compare two areas under the ROC curve of the same cases by DeLong's method; parameters of ``paired_areas``.

    Raises ValueError and Undecidable as ``paired_areas`` and ``PairedAreas.interval`` do, and ValueError for a margin
    that is not between 0 and 1.
    """
    check_margin(margin, below=1.0)
    areas = paired_areas(candidate, reference, labels, patients)
    return PairedComparison(
        areas.difference,
        areas.interval(confidence),
        margin,
        True,
        areas.p_above(-margin),
        areas.n,
        areas.patients,
    )


def compare_means(
    candidate: Floats,
    reference: Floats,
    patients: NDArray[np.intp],
    margin: float,
    lowest: float = -math.inf,
    highest: float = math.inf,
    higher_is_better: bool = True,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> PairedComparison:
    """Compare two means over the same cases, such as Dice, by the interval of ``clustered_mean_interval``.

    Of the differences case by case, between lowest - highest and highest - lowest. Where few cases fail wholly in one
    model alone they make the difference, and may not be seen: with 4 % such failures of the candidate and 1 % of
    the reference a candidate worse by just the margin passed in 13 % of made-up studies of 50 patients, 5 to 7 % of
    100, 3 % of 200 and 2.5 % of 300 and more. Require the share of failures too (``compare_proportions``).

    Parameters
    ----------
    candidate, reference : shape (n,), finite, in one unit
    patients : codes of the patients, shape (n,)
    margin : more than 0, in the unit of the values
    lowest, highest : least and greatest value that a case can have; infinite where there is none

    Raises ValueError and Undecidable as ``clustered_mean_interval`` does, and ValueError for lengths that differ or a
    margin of 0 or less.
    """
    check_margin(margin)
    if candidate.shape != reference.shape:
        raise ValueError(f"{candidate.shape} values of the candidate and {reference.shape} of the reference")
    for values in (candidate, reference):
        if values.size and not (values.min() >= lowest and values.max() <= highest):
            raise ValueError(f"a value is not between {lowest:g} and {highest:g}")
    mean = ClusteredMean.of(candidate - reference, patients, lowest - highest, highest - lowest, resamples, seed)
    p_value = mean.p_above(-margin) if higher_is_better else mean.mirrored.p_above(-margin)
    interval = mean.interval(confidence)
    return PairedComparison(mean.mean, interval, margin, higher_is_better, p_value, len(candidate), len(mean.cases))


def check_margin(margin: float, below: float = math.inf) -> None:
    """Raise ValueError unless 0 < ``margin`` < ``below``."""
    if not 0.0 < margin < below:
        raise ValueError(f"a margin is a distance more than 0 and less than {below:g}, not {margin}")
