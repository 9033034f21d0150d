"""The rules of a SARIF log: each requirement of a policy, in the sentences of ``policy explain``."""

from __future__ import annotations

from collections.abc import Iterator

from gatekeeper.canonical import JSON
from gatekeeper.errors import printable
from gatekeeper.policy import Policy
from gatekeeper.policy.explain import Explanation, explain_policy
from gatekeeper.reporters.markdown_text import plain


def rules_of(policy: Policy) -> list[dict[str, JSON]]:
    """Return a rule for each requirement: blocking ones in the policy's order, then advisory ones."""
    return [_rule(explanation) for explanation in explain_policy(policy)]


def _rule(told: Explanation) -> dict[str, JSON]:
    sections = list(_sections(told))
    text = "\n".join(f"{heading}: {printable(said)}" for heading, said in sections)
    markdown = "\n\n".join(f"**{heading}.** {plain(said, 5000)}" for heading, said in sections)
    return {
        "id": told.id,
        "name": "".join(part.capitalize() for part in told.id.split("_")),
        "shortDescription": {"text": printable(told.title)},
        "fullDescription": {"text": printable(told.demand)},
        "help": {"text": text, "markdown": markdown},
        "defaultConfiguration": {"level": "error" if told.blocking else "note"},
        "properties": {"tags": ["blocking" if told.blocking else "advisory"]},
    }


def _sections(told: Explanation) -> Iterator[tuple[str, str]]:
    outcomes = "; ".join(f"{outcome}: {meaning}" for outcome, meaning in told.outcomes.items())
    for heading, said in (
        ("Demand", told.demand),
        ("Not measured", told.not_measured),
        ("What it is", f"{told.measured} {told.denominator} Source: {told.source}."),
        ("How sure", f"Interval: {told.interval}."),
        ("Caution", told.caution),
        ("Outcomes", f"{outcomes}."),
        ("Weight", told.weight),
        ("Basis", told.basis),
        ("Relaxed", told.relaxed),
        ("Clause", told.clause),
        ("Hazard", told.hazard),
        ("Subgroups", told.subgroups),
        ("Waiver", told.waiver),
    ):
        if said:
            yield heading, said
