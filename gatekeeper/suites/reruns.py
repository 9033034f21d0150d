"""The largest change between answers to one subject, be they scores, measurements or findings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from gatekeeper.evidence import Rows
from gatekeeper.metrics.repeatability import subject_ranges
from gatekeeper.suites.clusters import Floats

CHANGED = 1.0  # what counts where no difference can be taken: a value, or a finding, that one of the answers lacks


def largest_change(runs: Sequence[Rows], subjects: Sequence[NDArray[np.object_]]) -> float:
    """Return the largest difference between any two answers to one subject, each number in its own unit.

    ``subjects`` names, for each of the runs, the subject of each row. Cases without an answer are left out. 0 where
    every number of every answer is the same, bit for bit.
    """
    answered = np.concatenate([rows.answered for rows in runs])
    names = np.concatenate(subjects)[answered].astype(str)
    codes = np.unique(names, return_inverse=True)[1]
    count = int(codes.max(initial=-1)) + 1
    found = [_largest(values[answered], codes, count) for values in _columns(runs)]
    return max([*found, _largest_of_findings(runs, answered, codes)], default=0.0)


def _columns(runs: Sequence[Rows]) -> Iterator[Floats]:
    """Give the scores, and every further column that all runs have."""
    yield np.concatenate([rows.score for rows in runs])
    for name in sorted(set.intersection(*(set(rows.answers) for rows in runs))):
        yield np.concatenate([rows.answers[name] for rows in runs])


def _largest(values: Floats, codes: NDArray[np.intp], count: int) -> float:
    given = np.isfinite(values)
    rows, kept = np.bincount(codes, minlength=count), np.bincount(codes[given], minlength=count)
    ranges = subject_ranges(values[given], codes[given], count)[kept > 0]
    partly = CHANGED if ((kept > 0) & (kept < rows)).any() else 0.0
    return max(float(ranges.max(initial=0.0)), partly)


def _largest_of_findings(
    runs: Sequence[Rows],
    answered: NDArray[np.bool_],
    codes: NDArray[np.intp],
) -> float:
    """Compare findings in the order of their scores; another number of them, or another lesion hit, is a change."""
    found = [rows.findings for rows in runs]
    if any(findings is None for findings in found):
        return 0.0
    scores = np.concatenate([findings.scores for findings in found if findings is not None])[answered]
    hits = np.concatenate([findings.hits for findings in found if findings is not None])[answered]
    first: dict[int, int] = {}
    largest = 0.0
    for row, code in enumerate(codes.tolist()):
        other = first.setdefault(code, row)
        if other == row:
            continue
        one, two = (np.lexsort((hits[at], scores[at])) for at in (other, row))
        if len(one) != len(two) or not np.array_equal(hits[other][one], hits[row][two]):
            return max(largest, CHANGED)
        apart = np.abs(scores[other][one] - scores[row][two])
        largest = max(largest, float(apart.max(initial=0.0)))
    return largest
