"""Requirements that are measured and never judged: what a dossier shows, by the suites' own definitions."""

from __future__ import annotations

from gatekeeper.metrics import METRICS, Metric
from gatekeeper.policy import Policy, Requirement


def asking(spec: Metric, **options: object) -> Requirement:
    """Return a requirement on a metric with these options, whose threshold means nothing."""
    nothing: object = 0 if spec.unit in ("1", "count") else f"0 {spec.unit}"
    end = {"lower_limit": {"at_least": nothing}} if spec.higher_is_better else {"upper_limit": {"at_most": nothing}}
    return Requirement.model_validate({"metric": spec.name, **end, **options})


def plainly(policy: Policy, metric: str, **options: object) -> Requirement:
    """Return the policy's own requirement on a metric, if it has one at no other rate or prevalence, or else a new one.

    So an interval is of the kind that the policy asks for. With ``options`` the policy's own must carry the same.
    """
    spec = METRICS.get(metric)
    for item in policy.requirements.values():
        plain = item.prevalence is None and item.other_rate is None and item.rate_of_false_positives is None
        if item.spec is spec and plain and all(getattr(item, name) == value for name, value in options.items()):
            return item
    return asking(spec, **options)
