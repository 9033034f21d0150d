"""Planted defects that a policy does not see, as remarks on the policy, each with the requirement that would see it."""

from __future__ import annotations

from gatekeeper.evidence.self_test import PlantedDefect, SelfTest
from gatekeeper.policy import LoadedPolicy
from gatekeeper.policy.lint import Remark, Weight

RULE = "blind-to-defect"

_CLASSIFICATION = {
    "labels_shuffled": "require a lower limit of auroc, or of sensitivity and specificity",
    "constant_scores": "require a lower limit of auroc, or of specificity beside sensitivity",
    "operating_point_moved": "require a lower limit of sensitivity, at more than half of what it is now",
    "positives_lost": "require a lower limit of sensitivity, less than a fifth below what it is now",
    "noisy_scores": "require repeatability (max_deviation or flip_rate at R0 or R1)",
    "unanswered": "require a lower limit of imageability",
    "latency_tripled": "require latency at a percentile, at less than 3 times what it is now",
}
_CLASSES = {
    "labels_shuffled": "require a lower limit of macro_auroc or of weighted_kappa",
    "constant_scores": "require a lower limit of macro_sensitivity or of macro_auroc",
    "positives_lost": "require a lower limit of macro_sensitivity, or of class_sensitivity for each class that counts",
}
_DETECTION = {
    "labels_shuffled": "require a lower limit of froc_score or of lesion_detection_rate",
    "constant_scores": "require an upper limit of false_positives_per_case, or a lower limit of froc_score",
    "operating_point_moved": "require a lower limit of lesion_detection_rate",
    "positives_lost": "require a lower limit of lesion_detection_rate or of froc_score",
    "unanswered": "require a lower limit of lesion_detection_rate, less than a fifth below what it is now",
}
_STRUCTURES = {
    "labels_shuffled": "require an upper limit of relative_volume_difference or of absolute_volume_difference",
    "constant_scores": "require an upper limit of relative_volume_difference or of absolute_volume_difference",
    "positives_lost": "require a lower limit of dice, or an upper limit of relative_volume_difference",
    "noisy_scores": "require repeatability of the volume (max_deviation at R0, or R4 with repeats in the test set)",
    "unanswered": "require a lower limit of dice, or an upper limit of relative_volume_difference",
}
_BY_TASK = {
    "multiclass_classification": _CLASSES,
    "detection": _DETECTION,
    "segmentation": _STRUCTURES,
    "quantification": _STRUCTURES,
}


def blind_spots(loaded: LoadedPolicy, tested: SelfTest) -> tuple[Remark, ...]:
    """Return a warning for each planted defect that a policy does not see, and a note where the gate was shut before.

    ``tested`` is the self-test of the evidence of some run under this policy. Defects that the evidence cannot carry
    are not remarked on.
    """
    place = loaded.place_of(("requirements",))
    found = [
        Remark(Weight.WARNING, RULE, place, f"{defect.id} goes through: {defect.done}", _mend(loaded, defect))
        for defect in tested.not_seen
    ]
    if found and tested.shut_by:
        what = f"without any defect the gate is shut by {', '.join(tested.shut_by)}, which may see more when it is met"
        found.append(Remark(Weight.NOTE, "shut-before", place, what))
    return tuple(found)


def _mend(loaded: LoadedPolicy, defect: PlantedDefect) -> str | None:
    policy = loaded.policy
    if defect.noticed_by:
        of_groups = [id_ for id_ in defect.noticed_by if "[" in id_]
        if of_groups and policy.subgroups is not None and not policy.subgroups.blocking:
            return f"set subgroups.blocking: true; {_listed(of_groups)} would see it"
        return f"make it blocking: {_listed(list(defect.noticed_by))} would see it"
    if defect.name == "subgroup_broken":
        asked = defect.id.partition("[")[2].rstrip("]") or "an attribute of the test set"
        return f"ask for subgroups by {asked}, blocking, of a requirement that such a group can break"
    return (_CLASSIFICATION | _BY_TASK.get(policy.context.task, {})).get(defect.name)


def _listed(ids: list[str]) -> str:
    more = f" and {len(ids) - 3} more" if len(ids) > 3 else ""
    return ", ".join(ids[:3]) + more
