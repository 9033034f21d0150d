"""Which sample-size formula fits which metric."""

from __future__ import annotations

from dataclasses import replace

from gatekeeper.metrics.confusion import DETECTION_RATE, NPV, PRECISION, RECALL_RATE
from gatekeeper.policy._design import CLUSTERS, MOST_CASES, Cases, Design, at_the_end
from gatekeeper.policy._designs_by_class import alarm_rate, area, predictive_value
from gatekeeper.policy._sentences import interval_of, write_value
from gatekeeper.policy.schema import Policy, Requirement
from gatekeeper.policy.titles import title_of
from gatekeeper.statistics import (
    DEFAULT_METHOD,
    ProportionMethod,
    cases_for_lower_limit,
    cases_for_upper_limit,
    fewest_for_lower_limit,
    values_needed,
    within_subject_sd_interval,
)
from gatekeeper.statistics.sample_size import subjects_for_spread

_NAMES: dict[ProportionMethod, str] = {
    "wilson": "Wilson score",
    "clopper_pearson": "Clopper-Pearson",
    "jeffreys": "Jeffreys",
}
_AT_PREVALENCE = {RECALL_RATE: alarm_rate, PRECISION: predictive_value, NPV: predictive_value}
_SHARES = ("sensitivity", "specificity", "imageability")  # whose drop is bounded by the number of cases alone
_BEST = {"flip_rate": "none of them flips", RECALL_RATE.name: "none of them is called"}
_SPREADS = (
    *("within_subject_sd", "within_subject_cv", "repeatability_coefficient"),
    "repeatability_coefficient_absolute",
)


def design_of(requirement: Requirement, policy: Policy, positives_per_negative: float = 1.0) -> Design:
    """Return the design that fits a requirement's metric and the interval that decides it."""
    spec = requirement.spec
    if requirement.threshold.of == "estimate":
        return _point(requirement)
    if spec.name == "auroc":
        return area(requirement, positives_per_negative)
    if requirement.prevalence is not None and spec in _AT_PREVALENCE:
        return _AT_PREVALENCE[spec](requirement, policy, positives_per_negative)
    method = proportion_method(requirement)
    if method is not None:
        return _proportion(requirement, policy, method)
    if spec.name in _SPREADS:
        return _spread(requirement)
    if spec.name == "latency":
        return _percentile(requirement, policy)
    if spec.name in ("mean_latency", "throughput"):
        return _mean_time(requirement)
    if spec.name == "time_to_notification":
        return _notified(requirement, policy)
    if spec.name == "performance_drop":
        return _drop(requirement, policy)
    note = "There is no formula for this interval"
    pilot = ": try a pilot, and read how many more cases the gate asks for." if spec.measured else "."
    return Design(interval_of(requirement), notes=(note + pilot,))


def proportion_method(requirement: Requirement) -> ProportionMethod | None:
    """Return how the interval of a share of counted cases is made; None for what is no such share."""
    spec = requirement.spec
    written = spec.interval or ""
    if requirement.prevalence is not None or requirement.other_rate is not None or spec.suite == "robustness":
        return None
    if spec.proportion is not None or spec.name == "imageability":
        return requirement.interval or DEFAULT_METHOD
    return "clopper_pearson" if written.startswith("Clopper-Pearson (exact)") else None


def _point(requirement: Requirement) -> Design:
    note = (
        "One number decides, and no count of cases makes it sure: with few cases, chance decides more. Ask for a limit "
        "of the interval where you want to be sure."
    )
    if requirement.spec.interval is None:
        note = "One number decides: the metric has no interval, and no count of cases makes it sure."
    return Design("none", notes=(note,))


def _proportion(requirement: Requirement, policy: Policy, method: ProportionMethod) -> Design:
    n_of, confidence, goal = _counted(requirement), requirement.confidence, requirement.threshold.value
    higher = requirement.threshold.at_least is not None
    mirrored = goal if higher else 1.0 - goal

    def count(truth: float, power: float) -> Cases:
        search = cases_for_lower_limit if higher else cases_for_upper_limit
        return {n_of: search(truth, goal, power, confidence, method, MOST_CASES)}

    fewest = None if requirement.spec is DETECTION_RATE else fewest_for_lower_limit(mirrored, confidence, method)
    best = _BEST.get(requirement.spec.name, "all of them are right")
    design = Design(
        f"{_NAMES[method]} limit, power by the binomial distribution itself",
        goal,
        1.0 if higher else 0.0,
        count,
        None if fewest is None else {n_of: fewest},
        best,
        notes=(CLUSTERS,),
    )
    return at_the_end(design) if mirrored in (0.0, 1.0) else design


def _spread(requirement: Requirement) -> Design:
    goal, confidence = requirement.threshold.value, requirement.confidence
    counted = "subjects with two repeats" if requirement.level == "R4" else _counted(requirement)

    def count(truth: float, power: float) -> Cases:
        return {counted: subjects_for_spread(goal / truth, power, confidence)}

    ends = (within_subject_sd_interval(1.0, freedom, confidence) for freedom in (35, 100))
    few, many = (f"{interval.lower:.2f} to {interval.upper:.2f}" for interval in ends)
    design = Design(
        "limit of the mean of the variances within subjects, at least chi-squared; numbers on the safe side of a "
        "simulation of normal repeats",
        goal,
        0.0,
        count,
        write=lambda value: write_value(requirement.spec, value),
        assumptions=("All subjects scatter alike; where a few scatter far more than the others, more are needed.",),
        notes=(
            *(("A subject with k repeats counts for k - 1 of these.",) if requirement.level == "R4" else ()),
            f"With 35 of them the interval reaches at least from {few} times the estimate, with 100 from {many}.",
            CLUSTERS,
        ),
    )
    return design if goal > 0.0 else at_the_end(design)


def _mean_time(requirement: Requirement) -> Design:
    return Design(
        "Student t, skewness removed (Hall)",
        fewest={requirement.spec.n_of: 2},
        notes=(
            "More calls than two need the standard deviation of single times, which a policy does not state.",
            "Time 300 or more where one call in fifty may be slow: fewer may show none of them.",
        ),
    )


def _percentile(requirement: Requirement, policy: Policy) -> Design:
    confidence, share = requirement.confidence, (requirement.percentile or 95.0) / 100.0
    n_of, limit = requirement.spec.n_of, write_value(requirement.spec, requirement.threshold.value)

    def count(truth: float, power: float) -> Cases:
        # The upper order statistic stays below the limit when enough calls do: a lower limit of their share.
        return {n_of: cases_for_lower_limit(truth, share, power, confidence, "clopper_pearson", MOST_CASES)}

    return Design(
        "order statistics, power by the binomial distribution itself",
        share,
        1.0,
        count,
        {n_of: values_needed(share, confidence)},
        f"none of them is slower than {limit}",
        assumptions=(f"A true value is the share of calls that take {limit} or less.",),
        notes=(f"The policy times {policy.latency.timed_calls:,} calls (latency.timed_calls).",),
    )


def _notified(requirement: Requirement, policy: Policy) -> Design:
    share = (requirement.percentile or 95.0) / 100.0
    return Design(
        "percentile bootstrap through simulated queues",
        fewest={requirement.spec.n_of: values_needed(share, requirement.confidence)},
        notes=(f"The policy times {policy.latency.timed_calls:,} calls (latency.timed_calls).",),
    )


def _drop(requirement: Requirement, policy: Policy) -> Design:
    """Count what an upper limit needs when stress changes nothing, as ``suites.drops`` bounds a drop that none varies.

    A share of the same cases, or an area, is bounded by how many there are of them, whatever its value; another metric
    by its own limits before and after, each with half of the error: they must be right in all cases besides.
    """
    followed = policy.requirements[requirement.of or ""]
    spec, name = followed.spec, title_of(followed, policy)
    goal, confidence = 1.0 - requirement.threshold.value, requirement.confidence
    note = (
        "There is no formula for more: the number depends on how many answers the stress changes. Read from a pilot "
        "how many more cases the gate asks for."
    )
    design = Design(_how_of_drop(followed), notes=(note, CLUSTERS))
    if spec.name == "auroc" or (spec.name in _SHARES and followed.other_rate is None):
        counted = "pairs of a positive and a negative case" if spec.name == "auroc" else spec.n_of
        fewest = fewest_for_lower_limit(goal, confidence)
        best = f"the stress changes none of them ({name})"
    elif spec.proportion is not None and followed.prevalence is None and followed.other_rate is None:
        counted, method = spec.n_of, followed.interval or DEFAULT_METHOD
        fewest = fewest_for_lower_limit(goal, 1.0 - (1.0 - confidence) / 2.0, method)
        best = f"all of them are right and the stress changes none of them ({name})"
    else:
        return design
    return design if fewest is None else replace(design, fewest={counted: fewest}, best=best)


def _how_of_drop(followed: Requirement) -> str:
    """Return how the interval of a drop is made; see ``suites.drops``."""
    spec = followed.spec
    if spec.name == "auroc":
        return "paired DeLong"
    if followed.prevalence is not None or followed.other_rate is not None:
        return "MOVER of the limits before and after"
    if spec.name in ("precision", "npv"):  # their cases differ before and after
        return "Tango score where both are of the same cases, else MOVER of the limits before and after"
    shares = spec.proportion is not None or spec.name in _SHARES
    return "paired Tango score" if shares else "MOVER of the limits before and after"


def _counted(requirement: Requirement) -> str:
    by_level = {"R0": "cases run twice", "R1": "cases run twice", "R2": "cases run twice", "R3": "cases changed"}
    return by_level.get(requirement.level or "", requirement.spec.n_of)
