"""All that the section on performance draws, for the task that a policy is about."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gatekeeper.dossier.curves import Example, Shown, Thumbnail
from gatekeeper.dossier.gather_calibration import reliability
from gatekeeper.dossier.gather_classes import class_calls
from gatekeeper.dossier.gather_curves import precision_recall
from gatekeeper.dossier.gather_examples import examples
from gatekeeper.dossier.gather_froc import froc
from gatekeeper.dossier.gather_unanswered import unanswered
from gatekeeper.evidence import Evidence
from gatekeeper.policy import Policy

Pictured = Callable[[Sequence[Example]], tuple[Thumbnail, ...]]


def shown(policy: Policy, evidence: Evidence, operating_point: float, pictured: Pictured | None) -> Shown:
    """Return what is drawn; ``pictured`` makes pictures of examples, and is only asked where the policy allows them.

    It is None where there are no images to make them from.
    """
    task, lost = policy.context.task, unanswered(policy, evidence, operating_point)
    if task == "multiclass_classification":
        return Shown(classes=class_calls(policy, evidence), unanswered=lost)
    if task not in ("classification", "detection"):
        return Shown(unanswered=lost)
    wrong = examples(policy, evidence, operating_point)
    of_cases = task == "classification"
    return Shown(
        precision_recall=precision_recall(policy, evidence, operating_point) if of_cases else (),
        reliability=reliability(policy, evidence, operating_point) if of_cases else None,
        froc=None if of_cases else froc(policy, evidence, operating_point),
        examples=wrong,
        thumbnails=pictured(wrong) if pictured and policy.dossier.pictures else (),
        unanswered=lost,
    )
