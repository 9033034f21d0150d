"""Findings of many cases that have been assigned to lesions, and what of them is counted at an operating point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.integer]


@dataclass(frozen=True)
class Findings:
    """Findings of all cases, each with its score and whether it hits a lesion that no other finding is counted for.

    Parameters
    ----------
    scores : shape (F,), higher is more suspicious; infinite ones rank as such
    hit : bool, shape (F,); True for a lesion's finding, False for a false positive. Ignored findings are left out
    case : index of the case, shape (F,), below n
    lesions : reference lesions of each case, shape (n,)
    clusters : code of each case's patient, from 0, shape (n,)

    Raises ValueError for shapes that do not fit, a NaN among the scores, no case, or a case of more hits than lesions.
    """

    scores: Floats
    hit: NDArray[np.bool_]
    case: NDArray[np.intp]
    lesions: NDArray[np.integer]
    clusters: NDArray[np.intp]

    def __post_init__(self) -> None:
        if self.scores.ndim != 1 or not self.scores.shape == self.hit.shape == self.case.shape:
            raise ValueError(f"scores {self.scores.shape}, hits {self.hit.shape}, cases {self.case.shape} do not fit")
        if self.lesions.ndim != 1 or self.lesions.shape != self.clusters.shape or self.lesions.size == 0:
            raise ValueError(f"lesions {self.lesions.shape} and patients {self.clusters.shape} are not those of cases")
        if self.hit.dtype != np.bool_ or np.isnan(self.scores).any():
            raise ValueError("a score is NaN, or a hit is neither True nor False")
        for codes, most in ((self.case, len(self.lesions)), (self.clusters, None), (self.lesions, None)):
            whole = np.issubdtype(codes.dtype, np.integer)
            if not whole or (codes.size and (codes.min() < 0 or (most is not None and codes.max() >= most))):
                raise ValueError("cases (below their number), patients and lesions are whole numbers from 0")
        if (np.bincount(self.case[self.hit], minlength=len(self.lesions)) > self.lesions).any():
            raise ValueError("a case has more hits than lesions")

    @classmethod
    def of_cases(
        cls, scores: Sequence[Floats], hits: Sequence[Integers], lesions: Integers, clusters: NDArray[np.intp]
    ) -> Findings:
        """Join what was found in each case: scores, and the index of the lesion hit, -1 false positive, -2 ignored.

        Raises ValueError for a lesion that is hit twice or does not exist, and as the class does.
        """
        if not len(scores) == len(hits) == len(lesions):
            raise ValueError(f"{len(scores)} and {len(hits)} lists of findings for {len(lesions)} cases")
        for found, of_case, count in zip(scores, hits, lesions, strict=True):
            struck = of_case[of_case >= 0]
            if len(found) != len(of_case) or len(np.unique(struck)) != len(struck):
                raise ValueError("a case has a lesion that is hit twice, or scores that do not fit its findings")
            if len(of_case) and (of_case.max() >= count or of_case.min() < -2):
                raise ValueError(f"a finding hits none of the {count} lesions of its case, and is neither -1 nor -2")
        case = np.repeat(np.arange(len(scores)), [len(found) for found in scores])
        every = np.concatenate([*hits, np.empty(0, dtype=np.intp)]).astype(np.intp)
        kept = every > -2
        return cls(np.concatenate([*scores, np.empty(0)])[kept], every[kept] >= 0, case[kept], lesions, clusters)

    @property
    def patients(self) -> int:
        """Number of patients: one more than the highest code."""
        return int(self.clusters.max()) + 1

    def by_patient(self, numbers: Integers | NDArray[np.bool_]) -> NDArray[np.int64]:
        """Add up whole numbers of the cases, shape (n,), for each patient, shape (C,)."""
        return np.bincount(self.clusters, weights=numbers, minlength=self.patients).astype(np.int64)


@dataclass(frozen=True)
class CountsAt:
    """What each patient has at an operating point: whole numbers of shape (C,).

    Lesion detection rate: ``hits`` among ``lesions``; precision of findings: ``hits`` among ``hits`` +
    ``false_positives``; false positives a case: ``false_positives`` over ``cases``; of lesion-free cases likewise.
    """

    hits: NDArray[np.int64]
    lesions: NDArray[np.int64]
    false_positives: NDArray[np.int64]
    cases: NDArray[np.int64]
    false_positives_lesion_free: NDArray[np.int64]
    cases_lesion_free: NDArray[np.int64]


def counts_at(findings: Findings, cut: float) -> CountsAt:
    """Count by patient what is found at or above a cut of the score."""
    found = findings.scores >= cut
    cases = len(findings.lesions)
    hits, falses = (np.bincount(findings.case[found & of], minlength=cases) for of in (findings.hit, ~findings.hit))
    free = findings.lesions == 0
    numbers = hits, findings.lesions, falses, np.ones(cases, dtype=np.int64), falses * free, free
    return CountsAt(*(findings.by_patient(number) for number in numbers))
