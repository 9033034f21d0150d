"""A layer may ask for more than the one below it, never silently for less."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_up_bench import POLICY

from gatekeeper.errors import Code, Problem, UsageError
from gatekeeper.policy import LoadedPolicy, load_policy

BASE = (
    POLICY.replace("failure_costs", "failure_costs")
    + "failure_costs: {crash: wrong}\ntest_set_use: {max_release_evaluations: 3}\n"
    + "repeatability: {benign: {contour_translation: 0.5 mm, contour_rotation: 1 degree}, reruns: 4}\n"
)
REASON = "{why: the scanner is new, by: QA}"

# name -> what the upper layer says; each asks for less, or for something else, at the place named
LOOSER = {
    "a lower threshold": "requirements: {sensitivity: {lower_limit: {at_least: 20 %}}}",
    "a lower threshold in another spelling": "requirements: {sensitivity: {lower_limit: {at_least: 0.2}}}",
    "a higher threshold of a time": "requirements: {time: {upper_limit: {at_most: 2 min}}}",
    "the estimate in place of the limit": (
        "requirements: {sensitivity: {lower_limit: null, estimate: {at_least: 30 %}}}"
    ),
    "less confidence": "requirements: {sensitivity: {confidence: 0.9}}",
    "another metric": "requirements: {sensitivity: {metric: auroc}}",
    "another level": "requirements: {flips: {level: R0}}",
    "the level of a numeric format": "requirements: {flips: {level: R2, numeric_format: fp16}}",
    "a higher prevalence": "requirements: {precision: {at_prevalence: 40 %}}",
    "a lower percentile": "requirements: {time: {percentile: 50}}",
    "a narrower interval": "requirements: {sensitivity: {interval: jeffreys}}",
    "what another requirement follows": "requirements: {breaking: {of: specificity}}",
    "an earlier breaking point": "requirements: {breaking: {estimate: {at_least: 0}}}",
    "advisory": (
        "requirements: {sensitivity: {blocking: false}}\norder: [specificity, precision, rerun, flips, breaking, time]"
    ),
}
LOOSER_AT_THE_TOP = {
    "a shorter ladder": "robustness: {contour_erosion: [0.75 mm]}",
    "a gentler ladder": "robustness: {contour_erosion: [0.5 mm, 1 mm]}",
    "no subgroups": "subgroups: null",
    "fewer subgroups": "subgroups: {by: [other]}",
    "groups that cannot close the gate": "subgroups: {too_small: not_judged}",
    "a crash that is a call": "failure_costs: {crash: positive}",
    "more uses of a test set": "test_set_use: {max_release_evaluations: 4}",
    "fewer reruns": "repeatability: {reruns: 3}",
    "a smaller benign change": "repeatability: {benign: {contour_translation: 0.3 mm}}",
}
STRICTER = {
    "a higher threshold": "requirements: {sensitivity: {lower_limit: {at_least: 40 %}}}",
    "the same threshold in another spelling": "requirements: {sensitivity: {lower_limit: {at_least: 0.3}}}",
    "the same time in another unit": "requirements: {time: {upper_limit: {at_most: 1 min}}}",
    "the alias of a metric": "requirements: {sensitivity: {metric: recall}}",
    "more confidence": "requirements: {sensitivity: {confidence: 0.99}}",
    "an exact interval": "requirements: {sensitivity: {interval: clopper_pearson}}",
    "a lower prevalence": "requirements: {precision: {at_prevalence: 0.1}}",
    "more reruns": "repeatability: {reruns: 5}",
    "a larger benign change": "repeatability: {benign: {contour_translation: 1 mm}}",
    "another benign change": "repeatability: {benign: {contour_erosion: 0.3 mm}}",
    "a longer ladder": "robustness: {contour_erosion: [0.75 mm, 6 mm, 7 mm]}",
    "fewer uses of a test set": "test_set_use: {max_release_evaluations: 1}",
    "another title": "title: Discs at our site\nrequirements: {sensitivity: {title: Found}}",
}


def loaded(folder: Path, *layers: str) -> LoadedPolicy:
    """Write layers, each upon the one before it; load the last."""
    (folder / "layer0.yaml").write_text(BASE)
    for number, text in enumerate(layers, start=1):
        (folder / f"layer{number}.yaml").write_text(f"defaults: [layer{number - 1}]\n{text}\n")
    return load_policy(str(folder / f"layer{len(layers)}.yaml"))


def refused(folder: Path, *layers: str) -> Problem:
    with pytest.raises(UsageError) as caught:
        loaded(folder, *layers)
    (problem,) = caught.value.problems
    assert problem.code is Code.FORBIDDEN
    return problem


@pytest.mark.parametrize("name", [*LOOSER, *LOOSER_AT_THE_TOP])
def test_a_silent_weakening_is_refused_at_its_line(name: str, tmp_path: Path) -> None:
    problem = refused(tmp_path, {**LOOSER, **LOOSER_AT_THE_TOP}[name])
    assert "asks for less than" in problem.what
    assert problem.where is not None
    assert (problem.where.path, problem.where.line) == (str(tmp_path / "layer1.yaml"), 2)
    assert "relaxes" in (problem.mend or "")


@pytest.mark.parametrize("name", [*LOOSER, *LOOSER_AT_THE_TOP])
def test_a_weakening_with_its_reason_is_taken_and_told(name: str, tmp_path: Path) -> None:
    if name in LOOSER:
        changed = yaml.safe_load(LOOSER[name])
        (id_,) = changed["requirements"]
        changed["requirements"][id_]["relaxes"] = {"why": "the scanner is new", "by": "QA"}
        text = yaml.safe_dump(changed)
    else:
        text = f"{LOOSER_AT_THE_TOP[name]}\nrelaxes: {REASON}"
    (told, *_) = loaded(tmp_path, text).relaxed
    assert (told.why, told.by) == ("the scanner is new", "QA")
    assert told.below.endswith("layer0")


@pytest.mark.parametrize("name", STRICTER)
def test_what_asks_for_as_much_or_more_needs_no_reason(name: str, tmp_path: Path) -> None:
    assert loaded(tmp_path, STRICTER[name]).relaxed == ()


@pytest.mark.parametrize(
    "text", ["requirements: {sensitivity: null}", "requirements:\n  sensitivity:", "requirements: {sensitivity: 3}"]
)
def test_a_requirement_is_never_dropped_whatever_the_reason(text: str, tmp_path: Path) -> None:
    for reason in ("", f"\nrelaxes: {REASON}"):
        with pytest.raises(UsageError) as caught:
            loaded(tmp_path, text + reason)
        assert "drops the requirement" in caught.value.problems[0].what or "cannot be merged" in str(caught.value)
    if "3" not in text:
        assert "waiver" in (caught.value.problems[0].mend or "")


def test_dropping_all_requirements_names_each(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        loaded(tmp_path, "requirements: null")
    assert len(caught.value.problems) == 7


def test_a_step_down_and_back_up_again_is_seen_in_its_layer(tmp_path: Path) -> None:
    down = "requirements: {sensitivity: {lower_limit: {at_least: 20 %}}}"
    up = "requirements: {sensitivity: {lower_limit: {at_least: 30 %}}}"
    with pytest.raises(UsageError) as caught:
        loaded(tmp_path, down, up)
    (problem,) = caught.value.problems
    assert problem.where is not None
    assert problem.where.path == str(tmp_path / "layer1.yaml")


def test_the_reason_of_a_lower_layer_does_not_excuse_a_higher_one(tmp_path: Path) -> None:
    first = f"requirements: {{sensitivity: {{lower_limit: {{at_least: 25 %}}, relaxes: {REASON}}}}}"
    second = "requirements: {sensitivity: {lower_limit: {at_least: 20 %}}}"
    with pytest.raises(UsageError) as caught:
        loaded(tmp_path, first, second)
    assert [problem.where and problem.where.path for problem in caught.value.problems] == [
        str(tmp_path / "layer2.yaml")
    ]


@pytest.mark.parametrize("reason", ["{why: '', by: QA}", "{why: x, by: ''}", "{why: x}", "yes please", "null", "[x]"])
def test_an_empty_reason_is_none(reason: str, tmp_path: Path) -> None:
    text = f"requirements: {{sensitivity: {{lower_limit: {{at_least: 20 %}}, relaxes: {reason}}}}}"
    with pytest.raises(UsageError, match="asks for less"):
        loaded(tmp_path, text)


def test_another_prevalence_needs_its_own_source(tmp_path: Path) -> None:
    basis = "basis: {source: register, status: project_choice}"
    first = f"context: {{prevalence: {{value: 10 %, {basis}}}}}"
    with pytest.raises(UsageError, match="its basis stays the old one"):
        loaded(tmp_path, first, "context: {prevalence: {value: 8 %}}")
    policy = loaded(tmp_path, first, f"context: {{prevalence: {{value: 8 %, {basis}}}}}").policy
    assert policy.context.prevalence is not None
    assert policy.context.prevalence.value == "8 %"


def test_a_waiver_is_the_way_to_do_without_a_requirement(tmp_path: Path) -> None:
    waiver = '{requirement: sensitivity, reason: none yet, by: QA, expires: "2027-01-31"}'
    assert loaded(tmp_path, f"waivers: [{waiver}]").relaxed == ()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(below=st.integers(1, 99), above=st.integers(1, 99))
def test_a_threshold_moves_up_freely_and_never_down_silently(below: int, above: int, tmp_path: Path) -> None:
    first = f"requirements: {{specificity: {{lower_limit: {{at_least: {max(below, 30)} %}}}}}}"
    second = f"requirements: {{specificity: {{lower_limit: {{at_least: {above / 100:.2f}}}}}}}"
    if above >= max(below, 30):
        assert loaded(tmp_path, first, second).relaxed == ()
    else:
        refused(tmp_path, first, second)
