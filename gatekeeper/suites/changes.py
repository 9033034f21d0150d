"""What repeats show of calls and scores: the largest change, the share of calls that flip, the spread."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gatekeeper.evidence import BASELINE, Condition, Evidence
from gatekeeper.policy import Requirement
from gatekeeper.statistics import Interval, clopper_pearson
from gatekeeper.statistics.repeatability import uneven_within_subject_sd_interval
from gatekeeper.suites.clusters import FEWEST_CLUSTERS, SEED, Clusters, Floats, proportion_interval
from gatekeeper.suites.measurement import Measurement, measured
from gatekeeper.suites.repeats import Repeats, runs_of
from gatekeeper.suites.reruns import CHANGED, largest_change

MOST_VARIANCE = 0.5  # of a subject's scores between 0 and 1: two repeats, at 0 and at 1


def deviation(
    evidence: Evidence, conditions: Sequence[Condition], repeats: Repeats, n_of: str, *, moved: bool
) -> Measurement:
    """Measure the largest change; an answer that some of the runs lack is one. Without conditions, of true repeats.

    ``moved``: where an image was changed the reference may have moved along, so that only what the candidate itself
    gave is compared.
    """
    baseline = evidence.under(BASELINE.id)
    if conditions:
        runs = runs_of(evidence, conditions)
        largest = largest_change(runs, [rows.case for rows in runs], moved=moved)
    else:
        largest = largest_change([baseline], [baseline.subject])
    largest = max(largest, CHANGED if repeats.lost else 0.0)
    patients = Clusters.of(repeats.patient).count
    return Measurement(largest, None, "largest value, no interval", len(repeats.subjects), n_of, patients)


def flip_share(requirement: Requirement, repeats: Repeats, n_of: str) -> Measurement:
    """Measure the share of subjects whose repeats did not all get the same call."""
    clusters, n = Clusters.of(repeats.patient), len(repeats.subjects)
    hits, trials = clusters.sums(repeats.flips), clusters.sums(np.ones(n))
    interval = proportion_interval(hits, trials, requirement.confidence, clopper_pearson)
    return measured(float(hits.sum() / n), interval, n, n_of, clusters.count)


def spread(requirement: Requirement, repeats: Repeats, n_of: str) -> Measurement:
    """Measure the within-subject SD of the score."""
    clusters, (squares, freedom) = Clusters.of(repeats.patient), repeats.squares
    estimate = float(np.sqrt(squares.sum() / freedom.sum()))
    interval = _sd_interval(estimate, squares, freedom, clusters, requirement.confidence)
    return measured(estimate, interval, len(repeats.subjects), n_of, clusters.count)


def _sd_interval(
    estimate: float, squares: Floats, freedom: Floats, clusters: Clusters, confidence: float
) -> Interval | None:
    """Return the interval of a within-subject SD; scores near 0.5 may scatter more than those near 0 and 1.

    Where no score differs between repeats, both limits are 0: a spread that every method scales by what was seen. Ten
    patients are asked for then, since nothing else shows that the sameness is more than chance. Scores that saturate
    look the same; the flips and their exact limits bound what that hides.
    """
    if estimate == 0.0:
        method = "chi-squared, both limits 0, since no score differs between repeats"
        return Interval(0.0, 0.0, confidence, method) if clusters.count >= FEWEST_CLUSTERS else None
    if clusters.count < (FEWEST_CLUSTERS if clusters.repeat else 2):
        return None
    return uneven_within_subject_sd_interval(squares, freedom, clusters.codes, MOST_VARIANCE, confidence, seed=SEED)
