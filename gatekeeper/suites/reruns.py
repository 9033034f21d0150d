"""The largest change between answers to one subject, be they scores, measurements or findings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from gatekeeper.evidence import Rows
from gatekeeper.metrics.repeatability import BETWEEN_DICE, subject_ranges
from gatekeeper.suites.clusters import Floats

QUANTITY = "quantity"  # what a column of a structure is called that holds a measurement and no comparison
CHANGED = 1.0  # what counts where no difference can be taken: a value, or a finding, that one of the answers lacks


def largest_change(runs: Sequence[Rows], subjects: Sequence[NDArray[np.object_]], *, moved: bool = False) -> float:
    """Return the largest difference between any two answers to one subject, each number in its own unit.

    ``subjects`` names, for each of the runs, the subject of each row. Cases without an answer are left out. 0 where
    every number of every answer is the same, bit for bit; of outlines 1 less the Dice of two runs counts too. Where the
    object may have ``moved`` between runs, and the reference with it, what was held against the reference is left out:
    scores and quantities are compared.
    """
    answered = np.concatenate([rows.answered for rows in runs])
    names = np.concatenate(subjects)[answered].astype(str)
    codes = np.unique(names, return_inverse=True)[1]
    count = int(codes.max(initial=-1)) + 1
    found = [_largest(values[answered], codes, count) for values in _columns(runs, moved)]
    return max([*found, _largest_of_findings(runs, answered, codes, moved), _least_overlap(runs)], default=0.0)


def _columns(runs: Sequence[Rows], moved: bool) -> Iterator[Floats]:
    """Give the scores, and every further column that all runs have."""
    yield np.concatenate([rows.score for rows in runs])
    for name in sorted(set.intersection(*(set(rows.answers) for rows in runs))):
        if name.endswith(f".{BETWEEN_DICE}"):
            continue  # it tells of two runs already: see below
        if moved and not name.endswith(f".{QUANTITY}") and not name.startswith("probability."):
            continue
        yield np.concatenate([rows.answers[name] for rows in runs])


def _least_overlap(runs: Sequence[Rows]) -> float:
    """Return how far outlines are from those of the first run: 1 less the least of their Dice."""
    columns = [(rows, name) for rows in runs for name in rows.answers if name.endswith(f".{BETWEEN_DICE}")]
    values = [rows.answers[name][rows.answered & np.isfinite(rows.answers[name])] for rows, name in columns]
    return max((1.0 - float(found.min(initial=1.0)) for found in values), default=0.0)


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
    moved: bool,
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
        if len(one) != len(two) or not (moved or np.array_equal(hits[other][one], hits[row][two])):
            return max(largest, CHANGED)
        apart = np.abs(scores[other][one] - scores[row][two])
        largest = max(largest, float(apart.max(initial=0.0)))
    return largest
