"""Curves of findings against lesions: FROC and precision-recall, their numbers, and these in many resamples at once.

Findings have been assigned to lesions beforehand, case by case, so that a resample repeats cases and assigns nothing
anew: findings are sorted once, and a resample is a vector of integer weights of patients.

A cut takes every finding that scores at or above it; findings of one score are taken together, in whatever order they
stand. FROC: share of all lesions that are hit, against false positives a case, all cases counted (Bunch et al.,
J Appl Photogr Eng 1978;4:166; Chakraborty, Phys Med Biol 2013;58:R1). CPM: Niemeijer et al., IEEE Trans Med Imaging
2011;30:215; Setio et al., Med Image Anal 2017;42:1 (LUNA16). AP: Everingham et al., Int J Comput Vis 2010;88:303 (VOC,
11 points) and 2015;111:98 (all points); Lin et al., ECCV 2014:740 (COCO, 101 points).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gatekeeper.statistics.findings import Findings

Floats = NDArray[np.float64]
Integers = NDArray[np.integer]
Weights = Integers | Iterable[Integers]
Join = Literal["lines", "steps"]
Precision = Literal["none", "all_points", "coco_101", "voc_11"]

CPM_RATES = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)  # false positives a case

_CHUNK_ELEMENTS = 1 << 16  # weights handled at a time: the working arrays stay in the processor's cache
_ROUNDING = 1e-9  # 0.1 a case of 30 cases is 3 false positives, though 0.1 * 30 in binary is a little more
_RECALLS: dict[Precision, Floats] = {"coco_101": np.arange(101) / 100.0, "voc_11": np.arange(11) / 10.0}


@dataclass(frozen=True)
class FrocCurve:
    """The corners of an FROC curve, one for each distinct score and (0, 0) before them; each of shape (V + 1,).

    ``cuts`` fall, from infinity; ``sensitivity`` in [0, 1], NaN throughout where there is no lesion.
    """

    cuts: Floats
    false_positives_per_case: Floats
    sensitivity: Floats


def froc_curve(findings: Findings) -> FrocCurve:
    """Return every corner of the FROC curve, from the highest cut to the lowest."""
    cuts, where = np.unique(-findings.scores, return_inverse=True)
    hits = np.bincount(where[findings.hit], minlength=len(cuts)).cumsum()
    falses = np.bincount(where[~findings.hit], minlength=len(cuts)).cumsum()
    lesions = int(findings.lesions.sum())
    sensitivity = hits / lesions if lesions else np.full(len(cuts), np.nan)
    origin = [0.0] if lesions else [np.nan]
    return FrocCurve(
        np.concatenate([[np.inf], -cuts]),
        np.concatenate([[0.0], falses / len(findings.lesions)]),
        np.concatenate([origin, sensitivity]),
    )


def sensitivities_at(findings: Findings, rates: Sequence[float], join: Join) -> Floats:
    """Return the share of lesions that are hit at each of K rates of false positives a case, shape (K,).

    Parameters
    ----------
    rates : 0 or more false positives a case
    join : how the curve runs between its corners. ``steps``: the best sensitivity of all cuts that have at most that
        many false positives, nothing interpolated (Metrics Reloaded). ``lines``: corners joined by straight lines, the
        last one on to the right, which is how LUNA16's and CAMELYON16's evaluation (and MONAI) interpolate. They differ
        only where hits and false positives share a score: a cut takes all of them or none.

    Raises ValueError for a rate below 0, or without a lesion.
    """
    return _of_all(sensitivities_of_weights(findings, rates, join, _once(findings)))


def cpm(findings: Findings) -> float:
    """Return LUNA16's score: the mean of the sensitivities at 1/8, 1/4, 1/2, 1, 2, 4 and 8 false positives a case.

    The curve is the empirical one, its corners joined by lines, read at exactly these rates (LUNA16's script draws it
    at 10,001 points from 1/8 to 8 and reads the nearest). Raises ValueError without a lesion.
    """
    return float(sensitivities_at(findings, CPM_RATES, "lines").mean())


def average_precision(findings: Findings, precision: Precision) -> float:
    """Return the area under the precision-recall curve of all findings, in [0, 1]; lesions never hit have precision 0.

    Parameters
    ----------
    precision : ``none``: each step of recall times the precision at its end (scikit-learn, times the share of lesions
        that are hit at all). ``all_points``: the same with the best precision at that recall or any higher one (VOC
        from 2010). ``coco_101``, ``voc_11``: mean of that best precision at recalls 0, 0.01, ..., 1 and 0, 0.1, ..., 1

    Raises ValueError without a lesion.
    """
    return float(_of_all(average_precision_of_weights(findings, precision, _once(findings))))


def false_positives_at(findings: Findings, sensitivity: float) -> float:
    """Return the least false positives a case among all cuts at which the sensitivity is at least the one asked for.

    Infinite where no cut reaches it. Nothing is interpolated. Raises ValueError unless 0 < ``sensitivity`` <= 1, or
    without a lesion.
    """
    return float(_of_all(false_positives_of_weights(findings, sensitivity, _once(findings))))


def sensitivities_of_weights(findings: Findings, rates: Sequence[float], join: Join, weights: Weights) -> Floats:
    """Return ``sensitivities_at`` in each of B resamples, shape (B, K); NaN where a resample has no lesion.

    Parameters
    ----------
    weights : how often each resample takes each patient: integers >= 0 of shape (B, C), or blocks of such rows as
        ``bootstrap.weight_blocks`` draws them

    Raises ValueError for weights of another shape or type, and as ``sensitivities_at`` does for its arguments.
    """
    asked = np.asarray(rates, dtype=np.float64)
    if asked.ndim != 1 or not (asked >= 0.0).all():
        raise ValueError(f"rates of false positives a case are 0 or more, not {rates}")
    if join not in ("lines", "steps"):
        raise ValueError(f"a curve is joined by lines or by steps, not by {join!r}")
    return _in_chunks(findings, weights, lambda sums: sums.sensitivities(asked, join), (0, len(asked)))


def cpm_of_weights(findings: Findings, weights: Weights) -> Floats:
    """Return ``cpm`` in each of B resamples, shape (B,); NaN where a resample has no lesion. Weights as above."""
    return np.asarray(sensitivities_of_weights(findings, CPM_RATES, "lines", weights).mean(axis=1))


def average_precision_of_weights(findings: Findings, precision: Precision, weights: Weights) -> Floats:
    """Return ``average_precision`` in each of B resamples, shape (B,); NaN where one has no lesion."""
    if precision not in ("none", "all_points", *_RECALLS):
        raise ValueError(f"no interpolation of precision is called {precision!r}")
    return _in_chunks(findings, weights, lambda sums: sums.average_precision(precision), (0,))


def false_positives_of_weights(findings: Findings, sensitivity: float, weights: Weights) -> Floats:
    """Return ``false_positives_at`` in each of B resamples, shape (B,); NaN where one has no lesion."""
    if not 0.0 < sensitivity <= 1.0:
        raise ValueError(f"a sensitivity lies above 0 and at or below 1, not at {sensitivity}")
    return _in_chunks(findings, weights, lambda sums: sums.false_positives_at(sensitivity), (0,))


@dataclass(frozen=True)
class _Plan:
    """The findings by score, highest first, and where a cut that falls at one of them leaves the others.

    Of each false positive in turn (and one more entry, for none left): how many hits score above it, and how many above
    or the same; the same of false positives. Of each distinct score of a hit: how many hits, and how many false
    positives, score as much or more.
    """

    of_hits: NDArray[np.intp]
    of_falses: NDArray[np.intp]
    lesions: NDArray[np.int64]
    cases: NDArray[np.int64]
    hits_above: NDArray[np.intp]
    hits_upto: NDArray[np.intp]
    falses_above: NDArray[np.intp]
    falses_upto: NDArray[np.intp]
    hits_at_corner: NDArray[np.intp]
    falses_at_corner: NDArray[np.intp]

    @classmethod
    def of(cls, findings: Findings) -> _Plan:
        order = np.argsort(-findings.scores, kind="stable")
        patients, lost = findings.clusters[findings.case[order]], -findings.scores[order]
        hit = findings.hit[order]
        hits, falses = lost[hit], lost[~hit]
        corners = np.unique(hits)

        def with_end(positions: NDArray[np.intp], end: int) -> NDArray[np.intp]:
            return np.append(positions, end)

        return cls(
            of_hits=patients[hit],
            of_falses=patients[~hit],
            lesions=findings.by_patient(findings.lesions),
            cases=findings.by_patient(np.ones(len(findings.lesions), dtype=np.int64)),
            hits_above=with_end(np.searchsorted(hits, falses, "left"), len(hits)),
            hits_upto=with_end(np.searchsorted(hits, falses, "right"), len(hits)),
            falses_above=with_end(np.searchsorted(falses, falses, "left"), len(falses)),
            falses_upto=with_end(np.searchsorted(falses, falses, "right"), len(falses)),
            hits_at_corner=np.searchsorted(hits, corners, "right"),
            falses_at_corner=np.searchsorted(falses, corners, "right"),
        )


@dataclass(frozen=True)
class _Sums:
    """Running sums of the weights of hits and of false positives, 0 first, in each of R resamples: whole numbers."""

    plan: _Plan
    hits: NDArray[np.int64]
    falses: NDArray[np.int64]
    lesions: NDArray[np.int64]
    cases: NDArray[np.int64]

    @classmethod
    def of(cls, plan: _Plan, weights: Integers) -> _Sums:
        exact = weights.astype(np.int64, copy=False)
        hits, falses = _running(exact, plan.of_hits), _running(exact, plan.of_falses)
        return cls(plan, hits, falses, exact @ plan.lesions, exact @ plan.cases)

    def sensitivities(self, rates: Floats, join: Join) -> Floats:
        allowed = rates[None, :] * self.cases[:, None]
        next_one = _positions(self.falses[:, 1:], allowed + _ROUNDING, "right")
        hits = np.take_along_axis(self.hits, self.plan.hits_above[next_one], axis=1).astype(np.float64)
        if join == "lines":
            upto = np.take_along_axis(self.hits, self.plan.hits_upto[next_one], axis=1)
            left = np.take_along_axis(self.falses, self.plan.falses_above[next_one], axis=1)
            run = np.take_along_axis(self.falses, self.plan.falses_upto[next_one], axis=1) - left
            along = np.divide(np.maximum(allowed - left, 0.0), run, out=np.zeros_like(hits), where=run > 0)
            hits += along * (upto - hits)
        return _over(hits, self.lesions[:, None])

    def average_precision(self, precision: Precision) -> Floats:
        hits, falses = self.hits[:, self.plan.hits_at_corner], self.falses[:, self.plan.falses_at_corner]
        reached = np.divide(hits, hits + falses, out=np.zeros(hits.shape), where=hits > 0)
        if precision != "none":
            reached = np.maximum.accumulate(reached[:, ::-1], axis=1)[:, ::-1]
        if precision in _RECALLS:
            recalls = _RECALLS[precision]
            asked = np.ceil(recalls[None, :] * self.lesions[:, None] - _ROUNDING)
            ended = np.concatenate([reached, np.zeros((len(hits), 1))], axis=1)
            read = np.take_along_axis(ended, _positions(hits, asked, "left"), axis=1)
            return _over(read.sum(axis=1) / len(recalls), np.ones_like(self.lesions), self.lesions > 0)
        steps = np.diff(hits, axis=1, prepend=0) * reached
        # One after the other, so that corners of weight 0 change nothing, not even the rounding.
        return _over(np.cumsum(np.append(np.zeros((len(hits), 1)), steps, axis=1), axis=1)[:, -1], self.lesions)

    def false_positives_at(self, sensitivity: float) -> Floats:
        hits, falses = self.hits[:, self.plan.hits_at_corner], self.falses[:, self.plan.falses_at_corner]
        asked = np.maximum(1.0, np.ceil(sensitivity * self.lesions - _ROUNDING))
        ended = np.concatenate([falses, np.full((len(hits), 1), np.inf)], axis=1)
        taken = np.take_along_axis(ended, _positions(hits, asked[:, None], "left"), axis=1)[:, 0]
        return _over(taken, self.cases, self.lesions > 0)


def _running(weights: NDArray[np.int64], columns: NDArray[np.intp]) -> NDArray[np.int64]:
    sums = np.zeros((len(weights), len(columns) + 1), dtype=np.int64)
    np.cumsum(weights.take(columns, axis=1), axis=1, out=sums[:, 1:])
    return sums


def _positions(rising: NDArray[np.int64], asked: Floats, side: Literal["left", "right"]) -> NDArray[np.intp]:
    """Look up each row of ``asked`` in the same row of ``rising``."""
    found = [np.searchsorted(row, wanted, side) for row, wanted in zip(rising, asked, strict=True)]
    return np.asarray(found, dtype=np.intp).reshape(asked.shape)


def _over(above: Floats, below: Integers, defined: NDArray[np.bool_] | None = None) -> Floats:
    where = np.broadcast_to(below > 0 if defined is None else defined, above.shape)
    return np.asarray(np.divide(above, below, out=np.full(above.shape, np.nan), where=where))


def _in_chunks(
    findings: Findings, weights: Weights, statistic: Callable[[_Sums], Floats], nothing: tuple[int, ...]
) -> Floats:
    plan, patients = _Plan.of(findings), findings.patients
    rows = max(1, _CHUNK_ELEMENTS // max(patients, len(findings.scores), 1))
    pieces = [np.empty(nothing)]
    for block in [weights] if isinstance(weights, np.ndarray) else weights:
        if block.ndim != 2 or block.shape[1] != patients or not np.issubdtype(block.dtype, np.integer):
            raise ValueError(f"weights {block.shape} of {block.dtype} are not counts of {patients} patients")
        if block.size and np.issubdtype(block.dtype, np.signedinteger) and block.min() < 0:
            raise ValueError("a weight is negative")
        pieces += [statistic(_Sums.of(plan, block[at : at + rows])) for at in range(0, len(block), rows)]
    return np.concatenate(pieces)


def _once(findings: Findings) -> NDArray[np.int64]:
    return np.ones((1, findings.patients), dtype=np.int64)


def _of_all(values: Floats) -> Floats:
    if np.isnan(values).any():
        raise ValueError("no case has a reference lesion")
    return np.asarray(values[0])
