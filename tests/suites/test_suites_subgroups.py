"""The worst subgroup, and how far groups lie apart. All evidence is made up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_up_evidence import OPERATING_POINT, MadeUpCase, cells, evidence_of, named, policy_of, requirement
from pydantic import ValidationError
from scipy import stats

from gatekeeper.evidence import Finding, Outcome, Reason
from gatekeeper.policy import Policy
from gatekeeper.statistics import clopper_pearson
from gatekeeper.suites.subgroups import gap_between, measure_subgroup, worst_group
from gatekeeper.verdict import judge

WILSON = requirement("sensitivity", interval="wilson")


def at(site: str, cases: list[MadeUpCase]) -> list[MadeUpCase]:
    return [replace(case, attributes={"site": site}) for case in cases]


def grouped(**parts: object) -> Policy:
    asked = {"by": ("site",), "min_cases": 10, "requirements": ("found",), **parts}
    return policy_of({"found": WILSON}, subgroups=asked)


def of_shares(**hits: tuple[int, int]) -> list[MadeUpCase]:
    """Return positives of sites, so many found of so many, and a few negatives each."""
    made: list[MadeUpCase] = []
    for site, (found, of) in hits.items():
        made += at(site, cells(found, of - found, 1, 9))
    return named(made)


def findings(policy: Policy, cases: list[MadeUpCase]) -> dict[str, Finding]:
    return {one.id: one for one in judge(policy, evidence_of({"baseline": cases}), OPERATING_POINT)}


def test_the_gap_of_two_groups_is_newcombe_s_published_example() -> None:
    """56/70 against 48/80: 0.20, hybrid score interval 0.0524 to 0.3339 (Stat Med 1998;17:873, method 10)."""
    evidence = evidence_of({"baseline": of_shares(north=(56, 70), south=(48, 80))})
    gap = gap_between(WILSON, grouped(), evidence, OPERATING_POINT, "site")
    assert gap is not None
    assert (gap.best, gap.worst, gap.groups) == ("north", "south", 2)
    assert gap.measurement.estimate == pytest.approx(0.2)
    assert gap.measurement.limits == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert "independent" in gap.measurement.method


def test_of_three_groups_every_pair_holds_together() -> None:
    shares = {"a": (45, 50), "b": (40, 50), "c": (60, 100)}
    evidence = evidence_of({"baseline": of_shares(**shares)})
    gap = gap_between(WILSON, grouped(), evidence, OPERATING_POINT, "site")
    assert gap is not None
    z = stats.norm.ppf(1.0 - 0.05 / 3.0 / 2.0)

    def wilson(hits: int, n: int) -> tuple[float, float]:
        p, middle = hits / n, (hits + z * z / 2.0) / (n + z * z)
        half = z / (n + z * z) * np.sqrt(n * p * (1.0 - p) + z * z / 4.0)
        return middle - half, middle + half

    lower, upper = [], []
    for best, worst in (("a", "b"), ("a", "c"), ("b", "c")):
        (high, of), (low, count) = shares[best], shares[worst]
        apart = high / of - low / count
        (l1, u1), (l2, u2) = wilson(high, of), wilson(low, count)
        lower.append(apart - np.hypot(high / of - l1, u2 - low / count))
        upper.append(apart + np.hypot(u1 - high / of, low / count - l2))
    assert gap.measurement.limits == pytest.approx((max(0.0, *lower), max(upper)), abs=1e-9)


def test_the_interval_of_a_gap_does_not_promise_too_much() -> None:
    """In 200 made-up test sets of four groups of 60, the true gap of 0.1 is not excluded too often."""
    random, excluded = np.random.default_rng(7), 0
    for _ in range(200):
        shares = [int(random.binomial(60, share)) for share in (0.9, 0.9, 0.9, 0.8)]
        cases = of_shares(**{f"s{number}": (hits, 60) for number, hits in enumerate(shares)})
        gap = gap_between(WILSON, grouped(), evidence_of({"baseline": cases}), OPERATING_POINT, "site")
        assert gap is not None
        assert gap.measurement.limits is not None
        lower, upper = gap.measurement.limits
        excluded += not lower <= 0.1 <= upper
    assert excluded / 200 <= 0.05


def test_the_worst_group_is_judged_for_all_groups_together() -> None:
    policy = policy_of(
        {"found": requirement("sensitivity")},
        subgroups={"by": ("site",), "min_cases": 10, "requirements": ("found",)},
    )
    evidence = evidence_of({"baseline": of_shares(a=(45, 50), b=(30, 40), c=(28, 30), small=(0, 3))})
    worst = worst_group(policy.requirements["found"], policy, evidence, OPERATING_POINT, "site")
    assert (worst.group, worst.groups) == ("b", 3)
    exact = clopper_pearson(30, 40, 1.0 - 0.05 / 3.0)
    assert worst.measurement.limits == pytest.approx((exact.lower, exact.upper), abs=1e-9)
    assert "Bonferroni" in worst.measurement.method


def test_of_a_metric_of_which_less_is_better_the_worst_is_the_largest() -> None:
    item = requirement("recall_rate", at_prevalence=0.1, upper_limit={"at_most": 0.5})
    policy = policy_of({"found": item}, subgroups={"by": ("site",), "min_cases": 5, "requirements": ("found",)})
    cases = named(at("quiet", cells(20, 0, 1, 39)) + at("loud", cells(20, 0, 20, 20)))
    worst = worst_group(item, policy, evidence_of({"baseline": cases}), OPERATING_POINT, "site")
    assert worst.group == "loud"


def test_findings_tell_the_worst_group_and_the_gap_in_words() -> None:
    found = findings(grouped(largest_gap={"found": "10 %"}, blocking=True), of_shares(north=(56, 70), south=(48, 80)))
    assert [id_ for id_ in found if "[" in id_] == [
        "found[site=north]",
        "found[site=south]",
        "found[site].worst",
        "found[site].gap",
    ]
    worst, gap = found["found[site].worst"], found["found[site].gap"]
    assert worst.words.startswith("In south, the worst of 2 groups by site: Sensitivity is 60.0 % (")
    assert not worst.blocking
    assert gap.words.startswith(
        "Between north, the best, and south, the worst of 2 groups by site, Sensitivity differs by"
    )
    assert (gap.outcome, gap.blocking, gap.threshold.at_most) == (Outcome.NOT_DECIDED, True, 0.1)
    wide = findings(grouped(largest_gap={"found": "4 %"}), of_shares(north=(56, 70), south=(48, 80)))
    assert wide["found[site].gap"].outcome is Outcome.NOT_MET


def test_small_groups_alone_are_told_and_not_left_out() -> None:
    found = findings(grouped(largest_gap={"found": "10 %"}), of_shares(north=(3, 4), south=(2, 4)))
    for id_ in ("found[site].worst", "found[site].gap"):
        assert (found[id_].outcome, found[id_].reason) == (Outcome.NOT_DECIDED, Reason.SUBGROUP_TOO_SMALL)
    assert found["found[site].worst"].words.startswith("No group by site is large enough")
    assert found["found[site].gap"].words.startswith("Fewer than two groups by site")


def test_flips_and_drops_are_looked_at_in_groups_as_well() -> None:
    items = {
        "found": requirement("sensitivity"),
        "flips": requirement(
            "flips_under_stress", perturbation="contour_erosion", severity=1, upper_limit={"at_most": 0.5}
        ),
        "rerun": requirement("flip_rate", level="R0", upper_limit={"at_most": 0.5}),
    }
    policy = policy_of(
        items,
        robustness={"contour_erosion": ("1 mm",)},
        subgroups={"by": ("site",), "min_cases": 5, "requirements": ("flips", "rerun")},
    )
    before = of_shares(north=(20, 20), south=(20, 20))
    after = [replace(case, score=0.1) if case.attributes["site"] == "south" else case for case in before]
    evidence = evidence_of({"baseline": before, "contour_erosion.1": after, "rerun": after})
    for id_ in ("flips", "rerun"):
        shares = [
            measure_subgroup(items[id_], policy, evidence, OPERATING_POINT, "site", site).estimate
            for site in ("north", "south")
        ]
        assert shares[0] == 0.0
        assert shares[1] is not None
        assert shares[1] > 0.6


def test_a_gap_is_bounded_of_what_is_looked_at_and_above_nothing() -> None:
    with pytest.raises(ValidationError, match="more than 0"):
        grouped(largest_gap={"found": 0})
    with pytest.raises(ValidationError, match="unknown requirement of subgroups"):
        grouped(largest_gap={"cleared": "10 %"})


def test_what_is_declined_is_of_no_group() -> None:
    items = {"found": WILSON, "declines": requirement("refusal_rate")}
    with pytest.raises(ValidationError, match="declines is not measured case by case"):
        policy_of(items, refusals=("blank",), subgroups={"by": ("site",), "requirements": ("declines",)})
