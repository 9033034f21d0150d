"""Answers to subjects that were answered twice or more: true repeats, or the same cases in several runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gatekeeper.evidence import BASELINE, Condition, Evidence, Rows
from gatekeeper.metrics.repeatability import subject_flips, within_subject_squares
from gatekeeper.suites.clusters import Floats


@dataclass(frozen=True)
class Repeats:
    """Answers to subjects that were answered twice or more; ``subject`` codes rows, ``patient`` is per subject.

    ``lost`` counts the subjects that have an answer in some of the runs alone.
    """

    score: Floats
    called: NDArray[np.bool_]
    subject: NDArray[np.intp]
    subjects: NDArray[np.object_]
    patient: NDArray[np.object_]
    lost: int = 0

    @classmethod
    def true(cls, evidence: Evidence, operating_point: float) -> Repeats:
        """Take the true repeats of each subject at baseline; those without an answer are left out."""
        rows = evidence.under(BASELINE.id)
        kept = rows.where(rows.answered)
        return cls._of(kept.score, kept.called(operating_point), kept.subject, kept.patient)

    @classmethod
    def run_again(cls, evidence: Evidence, conditions: Sequence[Condition], operating_point: float) -> Repeats:
        """Take every case at baseline and under each condition; those without an answer in any run are left out.

        A case with an answer in some of the runs alone has changed as far as it can: to the other call, and to a score
        of 0 or 1, whichever is farther. Raises ValueError where the runs are not of the same cases.
        """
        runs = runs_of(evidence, conditions)
        return runs[0].remembered(
            f"{[condition.id for condition in conditions]} at {operating_point!r}",
            lambda: cls._run_again(runs, operating_point),
        )

    @classmethod
    def _run_again(cls, runs: Sequence[Rows], operating_point: float) -> Repeats:
        answered = np.stack([rows.answered for rows in runs])
        kept, partly = answered.any(axis=0), answered.any(axis=0) & ~answered.all(axis=0)
        called = np.stack([rows.called(operating_point) for rows in runs])
        first = np.take_along_axis(called, answered.argmax(axis=0)[np.newaxis], axis=0)
        called = np.where(answered, called, ~first)
        found = cls._of(
            filled_scores(runs)[:, kept].ravel(),
            called[:, kept].ravel(),
            np.tile(runs[0].case[kept], len(runs)),
            np.tile(runs[0].patient[kept], len(runs)),
        )
        return replace(found, lost=int(partly.sum()))

    @classmethod
    def _of(
        cls,
        score: Floats,
        called: NDArray[np.bool_],
        subject: NDArray[np.object_],
        patient: NDArray[np.object_],
    ) -> Repeats:
        names, codes, rows_each = np.unique(subject.astype(str), return_inverse=True, return_counts=True)
        keep = rows_each[codes] > 1
        kept, first, compact = np.unique(codes[keep], return_index=True, return_inverse=True)
        return cls(
            score=score[keep],
            called=called[keep],
            subject=compact,
            subjects=names[kept].astype(object),
            patient=patient[keep][first],
        )

    @property
    def flips(self) -> NDArray[np.bool_]:
        """Which subjects did not get the same call every time."""
        return subject_flips(self.called, self.subject, len(self.subjects))

    @property
    def squares(self) -> tuple[Floats, Floats]:
        """Each subject's sum of squared deviations from its mean score, and its degrees of freedom."""
        return within_subject_squares(self.score, self.subject, len(self.subjects))


def runs_of(evidence: Evidence, conditions: Sequence[Condition]) -> tuple[Rows, ...]:
    """Return the rows of the baseline and of each condition. Raises ValueError where they are not of the same cases."""
    first, *others = (evidence.under(id_) for id_ in (BASELINE.id, *(condition.id for condition in conditions)))
    for condition, rows in zip(conditions, others, strict=True):
        if not np.array_equal(first.case, rows.case):
            raise ValueError(f"other cases were run under {condition.id} than at baseline")
    return (first, *others)


def filled_scores(runs: Sequence[Rows]) -> Floats:
    """Return the score of each case in each run, shape (runs, n); for a missing one 0 or 1, whichever is farther.

    Farther from the mean of the case's other scores; NaN where no run has an answer.
    """
    answered = np.stack([rows.answered for rows in runs])
    score = np.stack([rows.score for rows in runs])
    given = answered.sum(axis=0)
    mean = np.where(answered, score, 0.0).sum(axis=0) / np.maximum(given, 1)
    farthest = np.where(given == 0, np.nan, np.where(mean < 0.5, 1.0, 0.0))
    return np.where(answered, score, farthest)
