"""How much performance is left when the acquisition, or the contour, goes wrong."""

from __future__ import annotations

from gatekeeper.metrics.specification import CALLS, EVERY_TASK, Metric, Suite

_SOURCE = "paired on cases; ladder and severities as the policy declares them"

PERFORMANCE_DROP = Metric(
    name="performance_drop",
    title="Drop under stress",
    suite=Suite.ROBUSTNESS,
    tasks=EVERY_TASK,
    definition="value of the metric followed at baseline minus its value under the perturbation, on the same cases; "
    "the other way round where a smaller value is the better one",
    source=_SOURCE,
    undefined="the metric is undefined at baseline or under the perturbation",
    n_of="cases",
    interval=(
        "paired: Tango score for a share of the same cases, on effective numbers where a patient has several; DeLong "
        "for an AUROC; studentised bootstrap of patients, of the differences case by case, for a value of a structure; "
        "MOVER (Zou & Donner) of the limits before and after for any other metric, correlated as in a patient-cluster "
        "bootstrap"
    ),
    caution="of a predictive value at a prevalence, and of an average precision, the upper limit is wrong in up to 5 % "
    "of test sets of 300 to 1,000 cases instead of 2.5 %",
    lowest=-1.0,
    higher_is_better=False,
    options=frozenset({"of", "perturbation", "severity"}),
    must=frozenset({"of", "perturbation", "severity"}),
)
FLIPS_UNDER_STRESS = Metric(
    name="flips_under_stress",
    title="Flips under stress",
    suite=Suite.ROBUSTNESS,
    tasks=CALLS,
    definition="share of cases whose call at the operating point is another one under the perturbation than at "
    "baseline; an answer in one of both runs alone is another call",
    source=_SOURCE,
    undefined="no case",
    n_of="cases",
    interval="Clopper-Pearson (exact); on the effective number of cases (Korn & Graubard) where a patient has several",
    higher_is_better=False,
    options=frozenset({"perturbation", "severity"}),
    must=frozenset({"perturbation", "severity"}),
)
BREAKING_POINT = Metric(
    name="breaking_point",
    title="Breaking point",
    suite=Suite.ROBUSTNESS,
    tasks=EVERY_TASK,
    definition=(
        "least severity at which the requirement followed is no longer met; 0 when it is not met without stress; "
        "one more than the ladder has steps when it holds on all of them"
    ),
    source=_SOURCE,
    undefined="the requirement it refers to cannot be measured",
    n_of="cases at each severity",
    unit="severity",
    highest=99.0,
    options=frozenset({"of", "perturbation"}),
    must=frozenset({"of", "perturbation"}),
)
