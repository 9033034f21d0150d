from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from made_up_bench import POLICY

from gatekeeper.policy import load_policy, policy_names
from gatekeeper.policy.lint import Remark, Weight, lint
from gatekeeper.policy.review import review
from gatekeeper.statistics import clopper_pearson

TODAY = date(2026, 11, 23)
_BASIS = "    basis: {source: made up, status: project_choice}\n"


def remarks(folder: Path, text: str = POLICY, *, above: str | None = None) -> dict[str, Remark]:
    path = folder / "policy.yaml"
    path.write_text(text)
    if above is not None:
        path = folder / "above.yaml"
        path.write_text(f"defaults: [policy]\n{above}\n")
    return {remark.rule: remark for remark in lint(load_policy(str(path)), TODAY)}


def edited(old: str, new: str) -> str:
    assert old in POLICY
    return POLICY.replace(old, new, 1)


def test_a_policy_in_order_gets_no_warning(tmp_path: Path) -> None:
    assert [item for item in remarks(tmp_path).values() if item.weight is Weight.WARNING] == []


@pytest.mark.parametrize("name", policy_names())
def test_every_shipped_policy_lints_clean(name: str) -> None:
    found = review(name)
    assert (found.errors, found.warnings) == ((), ())


WAIVER = 'waivers: [{{requirement: flips, reason: x, by: QA, expires: "{day}"}}]\n'
SENSITIVITY = "    metric: sensitivity\n    lower_limit: {at_least: 30 %}\n"


@pytest.mark.parametrize(
    ("rule", "text", "line", "words"),
    [
        (
            "no-basis",
            edited(SENSITIVITY + _BASIS, SENSITIVITY),
            "  sensitivity:",
            "sensitivity: a requirement without basis",
        ),
        (
            "unverified",
            edited("status: project_choice", "status: unverified"),
            "status: unverified",
            "whose source nobody has checked",
        ),
        (
            "low-confidence",
            edited(SENSITIVITY, SENSITIVITY + "    confidence: 0.9\n"),
            "confidence: 0.9",
            "at 0.9 confidence",
        ),
        (
            "point-estimate",
            edited(SENSITIVITY, "    metric: sensitivity\n    estimate: {at_least: 30 %}\n"),
            "    estimate: {at_least: 30 %}",
            "the estimate of sensitivity decides",
        ),
        ("no-prevalence", edited("    at_prevalence: 20 %\n", ""), "metric: precision", "the test set's own mix"),
        ("too-few-calls", edited("timed_calls: 100", "timed_calls: 71"), "percentile: 95", "71 timed calls"),
        (
            "too-few-calls",
            edited("    percentile: 95\n", "    stage: cold_start\n    percentile: 95\n"),
            "percentile: 95",
            "3 cold starts",
        ),
        (
            "small-groups",
            POLICY.replace("at_least: 30 %", "at_least: 90 %").replace("min_cases: 10", "min_cases: 35"),
            "subgroups:",
            "36 are needed",
        ),
        ("expired-waiver", POLICY + WAIVER.format(day="2026-11-22"), "waivers:", "ended on 2026-11-22"),
        ("waiver-ends-soon", POLICY + WAIVER.format(day="2026-12-23"), "waivers:", "within 30 days"),
    ],
)
def test_a_warning_stands_at_its_key(rule: str, text: str, line: str, words: str, tmp_path: Path) -> None:
    found = remarks(tmp_path, text)[rule]
    assert found.weight is Weight.WARNING
    assert words in found.what
    assert found.place.line == text[: text.index(line)].count("\n") + 1
    assert found.mend


@pytest.mark.parametrize(
    "text",
    [
        POLICY + WAIVER.format(day="2026-12-24"),
        edited("timed_calls: 100", "timed_calls: 72"),
        POLICY.replace("at_least: 30 %", "at_least: 90 %").replace("min_cases: 10", "min_cases: 36"),
        edited(
            SENSITIVITY + _BASIS,
            "    metric: sensitivity\n    estimate: {at_least: 30 %}\n    basis: {source: K1, status: verified}\n",
        ),
        edited("status: project_choice", "status: unverified")
        .replace("  sensitivity:\n", "  sensitivity:\n    blocking: false\n", 1)
        .replace("order: [sensitivity, ", "order: ["),
        POLICY.replace(
            "requirements:\n", "requirements:\n  bare:\n    metric: ppv\n    lower_limit: {at_least: 5 %}\n" + _BASIS, 1
        ).replace("order: [", "order: [bare, "),
    ],
)
def test_what_is_just_in_order_is_not_warned_of(text: str, tmp_path: Path) -> None:
    assert [item.rule for item in remarks(tmp_path, text).values() if item.weight is Weight.WARNING] == []


def test_the_number_that_a_group_needs_is_the_one_that_decides() -> None:
    assert clopper_pearson(36, 36).lower >= 0.9 > clopper_pearson(35, 35).lower


def test_a_relaxation_and_its_reason_are_told(tmp_path: Path) -> None:
    above = "requirements: {sensitivity: {lower_limit: {at_least: 20 %}, relaxes: {why: few cases., by: QA}}}"
    found = remarks(tmp_path, above=above)
    assert found["relaxes"].what.endswith("sensitivity: lower limit at least 30 % -> 20 %; few cases; decided by QA")
    assert found["relaxes"].place.path == str(tmp_path / "above.yaml")


def test_a_threshold_under_the_basis_of_another_one_is_told(tmp_path: Path) -> None:
    stricter = "requirements: {sensitivity: {lower_limit: {at_least: 40 %}}}"
    assert remarks(tmp_path, above=stricter)["stale-basis"].place.path == str(tmp_path / "above.yaml")
    own = "requirements: {sensitivity: {lower_limit: {at_least: 40 %}, basis: {source: K1, status: verified}}}"
    assert "stale-basis" not in remarks(tmp_path, above=own)


def test_a_file_of_one_s_own_that_shadows_a_shipped_one_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "policies" / "base"
    own.mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    (own / "repeatable.yaml").write_text(POLICY)
    found = {remark.rule: remark for remark in lint(load_policy("base/repeatable"), TODAY)}
    assert found["shadows"].what == "your own base/repeatable stands in for the shipped one of that name"


def test_what_is_not_measured_yet_is_a_note_that_names_the_consequence(tmp_path: Path) -> None:
    flips = "    metric: flip_rate\n    level: R4\n    upper_limit: {at_most: 90 %}\n"
    refused = edited(flips, "    metric: froc_score\n    lower_limit: {at_least: 90 %}\n")
    found = remarks(tmp_path, refused.replace("task: classification", "task: detection"))["not-measured"]
    assert found.weight is Weight.NOTE
    assert (
        found.what
        == "flips: this version does not measure competition performance metric (FROC) yet: no candidate can PASS"
    )


@pytest.mark.parametrize(
    ("level", "asked"),
    [
        ("R2", "bf16 among its numeric_formats: otherwise it cannot PASS"),
        (
            "R2\n    numeric_format: fp16",
            "fp16 among its numeric_formats, and run on a CUDA device: otherwise it cannot",
        ),
    ],
)
def test_what_a_numeric_format_asks_of_candidates_is_noted(tmp_path: Path, level: str, asked: str) -> None:
    found = remarks(tmp_path, edited("    level: R4", f"    level: {level}"))["numeric-format"]
    assert found.weight is Weight.NOTE
    assert asked in found.what


def test_a_policy_that_does_not_load_is_reviewed_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(edited("modality: CT", "modality: XX"))
    found = review(str(path))
    assert len(found.errors) == 1
    assert found.lines(notes=True)[0] == f"✗ {path}"
    assert found.to_json()["remarks"] == []
