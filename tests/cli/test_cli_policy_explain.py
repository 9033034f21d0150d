"""``gatekeeper policy explain`` as it is called."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import call

POLICY = "chest_ct/nodule_malignancy"


def test_a_policy_is_explained_in_short_and_a_requirement_in_full(tmp_path: Path) -> None:
    short = call("policy", "explain", POLICY, home=tmp_path)
    full = call("policy", "explain", POLICY, "sensitivity", home=tmp_path)
    for done in (short, full):
        assert (done.returncode, done.stderr) == (0, "")
        assert max(map(len, done.stdout.splitlines())) <= 100
    assert "(flips_between_readers)" in short.stdout
    for heading in ("Demand", "What it is", "How sure", "Weight", "Basis", "Subgroups", "How many"):
        assert f"\n{heading}" in full.stdout


def test_true_values_powers_confidence_and_class_ratio_can_be_given(tmp_path: Path) -> None:
    options = ("--truth", "0.6", "--truth", "60 %", "--power", "85 %", "--confidence", "0.9", "--ratio", "0.5")
    done = call("policy", "explain", POLICY, "precision_in_use", *options, "--json", home=tmp_path)
    assert done.returncode == 0
    told = json.loads(done.stdout)
    (only,) = told["requirements"]
    assert only["confidence"] == 0.95
    assert "90 % confidence" in only["sizes"]["purpose"]
    first, second = only["sizes"]["sizes"]
    assert first == second
    assert first["power"] == 0.85
    assert 2 * first["cases"]["positive cases"] - first["cases"]["negative cases"] in (0, 1)
    assert told["digest"].startswith("sha256:")


def test_json_holds_every_requirement_that_the_text_does(tmp_path: Path) -> None:
    told = json.loads(call("policy", "explain", POLICY, "--json", home=tmp_path).stdout)
    policy = json.loads(call("policy", "show", POLICY, "--json", home=tmp_path).stdout)
    assert {item["id"] for item in told["requirements"]} == set(policy["requirements"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("sensitivty",), 'did you mean "sensitivity"?'),
        (("sensitivity", "--truth", "30 %"), "clears no threshold of 50 %"),
        (("sensitivity", "--power", "2"), "a power lies between 0 and 1"),
        (("--truth", "0.9"), "name the requirement after the policy"),
        (("rerun", "--truth", "0.5"), "no sample size depends on a true value here"),
    ],
)
def test_what_cannot_be_explained_is_wrong_usage(arguments: tuple[str, ...], said: str, tmp_path: Path) -> None:
    done = call("policy", "explain", POLICY, *arguments, home=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


@pytest.mark.parametrize("columns", ["80", "120", "20"])
def test_lines_fit_the_terminal(columns: str, tmp_path: Path) -> None:
    done = call("policy", "explain", POLICY, "precision_in_use", home=tmp_path, COLUMNS=columns)
    assert max(map(len, done.stdout.splitlines())) <= max(60, min(int(columns), 110))


def test_numbers_of_two_powers_stay_apart_however_long(tmp_path: Path) -> None:
    asked = ("policy", "explain", POLICY, "precision_in_use", "--truth", "30.5 %")
    lines = call(*asked, home=tmp_path).stdout.splitlines()
    (row,) = [line.strip() for line in lines if line.strip().startswith("30.5 %")]
    counts = [part for part in row.split("  ") if part.strip()]
    assert len(counts) == 3
    assert all(len(count.split(" + ")) == 2 for count in counts[1:])
