"""Sample sizes of what rests on positive and negative cases alike."""

from __future__ import annotations

from gatekeeper.evidence.notation import write_declared_share
from gatekeeper.policy._design import CLUSTERS, Cases, Design, at_the_end
from gatekeeper.policy.schema import Policy, Requirement
from gatekeeper.statistics import (
    ClassSizes,
    cases_for_auroc,
    cases_for_called_share,
    cases_for_npv,
    cases_for_ppv,
    fewest_for_called_share,
    fewest_for_lower_limit,
    fewest_for_predictive_value,
)

_USUAL = 0.9


def predictive_value(requirement: Requirement, policy: Policy, ratio: float) -> Design:
    goal, prevalence = requirement.threshold.value, requirement.prevalence or 0.5
    ppv = requirement.spec.name == "precision"
    first, second = ("sensitivity", "specificity") if ppv else ("specificity", "sensitivity")
    assumed = _assumed(policy, first)
    share, count_of = (prevalence, cases_for_ppv) if ppv else (1.0 - prevalence, cases_for_npv)

    def other(truth: float) -> float:
        # Bayes' rule, solved for the rate of false calls that gives this predictive value.
        return 1.0 - assumed * share * (1.0 - truth) / (truth * (1.0 - share))

    def count(truth: float, power: float) -> Cases | str:
        if not 0.0 < other(truth) < 1.0:
            return f"no {second} gives it with a {first} of {write_declared_share(assumed)}"
        pair = (assumed, other(truth)) if ppv else (other(truth), assumed)
        return _by_class(count_of(*pair, prevalence, goal, power, requirement.confidence, ratio))

    fewest = fewest_for_predictive_value(requirement.spec.name, prevalence, goal, requirement.confidence, ratio)
    design = Design(
        "logit limit of Mercaldo, Lau & Zhou, power by the binomial distributions themselves",
        goal,
        1.0,
        count,
        None if fewest is None else _by_class(fewest),
        "all of them are called right",
        tuple(_fewer_false_calls(goal, share) for share in (0.5, 0.75)) if 0.0 < goal < 1.0 else (),
        f"with half, and three quarters, of the false calls that {write_declared_share(goal)} allows",
        assumptions=(
            f"A {first} of {write_declared_share(assumed)} is assumed; the {second} follows from it, the prevalence of "
            f"{write_declared_share(prevalence)} and the true value.",
            _ratio_words(ratio),
        ),
        notes=(CLUSTERS,),
    )
    return design if 0.0 < goal < 1.0 else at_the_end(design)


def alarm_rate(requirement: Requirement, policy: Policy, ratio: float) -> Design:
    goal, prevalence = requirement.threshold.value, requirement.prevalence or 0.5
    sensitivity = _assumed(policy, "sensitivity")

    def count(truth: float, power: float) -> Cases:
        specificity = 1.0 - (truth - sensitivity * prevalence) / (1.0 - prevalence)
        sizes = cases_for_called_share(sensitivity, specificity, prevalence, goal, power, requirement.confidence, ratio)
        return _by_class(sizes)

    fewest = fewest_for_called_share(prevalence, goal, requirement.confidence, ratio)
    design = Design(
        "Clopper-Pearson limits combined by Bonferroni, power by the binomial distributions themselves",
        goal,
        sensitivity * prevalence,
        count,
        None if fewest is None else _by_class(fewest),
        "all of them are called right",
        assumptions=(
            f"A sensitivity of {write_declared_share(sensitivity)} is assumed; the specificity follows from it, the "
            f"prevalence of {write_declared_share(prevalence)} and the true value.",
            _ratio_words(ratio),
        ),
        notes=(CLUSTERS,),
    )
    return design if design.end < goal < 1.0 else at_the_end(design)


def area(requirement: Requirement, ratio: float) -> Design:
    goal, confidence = requirement.threshold.value, requirement.confidence

    def count(truth: float, power: float) -> Cases:
        return _by_class(cases_for_auroc(truth, goal, power, confidence, ratio))

    pairs = fewest_for_lower_limit(goal, confidence)
    design = Design(
        "normal approximation on the log-odds scale with Hanley & McNeil's variance",
        goal,
        1.0,
        count,
        None if pairs is None else {"positive cases": pairs, "negative cases": pairs},
        "they are ranked without one error",
        write=lambda value: f"{value:g}",
        assumptions=(_ratio_words(ratio),),
        notes=(CLUSTERS,),
    )
    return design if 0.0 < goal < 1.0 else at_the_end(design)


def _fewer_false_calls(value: float, share: float) -> float:
    """Return the predictive value with ``share`` times as many false calls for each right one, in round numbers."""
    better = value / (value + share * (1.0 - value))
    return float(f"{better:.2g}") if better < 0.5 else float(f"{1.0 - float(f'{1.0 - better:.2g}'):.10g}")


def _assumed(policy: Policy, metric: str) -> float:
    """Return a true value half-way between what the policy asks of a metric and 1; 0.9 where it asks nothing."""
    asked = [
        requirement.threshold.value
        for requirement in policy.requirements.values()
        if requirement.spec.name == metric and requirement.threshold.value < 1.0
    ]
    return float(f"{(max(asked) + 1.0) / 2.0:.3g}") if asked else _USUAL


def _by_class(sizes: ClassSizes) -> Cases:
    return {"positive cases": sizes.positives, "negative cases": sizes.negatives}


def _ratio_words(ratio: float) -> str:
    if ratio == 1.0:
        return "As many positive as negative cases; --ratio sets another mix."
    return f"{ratio:g} positive cases for each negative one."
