"""What the parts of a policy are called in a sentence."""

from __future__ import annotations

from gatekeeper.evidence.notation import write_declared_share
from gatekeeper.policy.schema import Basis, Policy, Requirement

STATUS = {
    "verified": "read in the source named",
    "secondary": "read in another source that quotes it",
    "computed": "computed from figures of the source named",
    "unverified": "remembered, and not checked against a source",
    "project_choice": "a choice of this project",
}


def title_of(requirement: Requirement, policy: Policy) -> str:
    """Return the short name of a requirement: its own title, or the metric's with what it is measured under."""
    if requirement.title is not None:
        return requirement.title
    title = requirement.spec.title + _parameters(requirement)
    if requirement.stage not in (None, "inference"):
        title += f", {spoken(requirement.stage)}"
    if requirement.batch == "declared":
        title += ", in batches"
    if requirement.of_memory is not None:
        title += f", {requirement.of_memory}"
    if requirement.structure is not None:
        title += f", {requirement.structure}"
    if requirement.level in ("R1", "R2"):
        title += f", {requirement.compared_format or 'one at a time'}"
    if requirement.level == "R3":
        title += ", benign changes"
    for other in ("specificity", "sensitivity", "precision"):
        if getattr(requirement, f"at_{other}") is not None:
            taken = title.rpartition(" at a ")[0] or title
            return f"{taken} at a {other} of {write_declared_share(requirement.other_rate or 0.0)}"
    if requirement.rate_of_false_positives is not None:
        taken = title.rpartition(" at a ")[0] or title
        return f"{taken} at {requirement.rate_of_false_positives:g} false positives a case"
    if requirement.of_class is not None:
        return f"{title}, {requirement.of_class}"
    if requirement.prevalence is not None:
        return f"{title} at {write_declared_share(requirement.prevalence)}"
    if requirement.percentile is not None:
        return f"{title}, p{requirement.percentile:g}"
    if requirement.perturbation is not None and requirement.of is None:
        return f"{title}: {spoken(requirement.perturbation)}"
    if requirement.perturbation is not None:
        followed = title_of(policy.requirements[requirement.of or ""], policy)
        return f"{title}: {followed.lower()}, {spoken(requirement.perturbation)}"
    return title


def _parameters(requirement: Requirement) -> str:
    """Say what the formula of a metric takes, where it takes something."""
    given = requirement.parameters
    said = [
        f"{name} {written}"
        for key, name, written in (
            ("beta", "β =", f"{given.get('beta', 0.0):g}"),
            ("miss_cost", "a miss costs", f"{given.get('miss_cost', 0.0):g} false alarms"),
            ("at_threshold_probability", "threshold", write_declared_share(given.get("at_threshold_probability", 0.0))),
        )
        if key in given
    ]
    if requirement.up_to_false_positive_rate is not None:
        said.append(f"false-positive rate to {write_declared_share(requirement.most_false_positives)}")
    if requirement.tolerance_mm is not None:
        said.append(f"within {requirement.tolerance_mm:g} mm")
    return f" ({', '.join(said)})" if said else ""


def standing_of(basis: Basis) -> str:
    """Say how far a basis can be relied on."""
    own = basis.status == "project_choice" and basis.source != "project"
    return f"{STATUS[basis.status]}, which the source does not prescribe" if own else STATUS[basis.status]


def plural(unit: str) -> str:
    """Return the plural of a unit of analysis: ``patients``, ``studies``."""
    return f"{unit[:-1]}ies" if unit.endswith("y") and unit[-2:-1] not in "aeiou" else f"{unit}s"


def spoken(name: str) -> str:
    """Return a name from a policy as words."""
    return name.replace("_", " ")
