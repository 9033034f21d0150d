from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_bench import POLICY

from gatekeeper.policy import Policy, load_policy, policy_names
from gatekeeper.policy.diff import Direction, diff
from gatekeeper.policy.schema import (
    Champion,
    Context,
    FailureCosts,
    LatencyProtocol,
    Monitoring,
    RepeatabilityProtocol,
    Requirement,
    Subgroups,
    TestSetUse,
)

REFERENCE = Path(__file__).parents[2] / "policies" / "README.md"
WHOLE: dict[str, Any] = yaml.safe_load(REFERENCE.read_text().split("```yaml\n")[1].split("```")[0])


def policy_of(data: dict[str, Any], folder: Path) -> Policy:
    path = folder / "policy.yaml"
    path.write_text(json.dumps(data))
    return load_policy(str(path)).policy


def changed(folder: Path, path: str, value: object, data: dict[str, Any] = WHOLE) -> list[tuple[Direction, str]]:
    """Return what a change of one key (dotted; None deletes it) is told as."""
    after = copy.deepcopy(data)
    *parents, key = path.split(".")
    inner = after
    for parent in parents:
        inner = inner[parent] if isinstance(inner, dict) else inner[int(parent)]
    if value is None:
        del inner[key]
    else:
        inner[key] = value
    return [(change.direction, change.words) for change in diff(policy_of(data, folder), policy_of(after, folder))]


PRECISION = "requirements.precision_in_use"
LOWER_LIMIT = f"{PRECISION}.lower_limit.at_least"
STAGE = "requirements.time_to_result.stage"
MARGIN = "champion.not_inferior.precision_in_use.margin"


@pytest.mark.parametrize(
    ("path", "value", "direction", "words"),
    [
        (
            f"{PRECISION}.lower_limit.at_least",
            "45 %",
            "stricter",
            "precision_in_use: lower limit at least 41 % -> 45 %",
        ),
        (LOWER_LIMIT, 0.4, "looser", "precision_in_use: lower limit at least 41 % -> 0.4"),
        (f"{PRECISION}.at_prevalence", "20 %", "looser", "precision_in_use: at_prevalence 13.1 % -> 20 %"),
        (f"{PRECISION}.at_prevalence", "5 %", "stricter", "precision_in_use: at_prevalence 13.1 % -> 5 %"),
        (f"{PRECISION}.confidence", 0.99, "stricter", "precision_in_use: confidence 0.95 -> 0.99"),
        ("requirements.flips.level", "R3", "changed", "flips: level R4 -> R3"),
        ("requirements.flips.level", "R1", "changed", "flips: level R4 -> R1"),
        (
            "requirements.time_to_result.stage",
            "end_to_end",
            "stricter",
            "time_to_result: stage inference -> end_to_end",
        ),
        ("requirements.time_to_result.percentile", 50, "looser", "time_to_result: percentile 95.0 -> 50.0"),
        ("failure_costs.refusal", "wrong", "stricter", "refusal counts as wrong, no longer as positive"),
        ("failure_costs.crash", "negative", "looser", "crash counts as negative, no longer as wrong"),
        ("subgroups.blocking", True, "stricter", "subgroups block"),
        ("subgroups.by", ["manufacturer", "sex"], "removed", "no longer: subgroups by age band are looked at"),
        ("test_set_use.max_release_evaluations", 9, "looser", "release evaluations of one test set: 5 -> 9"),
        ("test_set_use", None, "looser", "release evaluations of one test set: 5 -> any number"),
        (
            "champion.not_inferior.precision_in_use.margin",
            "2 %",
            "stricter",
            "precision_in_use: margin to the champion 5 % -> 2 %",
        ),
        ("multiplicity", "holm", "changed", "multiplicity: serial -> holm"),
        ("waivers", None, "stricter", "flips is no longer waived"),
        ("context.body_part", "NECK", "changed", "context.body_part: HEAD -> NECK"),
        ("latency.hardware", "A100", "changed", "latency.hardware: H100 -> A100"),
        ("notes", None, "changed", "notes: [What a reviewer must know.] -> []"),
        ("monitoring.window_cases", 100, "changed", "monitoring.window_cases: 500 -> 100"),
        ("requirements.flips.hazard", "H-03", "changed", "flips: another hazard"),
        ("context.intended_use", "x" * 80, "changed", "context.intended_use: reworded"),
    ],
)
def test_a_change_is_told_in_words(path: str, value: object, direction: str, words: str, tmp_path: Path) -> None:
    assert (Direction(direction), words) in changed(tmp_path, path, value)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (f"{PRECISION}.lower_limit.at_least", 0.41),
        (f"{PRECISION}.at_prevalence", 0.131),
        (f"{PRECISION}.metric", "ppv"),
        ("requirements.time_to_result.upper_limit.at_most", "0.5 min"),
        ("champion.not_inferior.precision_in_use.margin", 0.05),
        ("context.prevalence.value", 0.131),
    ],
)
def test_another_spelling_of_the_same_is_no_difference(path: str, value: object, tmp_path: Path) -> None:
    assert changed(tmp_path, path, value) == []


ANOTHER = {
    Policy: {
        "id": "other",
        "version": "1.0.1",
        "title": "Other",
        "robustness": {"contour_erosion": ["1 mm"]},
        "order": ["flips", "precision_in_use", "time_to_result"],
        "multiplicity": "holm",
        "test_set_use": None,
        "champion": None,
        "monitoring": None,
        "waivers": None,
        "relaxes": {"why": "x", "by": "y"},
        "notes": ["Other"],
        "subgroups": None,
        "dossier": {"pictures": True},
        "refusal_tries": 41,
    },
    Context: {
        "modality": "MR",
        "body_part": "NECK",
        "unit": "examination",
        "positive": "other",
        "structures": ["artery"],
        "intended_use": "other",
    },
    Subgroups: {
        "by": ["sex"],
        "min_cases": 31,
        "blocking": True,
        "expected": {"sex": ["F"]},
        "too_small": "not_judged",
        "missing": "not_judged",
        "largest_gap": {"precision_in_use": "10 %"},
    },
    LatencyProtocol: {
        "warm_up_calls": 1,
        "timed_calls": 301,
        "cold_starts": 4,
        "hardware": "A100",
        "load": {"arrivals_per_hour": 13, "prevalence": "10 %", "reading_minutes": 3, "readers": 2},
    },
    RepeatabilityProtocol: {"benign": {"contour_translation": "0.3 mm"}, "reruns": 3},
    FailureCosts: {
        "crash": "positive",
        "timeout": "positive",
        "out_of_memory": "positive",
        "refusal": "wrong",
        "invalid_output": "negative",
    },
    TestSetUse: {"max_release_evaluations": 6},
    Champion: {"not_inferior": {"flips": {"margin": "1 %"}}},
    Monitoring: {
        "window_cases": 1,
        "requirements": [],
        "max_score_psi": 0.2,
        "basis": {"source": "x", "status": "secondary"},
    },
    Requirement: {
        "title": "Other",
        "metric": "npv",
        "lower_limit": {"at_least": "42 %"},
        "confidence": 0.9,
        "at_prevalence": "9 %",
        "blocking": False,
        "basis": {"source": "x", "status": "secondary"},
        "hazard": "H-9",
        "clause": "other",
        "relaxes": {"why": "x", "by": "y"},
    },
}
# What cannot be changed alone in this policy: other tasks, other metrics, or values with one choice.
ELSEWHERE = {
    Policy: {"context", "requirements", "refusals", "latency", "failure_costs", "repeatability"},
    Context: {"task", "classes", "prevalence"},
    Subgroups: {"requirements"},
    LatencyProtocol: set[str](),
    RepeatabilityProtocol: set[str](),
    FailureCosts: {"empty_prediction", "missed_structure"},
    TestSetUse: set[str](),
    Champion: set[str](),
    Monitoring: set[str](),
    Requirement: {
        "upper_limit",
        "estimate",
        "interval",
        "at_sensitivity",
        "at_specificity",
        "at_precision",
        "at_false_positives_per_case",
        "at_threshold_probability",
        "up_to_false_positive_rate",
        "beta",
        "miss_cost",
        "bins",
        "of_class",
        "average",
        "structure",
        "tolerance",
        "level",
        "numeric_format",
        "stage",
        "batch",
        "of_memory",
        "percentile",
        "of",
        "perturbation",
        "severity",
    },
}
PLACES = {
    Policy: "",
    Context: "context.",
    Subgroups: "subgroups.",
    LatencyProtocol: "latency.",
    RepeatabilityProtocol: "repeatability.",
    FailureCosts: "failure_costs.",
    TestSetUse: "test_set_use.",
    Champion: "champion.",
    Monitoring: "monitoring.",
    Requirement: f"{PRECISION}.",
}


@pytest.mark.parametrize("model", PLACES, ids=lambda model: model.__name__)
def test_no_key_of_the_schema_is_forgotten(model: type, tmp_path: Path) -> None:
    assert set(ANOTHER[model]) | ELSEWHERE[model] == set(model.model_fields)  # type: ignore[attr-defined]
    for key, value in ANOTHER[model].items():
        data = copy.deepcopy(WHOLE)
        if key == "blocking" and model is Requirement:
            data["order"] = ["precision_in_use", "flips", "time_to_result"]
            after = copy.deepcopy(data)
            after["requirements"]["precision_in_use"]["blocking"] = False
            after["order"] = ["flips", "time_to_result"]
            assert diff(policy_of(data, tmp_path), policy_of(after, tmp_path))
        else:
            assert changed(tmp_path, PLACES[model] + key, value, data), key


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ({"level": "R2"}, {"level": "R2", "numeric_format": "bf16"}, []),
        ({"level": "R2"}, {"level": "R2", "numeric_format": "fp16"}, ["flips: numeric_format bf16 -> fp16"]),
        ({"level": "R2", "numeric_format": "fp16"}, {"level": "R1"}, ["flips: level R2 -> R1"]),
    ],
)
def test_a_numeric_format_that_is_not_said_is_bf16(
    before: dict[str, str], after: dict[str, str], told: list[str], tmp_path: Path
) -> None:
    policies = []
    for keys in (before, after):
        data = copy.deepcopy(WHOLE)
        del data["requirements"]["flips"]["level"]
        data["requirements"]["flips"] |= keys
        policies.append(policy_of(data, tmp_path))
    assert [change.words for change in diff(*policies)] == told


@pytest.mark.parametrize("name", policy_names())
def test_a_policy_does_not_differ_from_itself(name: str) -> None:
    policy = load_policy(name).policy
    assert diff(policy, policy) == ()


MIRROR = {
    Direction.STRICTER: Direction.LOOSER,
    Direction.LOOSER: Direction.STRICTER,
    Direction.ADDED: Direction.REMOVED,
    Direction.REMOVED: Direction.ADDED,
    Direction.CHANGED: Direction.CHANGED,
}


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_the_way_back_is_the_mirror_image(data: st.DataObject) -> None:
    def drawn() -> Policy:
        made = yaml.safe_load(POLICY)
        made["requirements"]["sensitivity"]["lower_limit"]["at_least"] = data.draw(st.integers(1, 99)) / 100
        made["requirements"]["precision"]["at_prevalence"] = data.draw(st.sampled_from([0.1, 0.2, 0.3]))
        made["requirements"]["time"]["percentile"] = data.draw(st.sampled_from([50.0, 95.0]))
        made["requirements"]["flips"]["upper_limit"]["at_most"] = data.draw(st.sampled_from([0.1, 0.2]))
        made["subgroups"]["blocking"] = data.draw(st.booleans())
        made["failure_costs"] = {"crash": data.draw(st.sampled_from(["wrong", "positive"]))}
        if data.draw(st.booleans()):
            made["test_set_use"] = {"max_release_evaluations": data.draw(st.integers(1, 3))}
        return Policy.model_validate_json(json.dumps(made))

    one, other = drawn(), drawn()
    there = sorted((change.path, change.direction) for change in diff(one, other))
    back = sorted((change.path, MIRROR[change.direction]) for change in diff(other, one))
    assert there == back
