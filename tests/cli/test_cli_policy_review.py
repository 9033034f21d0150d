"""``policy lint``, ``policy diff`` and ``policy list`` as a user calls them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import command_line
import pytest
from made_up_bench import POLICY

LOOSE = "defaults: [policy]\nrequirements: {sensitivity: {lower_limit: {at_least: 20 %}}}\n"


def policy(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return command_line.call("policy", *arguments, home=folder / "home", cwd=folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "mine.yaml").write_text(POLICY)
    (tmp_path / "policies" / "broken.yaml").write_text(POLICY.replace("modality: CT", "modality: XX"))
    (tmp_path / "policy.yaml").write_text(POLICY)
    (tmp_path / "loose.yaml").write_text(LOOSE)
    return tmp_path


def test_lint_goes_on_after_a_broken_policy_and_exits_2(folder: Path) -> None:
    done = policy("lint", "policy.yaml", "loose.yaml", "policies/broken.yaml", folder=folder)
    assert done.returncode == 2
    assert done.stdout.splitlines()[0] == "✓ policy.yaml"
    assert "✗ loose.yaml" in done.stdout
    assert "loose.yaml:2:30" in done.stdout
    assert "✗ policies/broken.yaml" in done.stdout
    assert done.stdout.splitlines()[-1] == "3 policies: 2 errors, 0 warnings"


def test_lint_exits_0_with_warnings_unless_it_is_strict(folder: Path) -> None:
    (folder / "policy.yaml").write_text(POLICY.replace("timed_calls: 100", "timed_calls: 10"))
    assert policy("lint", "policy.yaml", folder=folder).returncode == 0
    assert policy("lint", "policy.yaml", "--strict", folder=folder).returncode == 2
    told = json.loads(policy("lint", "policy.yaml", "--json", folder=folder).stdout)
    warnings = [remark for remark in told["policies"][0]["remarks"] if remark["weight"] == "warning"]
    assert [remark["rule"] for remark in warnings] == ["too-few-calls"]
    assert "policy.yaml:" in warnings[0]["where"]


def test_diff_tells_what_became_looser_first(folder: Path) -> None:
    text = POLICY.replace("at_least: 30 %", "at_least: 20 %", 1).replace("at_most: 90 %", "at_most: 80 %")
    (folder / "other.yaml").write_text(text)
    done = policy("diff", "policy.yaml", "other.yaml", folder=folder)
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[3:] == [
        "looser (1)",
        "  sensitivity: lower limit at least 30 % -> 20 %",
        "",
        "stricter (1)",
        "  flips: upper limit at most 90 % -> 80 %",
    ]
    told = json.loads(policy("diff", "policy.yaml", "other.yaml", "--json", folder=folder).stdout)
    assert [change["direction"] for change in told["changes"]] == ["looser", "stricter"]
    assert "no difference" in policy("diff", "policy.yaml", "policy.yaml", folder=folder).stdout


def test_list_shows_what_loads_and_names_what_does_not(folder: Path) -> None:
    done = policy("list", folder=folder)
    assert done.returncode == 2
    mine = next(line for line in done.stdout.splitlines() if line.startswith("mine"))
    assert mine.split() == ["mine", "CT", "classification", "7", "own"]
    assert done.stderr.strip() == "broken does not load: `gatekeeper policy lint broken` says why"
    told = json.loads(policy("list", "--json", folder=folder).stdout)
    assert told["broken"] == ["broken"]
    assert {entry["name"]: entry["own"] for entry in told["policies"]}["neuro/lvo_triage"] is False
