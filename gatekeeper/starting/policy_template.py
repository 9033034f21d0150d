"""The policy to edit: a layer over a shipped one, with comments that show what it may change.

Prose has a space after its mark, what may be taken in has none: take the mark away, and it holds."""

from __future__ import annotations

from pathlib import PurePosixPath

from gatekeeper.policy import Policy
from gatekeeper.starting.nearest import Shipped

_EXAMPLE = 'basis: {source: "our register, 2026", status: verified, note: "How the figure follows from the source."}'


def policy_yaml(parent: Shipped, id_: str, path: PurePosixPath) -> str:
    """Return the layer that will lie at ``path``; what it has as a comment holds once its marks are taken away."""
    policy = parent.policy
    return f"""\
# What this site requires. It lies upon a shipped policy and says only what differs; all else stays as shipped:
# `gatekeeper policy explain {parent.name}` tells each requirement in plain English, and the cases that it takes;
# `gatekeeper policy diff {parent.name} {path}`
# what this file makes stricter or looser.
defaults: [{parent.name}]
id: {id_}
version: "0.1.0"   # raise it with every change: a dossier names id, version and digest
{_prevalence(policy)}{_requirement(policy)}{_subgroups(policy)}
# Before a release QA signs the digest of the whole:
# `gatekeeper policy approve {path} --by "Dr Ada Example"`
"""


def _prevalence(policy: Policy) -> str:
    declared = policy.context.prevalence
    if declared is None:
        return ""
    return f"""
# How common the finding is where the model will be used. Predictive values are judged at it.
#context:
#  prevalence:
#    value: {declared.value}
#    {_EXAMPLE}
"""


def _requirement(policy: Policy) -> str:
    id_ = next((name for name in policy.order if policy.requirements[name].estimate is None), policy.order[0])
    requirement = policy.requirements[id_]
    end = requirement.threshold.of
    threshold = getattr(requirement, end)
    bound = "at_least" if threshold.at_least is not None else "at_most"
    stricter = "raise" if bound == "at_least" else "lower"
    return f"""
# A requirement by its id: {stricter} the value freely, and say where the new one comes from.
#requirements:
#  {id_}:
#    {end}: {{{bound}: {getattr(threshold, bound)}}}
#    {_EXAMPLE}
# To ask for less than the shipped policy is an error without a reason that a reviewer can read, beside it:
#    relaxes: {{why: "What makes the lower figure acceptable here.", by: "Dr Ada Example, QA"}}
# No layer can drop a requirement. A release without one takes a waiver, which names who, why and until when.
"""


def _subgroups(policy: Policy) -> str:
    if policy.subgroups is None:
        return ""
    return f"""
# Groups are judged by these columns of the test set's table; name those that your table has.
#subgroups:
#  by: [{", ".join(policy.subgroups.by)}]
"""
