"""``check --self-test`` and ``policy lint --against`` as a user calls them."""

from __future__ import annotations

import json
from pathlib import Path

from command_line import call
from made_up_bench import POLICY, Bench

TIGHT = """\
defaults: [policy]
requirements:
  sensitivity: {lower_limit: {at_least: 80 %}, basis: {source: made up, status: project_choice}}
"""


def _blind(home: Path, *arguments: object) -> dict[str, dict[str, str]]:
    done = call("policy", "lint", *arguments, "--json", home=home)
    assert done.returncode == 0, done.stderr
    remarks = json.loads(done.stdout)["policies"][0]["remarks"]
    return {item["what"].split()[0]: item for item in remarks if item["rule"] == "blind-to-defect"}


def test_check_tells_what_it_would_not_see_and_the_whole_table_when_asked(bench: Bench) -> None:
    given = ["--policy", bench.policy, "--candidate", bench.candidate, "--testset", bench.lock, "--out", bench.out]
    done = call("check", *given, "--self-test", home=bench.home)
    assert done.returncode == 0, done.stderr
    (folder,) = bench.runs()
    stored = json.loads((folder / "self_test.json").read_text())
    assert stored["a_a"] is True
    missed = [item["id"] for item in stored["defects"] if item["outcome"] == "not seen"]
    assert "latency_tripled" in missed
    assert "blind    this policy would not see: " in done.stdout
    assert "planted defect" in done.stdout
    assert all(item["id"].partition("[")[0].replace("_", " ") in done.stdout for item in stored["defects"])
    verified = call("verify", folder, home=bench.home)
    assert f"{len(stored['defects'])} of {len(stored['defects'])} planted defects judged as stated" in verified.stdout


def test_lint_warns_of_each_defect_of_a_run_that_a_policy_does_not_see(
    finished_run: Path, pristine_bench: Bench, home: Path, tmp_path: Path
) -> None:
    loose, tight = _blind(home, pristine_bench.policy, "--against", finished_run), tmp_path / "tight.yaml"
    stored = json.loads((finished_run / "self_test.json").read_text())
    assert set(loose) == {item["id"] for item in stored["defects"] if item["outcome"] == "not seen"}
    assert "require latency" in loose["latency_tripled"]["mend"]
    assert loose["latency_tripled"]["where"].startswith(str(pristine_bench.policy))
    (tmp_path / "policy.yaml").write_text(POLICY)
    tight.write_text(TIGHT)
    assert set(loose) - set(_blind(home, tight, "--against", finished_run)) >= {"positives_lost"}
    strict = call("policy", "lint", pristine_bench.policy, "--against", finished_run, "--strict", home=home)
    assert strict.returncode == 2
    assert "warning[blind-to-defect]: latency_tripled goes through" in strict.stdout


def test_lint_against_what_is_no_run_of_this_key_or_task_is_refused(
    finished_run: Path, run_copy: Path, pristine_bench: Bench, home: Path, tmp_path: Path
) -> None:
    policy = pristine_bench.policy
    assert call("policy", "lint", "--against", finished_run, home=home).returncode == 2
    assert call("policy", "lint", policy, "--against", tmp_path, home=home).returncode == 2
    assert call("keys", "init", home=tmp_path / "other").returncode == 0
    assert call("policy", "lint", policy, "--against", finished_run, home=tmp_path / "other").returncode == 3
    other = call("policy", "lint", "base/segmentation", "--against", finished_run, home=home)
    assert other.returncode == 2
    (run_copy / "self_test.json").write_text((run_copy / "self_test.json").read_text().replace("not seen", "caught"))
    changed = call("policy", "lint", policy, "--against", run_copy, home=home)
    assert changed.returncode == 3
    assert "self_test.json is not the one that was attested" in changed.stderr
    assert call("verify", run_copy, home=home).returncode == 3
