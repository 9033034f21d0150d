"""Two areas under the ROC curve on the same cases: their difference and how sure it is.

Sources: DeLong, DeLong & Clarke-Pearson, Biometrics 1988;44:837; with several cases a patient Obuchowski, Biometrics
1997;53:567. Placements are computed from ranks in O(n log n).

DeLong's limits promise too much where one of the areas is near 1: of 3,000 made-up test sets of 30 positives and 100
negatives, 8 % called a candidate of 0.93 non-inferior to a reference of 0.98 by 0.05, and 4.8 % with 100 and 300,
instead of 2.5 %. So each class is taken to hold a fifth of a patient more, on whom the candidate is wholly wrong and
the reference wholly right for the lower limit, and the reverse for the upper one (``effective``, a choice of this
project): 0.3 and 1.9 %; at most 2.2 % in all that was tried. The price is intervals that are up to a quarter wider for
areas of 0.90, and twice as wide for areas of 0.98 with 30 positives.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gatekeeper.statistics.effective import PHANTOM
from gatekeeper.statistics.interval import Interval, Undecidable, error_each_side
from gatekeeper.statistics.proportions import clopper_pearson
from gatekeeper.statistics.roc import auroc

Floats = NDArray[np.float64]
Labels = NDArray[np.integer] | NDArray[np.bool_]


@dataclass(frozen=True)
class PlacedClass:
    """Cases of a class: candidate's placement less the reference's, in [-1, 1], and the patient of each, shape (m,)."""

    apart: Floats
    patients: NDArray[np.intp]

    @property
    def count(self) -> int:
        """Patients with a case of the class."""
        return len(np.unique(self.patients))

    def sums(self, patients: int, phantom: float) -> tuple[float, Floats, float]:
        """Return the mean with so much of a patient added who has -1; deviations by patient; variance it adds."""
        count, mean = self.count, float(self.apart.mean())
        grown = 1.0 + phantom / count
        moved = (mean - phantom / count) / grown
        shares = (self.apart - moved) / (len(self.apart) * grown)
        away: Floats = np.bincount(self.patients, weights=shares, minlength=patients).astype(np.float64)
        return moved, away, phantom * ((1.0 + moved) / (count * grown)) ** 2


@dataclass(frozen=True)
class PairedAreas:
    """Areas of two models on the same cases, and what the limits of their difference are made from.

    ``patients`` : all of them; ``unanimous`` : whether every pair of a positive and a negative case tells the same of
    the difference, as where both models rank all cases alike
    """

    candidate: float
    reference: float
    positives: PlacedClass
    negatives: PlacedClass
    patients: int
    unanimous: bool

    @property
    def difference(self) -> float:
        """Area of the candidate less that of the reference."""
        return self.candidate - self.reference

    @property
    def n(self) -> int:
        """Cases of both classes."""
        return len(self.positives.apart) + len(self.negatives.apart)

    @property
    def variance(self) -> float:
        """DeLong's variance of the difference, Obuchowski's where patients have several cases; nothing added."""
        return self._moved(0.0)[1]

    @property
    def fewest(self) -> int:
        """Patients of the class that has fewer of them."""
        return min(self.positives.count, self.negatives.count)

    @property
    def pairs(self) -> int:
        """How many pairs of a positive and a negative case there are in which no patient stands twice."""
        return min(self.fewest, self.patients // 2)

    @property
    def mirrored(self) -> PairedAreas:
        """Candidate and reference exchanged."""
        positives, negatives = (replace(placed, apart=-placed.apart) for placed in (self.positives, self.negatives))
        return PairedAreas(self.reference, self.candidate, positives, negatives, self.patients, self.unanimous)

    def interval(self, confidence: float = 0.95) -> Interval:
        """Return the interval of the difference, in [-1, 1]: ± t SE with one less degree of freedom than ``fewest``.

        A fifth of a patient of each class is added, as this module says. Where every pair of cases tells the same, the
        spread says nothing; then limits are those of Clopper & Pearson for the share of pairs that could tell
        otherwise, among ``pairs`` independent ones.
        """
        error = error_each_side(confidence)
        lower, upper = self.lower_limit(error), -self.mirrored.lower_limit(error)
        return Interval(lower, upper, confidence, self.method)

    def lower_limit(self, error: float) -> float:
        """Return the limit that lies above the truth with probability ``error``."""
        from scipy.special import stdtrit

        if self.unanimous:
            otherwise = clopper_pearson(0, self.pairs, 1.0 - 2.0 * error).upper
            return self.difference - (1.0 + self.difference) * otherwise
        moved, variance = self._moved(PHANTOM)
        return max(-1.0, moved + float(stdtrit(self.fewest - 1, error)) * math.sqrt(variance))

    def p_above(self, threshold: float) -> float:
        """Return the one-sided p value of the true difference being ``threshold`` or less, -1 < threshold < 1."""
        from scipy.special import stdtr

        if self.unanimous:
            beyond = max(0.0, self.difference - threshold)
            return float((1.0 - beyond / (1.0 + self.difference)) ** self.pairs) if beyond else 1.0
        moved, variance = self._moved(PHANTOM)
        return float(stdtr(self.fewest - 1, (threshold - moved) / math.sqrt(variance)))

    @property
    def method(self) -> str:
        """The name that people read."""
        if self.unanimous:
            return f"Clopper-Pearson (exact) over {self.pairs:,} independent pairs, since all tell the same"
        return f"paired DeLong{' by patient (Obuchowski)' if self.patients < self.n else ''}, Student t"

    def _moved(self, phantom: float) -> tuple[float, float]:
        """Return difference and variance with so much of a patient added to each class."""
        deviations, difference, variance = [], -self.difference, 0.0
        for placed in (self.positives, self.negatives):
            mean, away, added = placed.sums(self.patients, phantom)
            held = placed.count + phantom
            difference, variance = difference + mean, variance + held / (held - 1.0) * (float((away**2).sum()) + added)
            deviations.append(away)
        together = float((deviations[0] * deviations[1]).sum())
        variance += 2.0 * self.patients / (self.patients - 1.0) * together
        return difference, max(0.0, variance)


def paired_areas(
    candidate: Floats, reference: Floats, labels: Labels, patients: NDArray[np.intp] | None = None
) -> PairedAreas:
    """Return both areas under the ROC curve and what the limits of their difference are made from.

    Placements about their means are summed by patient in each class; the products of both sums count where a patient
    has cases of both. With one case a patient this is DeLong's variance of the differences of placements.

    Parameters
    ----------
    candidate, reference : scores of both models, shape (n,), higher is more positive; scales may differ
    labels : shape (n,), 1 or True is positive, 0 or False is negative
    patients : codes of the patients, shape (n,); without them each case is a patient

    Raises ValueError as ``auroc`` does, and for lengths that differ; Undecidable with one patient in a class.
    """
    of_candidate, of_reference = auroc(candidate, labels), auroc(reference, labels)
    codes = np.arange(len(labels)) if patients is None else np.unique(patients, return_inverse=True)[1]
    if codes.shape != labels.shape:
        raise ValueError(f"patients {codes.shape} and labels {labels.shape} must be of one length")
    order = np.lexsort((reference, candidate, codes))  # so that sums do not depend on the order of rows
    scores, positive, codes = np.stack([candidate, reference])[:, order], (labels == 1)[order], codes[order]
    above, below = scores[:, positive], scores[:, ~positive]
    found = PairedAreas(
        of_candidate,
        of_reference,
        PlacedClass(_placements(above, below), codes[positive]),
        PlacedClass(_placements(-below, -above), codes[~positive]),
        int(codes.max()) + 1,
        _unanimous(above, below),
    )
    if found.fewest < 2:
        raise Undecidable("a difference of areas needs two patients with a case of each class")
    return found


def _placements(own: Floats, others: Floats) -> Floats:
    """Return, for two rows of scores, the share of the other class below each case, ties one half; row 0 less row 1."""
    below, up_to = _counts(own, others)
    twice = below + up_to
    return np.asarray((twice[0] - twice[1]).astype(np.float64) / (2.0 * others.shape[1]))


def _counts(own: Floats, others: Floats) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return, for rows of scores, how many of the other class lie below each case, and how many not above it."""
    ordered = np.sort(others, axis=1)
    below, up_to = (
        np.stack([np.searchsorted(among, scores, side) for among, scores in zip(ordered, own, strict=True)])
        for side in ("left", "right")
    )
    return below, up_to


def _unanimous(above: Floats, below: Floats) -> bool:
    """Say whether every pair of cases tells the same of the difference of the two models.

    Pairs in which the positive case ranks higher form nested sets, and so do those in which it does not rank lower;
    nested sets are the same where the numbers of each case are (Ryser, Can J Math 1957;9:371).
    """
    lower, not_above = _counts(above, below)
    others_lower, others_not_above = _counts(below, above)
    positives, negatives = above.shape[1], below.shape[1]
    higher = np.concatenate([lower, positives - others_not_above], axis=1)
    not_lower = np.concatenate([not_above, positives - others_lower], axis=1)
    every = np.repeat([negatives, positives], [positives, negatives])

    def better(one: int, other: int) -> bool:
        wholly = (higher[one] == every).all() and not not_lower[other].any()
        by_half = (not_lower[one] == every).all() and (higher[one] == not_lower[other]).all()
        return bool(wholly or (by_half and not higher[other].any()))

    alike = bool((higher[0] == higher[1]).all() and (not_lower[0] == not_lower[1]).all())
    return alike or better(0, 1) or better(1, 0)
