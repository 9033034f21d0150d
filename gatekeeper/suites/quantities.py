"""Quantities measured on a structure, such as a volume, or scores, and how steady they are between repeats.

A column ``measured.<structure>.quantity`` holds what was measured, in one unit for all cases. Of true repeats a pair is
the original and its first repeat by case id; of runs it is the baseline and another run, and where there are several
others the pair that agrees least decides.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gatekeeper.evidence import Reason, Rows
from gatekeeper.policy import Requirement
from gatekeeper.statistics import Interval, Undecidable, mean_interval
from gatekeeper.statistics.bland_altman import differences, magnitude, relative_differences, wider_limit
from gatekeeper.statistics.clustered_agreement import (
    clustered_concordance,
    clustered_icc,
    clustered_within_subject_cv,
)
from gatekeeper.statistics.concordance import concordance_correlation
from gatekeeper.statistics.intraclass import intraclass_correlation
from gatekeeper.statistics.means import clustered_mean_interval
from gatekeeper.statistics.repeatability import (
    repeatability_coefficient,
    repeatability_interval,
    uneven_within_subject_sd_interval,
)
from gatekeeper.suites.changes import MOST_VARIANCE
from gatekeeper.suites.clusters import FEWEST_CLUSTERS, SEED, Clusters, Floats
from gatekeeper.suites.measurement import Measurement, measured, undefined
from gatekeeper.suites.repeats import filled_scores
from gatekeeper.suites.reruns import QUANTITY as QUANTITY


@dataclass(frozen=True)
class Repeated:
    """Measurements of n subjects that were measured twice or more, k of each: ``values`` (n, k), original first.

    k is the least number of repeats that any of them has. ``most_variance``: what a subject's variance cannot exceed.
    """

    values: Floats
    names: tuple[str, ...]
    patients: Clusters
    most_variance: float = math.inf

    @classmethod
    def of(cls, rows: Rows, column: str) -> Repeated | None:
        """Take subjects with two answers or more; None without any."""
        return cls._of(rows, rows.answers[column])

    @classmethod
    def _of(cls, rows: Rows, values: Floats) -> Repeated | None:
        given = np.flatnonzero(rows.answered & np.isfinite(values))
        by_subject: dict[str, list[int]] = {}
        for row in sorted(given, key=lambda at: (rows.case[at] != rows.subject[at], rows.case[at])):
            by_subject.setdefault(str(rows.subject[row]), []).append(int(row))
        several = {name: found for name, found in sorted(by_subject.items()) if len(found) > 1}
        if not several:
            return None
        fewest = min(len(found) for found in several.values())
        chosen = np.array([found[:fewest] for found in several.values()])
        return cls(values[chosen], tuple(several), Clusters.of(rows.patient[chosen[:, 0]]))

    @classmethod
    def of_scores(cls, rows: Rows) -> Repeated | None:
        """Take the scores of subjects with two answers or more; None without any."""
        found = cls._of(rows, rows.score)
        return found and replace(found, most_variance=MOST_VARIANCE)

    @classmethod
    def of_runs(cls, runs: Sequence[Rows], column: str | None) -> Repeated | None:
        """Take every case with an answer in one of the runs, in each of which it stands; scores without a column.

        An answer that a run lacks counts as a quantity of 0, or a score of 0 or 1, whichever is farther.
        """
        if column is None:
            values = filled_scores(runs)
        else:
            written = np.stack([np.where(rows.answered, rows.answers[column], np.nan) for rows in runs])
            given = np.isfinite(written)
            values = np.where(given, written, np.where(given.any(axis=0), 0.0, np.nan))
        kept = np.isfinite(values).all(axis=0)
        if not kept.any():
            return None
        first, most = runs[0], math.inf if column else MOST_VARIANCE
        return cls(values.T[kept], tuple(first.case[kept].tolist()), Clusters.of(first.patient[kept]), most)

    @property
    def pairs(self) -> tuple[Repeated, ...]:
        """The first of the measurements with each of the others."""
        return tuple(replace(self, values=self.values[:, [0, other]]) for other in range(1, self.values.shape[1]))

    @property
    def pair(self) -> tuple[Floats, Floats]:
        """The original and its first repeat."""
        return self.values[:, 0].copy(), self.values[:, 1].copy()


def column_of(requirement: Requirement, rows: Rows, what: str) -> str | None:
    """Return the column of what was measured on the structure required; of the only one there is if none is named."""
    if requirement.structure is not None:
        name = f"measured.{requirement.structure}.{what}"
        return name if name in rows.answers else None
    found = [name for name in rows.answers if name.startswith("measured.") and name.endswith(f".{what}")]
    return found[0] if len(found) == 1 else None


def measure(requirement: Requirement, runs: Sequence[Rows], n_of: str, *, scores: bool) -> Measurement:
    """Measure how steady a quantity is: between true repeats of the one run given, or between runs of the same cases.

    With ``scores`` it is the score of a case where no structure is named.
    """
    spec = requirement.spec
    column = column_of(requirement, runs[0], QUANTITY)
    if column is None and (requirement.structure is not None or not scores or np.isnan(runs[0].score).all()):
        return undefined(Reason.NOT_MEASURED, n_of)
    if len(runs) > 1:
        repeated = Repeated.of_runs(runs, column)
    else:
        repeated = Repeated.of_scores(runs[0]) if column is None else Repeated.of(runs[0], column)
    if repeated is None:
        return undefined(Reason.NO_REPEATS if len(runs) == 1 else Reason.TOO_FEW_CASES, n_of)
    n, patients = len(repeated.names), repeated.patients.count
    try:
        value, interval = _agreement(requirement, repeated, several=len(runs) > 2)
    except Undecidable:
        return Measurement(None, None, "none: too few patients", n, n_of, patients, Reason.TOO_FEW_CASES)
    except ValueError:  # what the catalogue says it has no value for, such as a relative spread about 0
        return undefined(Reason.UNDEFINED_METRIC, n_of, n, patients)
    enough = not repeated.patients.repeat or patients >= FEWEST_CLUSTERS
    bounded = interval.within(spec.lowest, spec.highest)
    return measured(value, bounded if enough else None, n, n_of, patients)


def _agreement(requirement: Requirement, repeated: Repeated, *, several: bool) -> tuple[float, Interval]:
    """Return value and interval; of several runs, for what is of two measurements, those of the worst pair.

    The limit on the bad side is the worst of all, which holds for the worst pair. The other one is the worst of limits
    that share the error (Bonferroni), since the worst of several is more often far off than one alone.
    """
    spec, confidence = requirement.spec, requirement.confidence
    if not (several and spec.name in _OF_PAIRS):
        return AGREEMENT[spec.name](repeated, confidence)
    pairs, worst = repeated.pairs, min if spec.higher_is_better else max
    found = [AGREEMENT[spec.name](pair, confidence) for pair in pairs]
    shared = [AGREEMENT[spec.name](pair, 1.0 - (1.0 - confidence) / len(pairs))[1] for pair in pairs]
    bad, good = [interval for _, interval in found], shared
    lower, upper = (bad, good) if spec.higher_is_better else (good, bad)
    interval = replace(
        found[0][1],
        lower=worst(interval.lower for interval in lower),
        upper=worst(interval.upper for interval in upper),
        method=f"worst of {len(pairs)} runs: {found[0][1].method}",
    )
    return worst(value for value, _ in found), interval


def _cv(repeated: Repeated, confidence: float) -> tuple[float, Interval]:
    if len(repeated.values) < 2:
        raise Undecidable("a spread needs two subjects")
    found = clustered_within_subject_cv(repeated.values, repeated.patients.codes, confidence, seed=SEED)
    return _of_enough(found, repeated)


def _relative_coefficient(repeated: Repeated, confidence: float) -> tuple[float, Interval]:
    value, interval = _cv(repeated, confidence)
    return repeatability_coefficient(value), repeatability_interval(interval)


def _coefficient(repeated: Repeated, confidence: float) -> tuple[float, Interval]:
    values = np.sort(repeated.values, axis=1)
    freedom = np.full(len(values), values.shape[1] - 1.0)
    with np.errstate(all="ignore"):  # squares that are no numbers are refused below
        squares = (values - values[:, :1]).var(axis=1) * values.shape[1]
    interval = uneven_within_subject_sd_interval(
        squares, freedom, repeated.patients.codes, repeated.most_variance, confidence, seed=SEED
    )
    spread = float(np.sqrt(np.sort(squares).sum() / freedom.sum()))
    value, interval = _of_enough((spread, interval), repeated)
    return repeatability_coefficient(value), repeatability_interval(interval)


def _of_enough(found: tuple[float, Interval], repeated: Repeated) -> tuple[float, Interval]:
    """Raise Undecidable for one patient, and where nothing differs between repeats in fewer than ten: it may be chance.

    The chi-squared limits of one subject would take a single small difference for small ones always.
    """
    needed = 2 if found[0] > 0.0 else FEWEST_CLUSTERS
    if repeated.patients.count < needed:
        raise Undecidable(f"a spread needs {needed} patients here")
    return found


def _limits(repeated: Repeated, confidence: float) -> tuple[float, Interval]:
    return wider_limit(relative_differences(*repeated.pair), confidence)


def _rescan(repeated: Repeated, confidence: float) -> tuple[float, Interval]:
    apart = np.abs(relative_differences(*repeated.pair))
    return clustered_mean_interval(apart, repeated.patients.codes, 0.0, 2.0, confidence, seed=SEED)


def _bias(repeated: Repeated, confidence: float) -> tuple[float, Interval]:
    return bias_of(differences(*repeated.pair), repeated.patients.codes, confidence)


def bias_of(apart: Floats, patients: NDArray[np.intp], confidence: float) -> tuple[float, Interval]:
    """Return the magnitude of a mean difference and its interval; patients are resampled where they repeat."""
    if len(np.unique(patients)) < len(patients):
        return magnitude(*clustered_mean_interval(apart, patients, confidence=confidence, seed=SEED))
    return magnitude(*mean_interval(apart, confidence))


def _icc(repeated: Repeated, confidence: float) -> tuple[float, Interval]:
    if repeated.patients.repeat:
        return clustered_icc(repeated.values, repeated.patients.codes, confidence=confidence, seed=SEED)
    return intraclass_correlation(repeated.values, confidence=confidence)


def _concordance(repeated: Repeated, confidence: float) -> tuple[float, Interval]:
    if repeated.patients.repeat:
        return clustered_concordance(*repeated.pair, repeated.patients.codes, confidence, seed=SEED)
    found = concordance_correlation(*repeated.pair, confidence)
    return found.value, found.interval


AGREEMENT: Mapping[str, Callable[[Repeated, float], tuple[float, Interval]]] = {
    "within_subject_cv": _cv,
    "repeatability_coefficient": _relative_coefficient,
    "repeatability_coefficient_absolute": _coefficient,
    "limits_of_agreement": _limits,
    "rescan_difference": _rescan,
    "bias": _bias,
    "icc": _icc,
    "concordance_correlation": _concordance,
}
_OF_PAIRS = frozenset({"limits_of_agreement", "rescan_difference", "bias", "concordance_correlation"})
