"""How many cases a candidate without errors needs to meet a requirement, counted as the gate counts them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from gatekeeper.metrics import ConfusionTable, Metric
from gatekeeper.metrics.confusion import DETECTION_RATE, RECALL_RATE
from gatekeeper.policy import Policy, Requirement
from gatekeeper.policy.schema import Limit
from gatekeeper.statistics import (
    DEFAULT_METHOD,
    ClassSizes,
    fewest_for_called_share,
    fewest_for_lower_limit,
    fewest_for_predictive_value,
    fewest_that,
    of_ratio,
)
from gatekeeper.statistics.means import clustered_mean_interval
from gatekeeper.suites.clusters import FEWEST_CLUSTERS, SEED
from gatekeeper.suites.scored import SCORED
from gatekeeper.suites.subjects import Subjects
from gatekeeper.suites.two_rates import errorless

_SPREADS = ("within_subject_cv", "repeatability_coefficient", "repeatability_coefficient_absolute")
_PAIRS = "independent pairs of a positive and a negative case"


@dataclass(frozen=True)
class Need:
    """What there is, and what a candidate without errors needs; None where no number does.

    ``n_of`` names what is counted. ``resampled`` says that errors would be judged by their spread over patients,
    ``patients`` on how many of them the number then rests.
    """

    n_of: str
    have: int
    needed: int | None
    resampled: bool = False
    patients: int = 0
    have_words: str = ""
    needed_words: str = ""

    @property
    def too_few_patients(self) -> bool:
        """Whether there is no interval as soon as there is an error."""
        return self.resampled and self.patients < FEWEST_CLUSTERS


def need_of_performance(requirement: Requirement, subjects: Subjects) -> Need:
    """Return what a performance requirement needs on these rows, all of them called right."""
    spec, goal, confidence = requirement.spec, requirement.threshold.value, requirement.confidence
    patients = subjects.counted(requirement) if len(subjects.rows) else 0
    if spec.name == "auroc":
        needed = fewest_for_lower_limit(goal, confidence)
        return Need(_PAIRS, subjects.pairs, needed, subjects.clusters.repeat, patients)
    if spec.name in SCORED:  # no count of cases bounds these: a candidate without errors shows whether they are met
        patients = patients if SCORED[spec.name].both_classes else subjects.clusters.count
        return Need(spec.n_of, len(subjects.rows), None, subjects.clusters.repeat, patients)
    if requirement.prevalence is not None or requirement.other_rate is not None or spec.of_table is not None:
        return _by_class(requirement, subjects, patients)
    if spec in (RECALL_RATE, DETECTION_RATE):  # right answers do not bring them to an end of their range
        return Need(spec.n_of, len(subjects.rows), None, subjects.clusters.repeat, patients)
    trials = _trials(spec, subjects)
    have = int(trials.sum())
    if len(trials) and trials.max() > 1:
        needed = fewest_for_lower_limit(goal, confidence)
        return Need(f"patients with {spec.n_of}", patients, needed, True, patients)
    needed = fewest_for_lower_limit(goal, confidence, requirement.interval or DEFAULT_METHOD)
    # Alarms and all-clears depend on the candidate: errors can fall on patients who have several cases.
    varies = spec.name in ("precision", "npv") and subjects.clusters.repeat
    return Need(spec.n_of, have, needed, varies, patients)


def need_of_flips(requirement: Requirement, n: int, n_of: str, patients: int) -> Need:
    """Return what an upper limit of a flip rate needs when nothing flips."""
    needed = fewest_for_lower_limit(1.0 - requirement.threshold.value, requirement.confidence)
    if patients < n:
        return Need(_patients(n_of), patients, needed, True, patients)
    return Need(n_of, n, needed)


def need_of_spread(patients: int, n_of: str) -> Need:
    """Return what a within-subject SD needs when no score differs: patients enough to show that it is no chance."""
    return Need(_patients(n_of), patients, FEWEST_CLUSTERS)


def need_of_mean(requirement: Requirement, n_of: str, patients: int) -> Need:
    """Return what a mean over cases needs when all of them are nearly perfect.

    Its limit on the side of a bound is then made by the fifth of a patient that is added (``ClusteredMean``). Where
    there is no bound it takes so many patients that resamples of one patient alone are rarer than the error.
    """
    goal, error = requirement.threshold.value, (1.0 - requirement.confidence) / 2.0
    if not requirement.spec.higher_is_better:
        fewest = _fewest_resampled(error)
        return Need(_patients(n_of), patients, fewest, patients=patients)

    def suffices(count: int) -> bool:
        return count > 1 and _limit_of_nearly_perfect(count, requirement.confidence) >= goal

    return Need(_patients(n_of), patients, fewest_that(suffices), patients=patients)


def _fewest_resampled(error: float) -> int | None:
    """Return the fewest patients of whom resamples that take one of them alone are rarer than the error."""
    return fewest_that(lambda count: count > 1 and float(count) ** (1 - count) < error)


@lru_cache(maxsize=256)
def _limit_of_nearly_perfect(patients: int, confidence: float) -> float:
    """Return the lower limit of a mean of values next to 1, one case a patient: no candidate can show more."""
    values = 1.0 - 1e-9 * np.arange(1, patients + 1) / patients
    return clustered_mean_interval(values, np.arange(patients), 0.0, 1.0, confidence, seed=SEED)[1].lower


def need_of_agreement(requirement: Requirement, n: int, n_of: str) -> Need:
    """Return how many subjects an agreement between repeats needs: of the mean difference, where none of them differs
    by much, to stay below the threshold; of the others, to have an interval (of a relative spread, a useful one).
    """
    name, goal = requirement.spec.name, requirement.threshold.value
    fewest: int | None = {"limits_of_agreement": 3, "concordance_correlation": 4}.get(name, 2)
    if name in _SPREADS:
        fewest = _fewest_resampled((1.0 - requirement.confidence) / 2.0)
    if name == "rescan_difference" and requirement.threshold.of != "estimate":  # a mean between 0 and 2
        nearest = 1.0 - goal / requirement.spec.highest
        fewest = fewest_that(
            lambda count: count > 1 and _limit_of_nearly_perfect(count, requirement.confidence) >= nearest
        )
    have = n_of.replace("subjects", "subject", 1) if n == 1 else n_of
    return Need(n_of, n, fewest, have_words=f"no more than {n:,} {have}" if n else "")


def need_of_drop(requirement: Requirement, policy: Policy, subjects: Subjects) -> Need:
    """Return what an upper limit of a drop needs when stress changes nothing."""
    followed = policy.requirements[requirement.of or ""]
    goal, confidence, name = requirement.threshold.value, requirement.confidence, followed.spec.name
    patients = subjects.counted(followed) if len(subjects.rows) else 0
    if name == "auroc":
        return Need(_PAIRS, subjects.pairs, fewest_for_lower_limit(1.0 - goal, confidence), True, patients)
    if name in ("sensitivity", "specificity", "imageability") and followed.other_rate is None:
        needed = fewest_for_lower_limit(1.0 - goal, confidence)
        return Need(f"patients with {followed.spec.n_of}", patients, needed, True, patients)
    # The drop lies between the differences of both intervals, each with half of the error: 1 less a lower limit.
    update = {
        "lower_limit": Limit(at_least=1.0 - goal),
        "upper_limit": None,
        "estimate": None,
        "confidence": 1.0 - (1.0 - confidence) / 2.0,
    }
    return replace(need_of_performance(followed.model_copy(update=update), subjects), resampled=True, patients=patients)


def _by_class(requirement: Requirement, subjects: Subjects, patients: int) -> Need:
    resampled = subjects.clusters.repeat
    counts = (subjects.counts > 0).sum(axis=0) if resampled else subjects.counts.sum(axis=0)
    have = ClassSizes(positives=int(counts[0] + counts[2]), negatives=int(counts[1] + counts[3]))
    ratio = have.positives / have.negatives if have.positives and have.negatives else 1.0
    needed = _fewest(requirement, ratio)
    n_of = "patients" if resampled else "cases"
    return Need(
        n_of,
        have.positives + have.negatives,
        None if needed is None else needed.positives + needed.negatives,
        resampled,
        patients,
        _class_words(have, n_of),
        "" if needed is None else _class_words(needed, n_of),
    )


def _fewest(requirement: Requirement, ratio: float) -> ClassSizes | None:
    """Return the fewest cases of both classes, in this ratio, on which an errorless candidate meets a requirement."""
    spec, goal, confidence = requirement.spec, requirement.threshold.value, requirement.confidence
    prevalence = requirement.prevalence
    if prevalence is not None and spec.name in ("precision", "npv"):
        return fewest_for_predictive_value(spec.name, prevalence, goal, confidence, ratio)
    if prevalence is not None and spec is RECALL_RATE:
        return fewest_for_called_share(prevalence, goal, confidence, ratio)

    def suffices(negatives: int) -> bool:
        sizes = of_ratio(negatives, ratio)
        found = errorless(requirement, sizes.positives, sizes.negatives)
        if found is None:
            return False
        return found.lower >= goal if spec.higher_is_better else found.upper <= goal

    negatives = fewest_that(suffices)
    return None if negatives is None else of_ratio(negatives, ratio)


def _class_words(sizes: ClassSizes, n_of: str) -> str:
    kind = "patients with positive and" if n_of == "patients" else "positive and"
    tail = "with negative cases" if n_of == "patients" else "negative cases"
    return f"{sizes.positives:,} {kind} {sizes.negatives:,} {tail}"


def _trials(spec: Metric, subjects: Subjects) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    if spec.proportion is None:
        return subjects.answers[1]
    return spec.proportion(ConfusionTable.of(subjects.counts)).trials


def _patients(n_of: str) -> str:
    return n_of.replace("subjects", "patients").replace("cases", "patients")
