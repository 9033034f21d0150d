"""Levels of repeatability in a whole check: a small network on made-up discs, every case run again in three ways."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_up_bench import CANDIDATE, Bench
from made_up_candidates import contract, demo
from made_up_plugins import write_plugin

from gatekeeper.engine import EngineSettings
from gatekeeper.engine.assembly import assembled
from gatekeeper.engine.journal import Found
from gatekeeper.engine.measuring import Asked
from gatekeeper.engine.passes import Pass, can_be_run, passes_of
from gatekeeper.evidence import (
    BASELINE,
    CaseOutcome,
    Condition,
    Evidence,
    Finding,
    Outcome,
    Plan,
    Reason,
    read_evidence,
)
from gatekeeper.gate import CheckRequest, check
from gatekeeper.suites.levels import ONE_BY_ONE, RERUN, in_format
from gatekeeper.testset import open_lock
from gatekeeper.trust import load_keys
from gatekeeper.verification import verify

BF16, FP16 = in_format("bf16"), in_format("fp16")

POLICY = """\
id: made_up_levels
version: "1.0.0"
title: Discs again, made up for tests
context:
  modality: CT
  body_part: CHEST
  task: classification
  unit: disc
  positive: large
  intended_use: Tests of the gate. Not for clinical use.
requirements:
  sensitivity: {metric: sensitivity, lower_limit: {at_least: 30 %}, basis: {source: made up, status: project_choice}}
"""
BASIS = "basis: {source: made up, status: project_choice}, blocking: false"
LEVELS = {
    "rerun": "level: R0",
    "one_by_one": "level: R1",
    "bf16": "level: R2",
    "fp16": "level: R2, numeric_format: fp16",
    "fp32": "level: R2, numeric_format: fp32",
}
REQUIREMENTS = "".join(
    f"  {name}: {{metric: max_deviation, {level}, estimate: {{at_most: 1}}, {BASIS}}}\n"
    f"  {name}_flips: {{metric: flip_rate, {level}, upper_limit: {{at_most: 10 %}}, {BASIS}}}\n"
    for name, level in LEVELS.items()
)

# The mean of an image, and how many images this process has seen before.
COUNTING = """
import numpy as np

class Counting:
    def __init__(self):
        self.seen = 0

    def __call__(self, case):
        self.seen += 1
        return {"output": np.float64(min(1.0, self.seen / 1000))}

def load(folder, device):
    return Counting()
"""


def checked(bench: Bench, candidate: Path, *overrides: str) -> tuple[Path, Evidence, dict[str, Finding]]:
    bench.policy.write_text(POLICY + REQUIREMENTS + "order: [sensitivity]\n")
    request = CheckRequest(
        policy=str(bench.policy),
        candidate=candidate,
        testset=bench.lock,
        out=bench.out,
        home=bench.home,
        overrides=("engine.device=cpu", *overrides),
    )
    result = check(request)
    evidence = read_evidence(result.folder / "evidence" / "cases.parquet")
    return result.folder, evidence, {finding.id: finding for finding in result.verdict.findings}


def declaring(bench: Bench, formats: str) -> Path:
    bench.candidate.write_text(CANDIDATE.format(operating_point=0.5) + f"numeric_formats: {formats}\n")
    return bench.candidate


def test_a_network_is_the_same_on_rerun_nearly_so_one_by_one_and_a_little_different_in_bf16(bench: Bench) -> None:
    folder, evidence, found = checked(bench, declaring(bench, "[fp32, bf16, fp16]"))
    assert found["rerun"].estimate == 0.0
    assert 0.0 <= (found["one_by_one"].estimate or 0.0) < 1e-5
    assert 1e-5 < (found["bf16"].estimate or 0.0) < 0.1
    assert (found["rerun_flips"].estimate, found["one_by_one_flips"].estimate) == (0.0, 0.0)
    assert (found["bf16_flips"].estimate or 0.0) <= 0.05
    assert found["bf16"].words.startswith("When numbers are bf16, a score changes by up to")
    # A CPU has no fp16 that is fast enough to be run, and fp32 is what the run itself uses.
    for name in ("fp16", "fp16_flips", "fp32", "fp32_flips"):
        assert (found[name].outcome, found[name].reason) == (Outcome.NOT_DECIDED, Reason.CONDITION_NOT_RUN)
    assert found["fp16"].words.startswith("The candidate was not run again in fp16")
    assert evidence.conditions == (BASELINE.id, RERUN.id, ONE_BY_ONE.id, BF16.id)
    assert {len(evidence.under(id_)) for id_ in evidence.conditions} == {90}
    assert verify(folder, load_keys(bench.home).trust).verdict.findings == tuple(found.values())


def test_a_format_that_the_candidate_does_not_declare_is_left_out_and_stops_nothing(bench: Bench) -> None:
    _, evidence, found = checked(bench, declaring(bench, "[fp32]"))
    assert evidence.conditions == (BASELINE.id, RERUN.id, ONE_BY_ONE.id)
    assert found["bf16"].reason is Reason.CONDITION_NOT_RUN
    assert found["one_by_one"].outcome is Outcome.MET


def test_a_run_in_bf16_is_compared_with_fp32_and_not_with_itself(bench: Bench) -> None:
    _, evidence, found = checked(bench, declaring(bench, "[fp32, bf16]"), "engine.numeric_format=bf16")
    assert evidence.conditions == (BASELINE.id, RERUN.id, ONE_BY_ONE.id, "numeric_format.fp32")
    assert found["bf16"].reason is Reason.CONDITION_NOT_RUN
    assert 1e-5 < (found["fp32"].estimate or 0.0) < 0.1


def test_a_candidate_that_remembers_is_found_out_by_the_order(bench: Bench) -> None:
    """One at a time, and the last case first: what was seen before a case is another number of cases."""
    _, evidence, found = checked(bench, write_plugin(bench.folder / "counting", "counting", COUNTING))
    assert (found["one_by_one"].estimate or 0.0) > 0.05
    scores = evidence.under(ONE_BY_ONE.id).score
    assert (scores[:-1] > scores[1:]).all()  # rows are in the order of the lock, and the last was asked first


def test_conditions_that_can_be_asked_in_one_go_share_a_walk_over_the_cases() -> None:
    timed = Condition(id="latency", suite="latency", timed_calls=5)
    plan = Plan(policy="made up", conditions=(BASELINE, timed, RERUN, ONE_BY_ONE, BF16, FP16))
    assert passes_of(plan) == (
        Pass(0, (0, 4, 5)),
        Pass(0, (3,), 1, reverse=True),
        Pass(0, (1,), timed=True),
        Pass(1, (2,)),
    )


@pytest.mark.parametrize("lacking", [BF16, ONE_BY_ONE])
def test_a_format_that_some_cases_were_not_run_in_is_left_out_whole(pristine_bench: Bench, lacking: Condition) -> None:
    """As where a run was begun on one device and resumed on another; of other conditions nothing is dropped."""
    testset = open_lock(pristine_bench.lock, load_keys(pristine_bench.home).root)
    plan = Plan(policy="made up", conditions=(BASELINE, lacking))
    found = Found()
    for index in range(len(testset.manifest.cases)):
        found.add(index, 0, CaseOutcome.OK, score=0.5)
        if index != 3:
            found.add(index, 1, CaseOutcome.OK, score=0.5)
    kept = assembled(plan, testset, found, Asked())
    assert len(kept.under(BASELINE.id)) == 90
    assert len(kept.under(lacking.id)) == (0 if lacking is BF16 else 89)


@pytest.mark.parametrize(
    ("form", "formats", "asked", "own", "device", "able"),
    [
        ("safetensors", ["fp32"], None, "fp32", "cpu", True),
        ("safetensors", ["fp32", "bf16"], "bf16", "fp32", "cpu", True),
        ("safetensors", ["fp32", "bf16"], "bf16", "bf16", "cpu", False),
        ("safetensors", ["fp32", "bf16"], "fp32", "bf16", "cpu", True),
        ("safetensors", ["fp32"], "bf16", "fp32", "cuda", False),
        ("safetensors", ["fp32", "fp16"], "fp16", "fp32", "cpu", False),
        ("safetensors", ["fp32", "fp16"], "fp16", "fp32", "cuda", True),
        ("safetensors", ["fp32", "tf32"], "tf32", "fp32", "cpu", False),
        ("safetensors", ["fp32", "tf32"], "tf32", "fp32", "cuda", True),
        ("onnx", ["fp32", "bf16"], "bf16", "fp32", "cuda", False),
        ("onnx", ["fp32", "tf32"], "tf32", "fp32", "cuda", True),
    ],
)
def test_which_numeric_formats_can_be_compared(
    form: str, formats: list[str], asked: str | None, own: str, device: str, able: bool
) -> None:
    condition = BASELINE if asked is None else in_format(asked)  # type: ignore[arg-type]
    declared = demo(numeric_formats=formats) if form == "safetensors" else contract(form, numeric_formats=formats)
    settings = EngineSettings(numeric_format=own)  # type: ignore[arg-type]
    assert can_be_run(condition, declared, settings, device) is able
