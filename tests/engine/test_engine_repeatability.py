"""Candidates that differ from themselves, in a whole check: plug-ins made up for tests, on made-up discs."""

from __future__ import annotations

import pytest
from made_up_bench import Bench
from made_up_plugins import write_plugin

from gatekeeper.errors import IntegrityError
from gatekeeper.evidence import BASELINE, Evidence, Finding, Outcome, VerdictWord, read_evidence
from gatekeeper.gate import CheckRequest, CheckResult, check
from gatekeeper.run_records import read_records, read_run_files
from gatekeeper.trust import load_keys
from gatekeeper.verdict.recompute import recompute
from gatekeeper.verification import verify

POLICY = """\
id: made_up_repeatability
version: "1.0.0"
title: Discs again and again, made up for tests
context:
  modality: CT
  body_part: CHEST
  task: classification
  unit: disc
  positive: large
  intended_use: Tests of the gate. Not for clinical use.
requirements:
{requirements}
repeatability: {{{benign}reruns: 3}}
order: [{order}]
"""
BASIS = "basis: {source: made up, status: project_choice}"
ITEMS = {
    "rerun": f"{{metric: max_deviation, level: R0, estimate: {{at_most: 0}}, {BASIS}}}",
    "flips": f"{{metric: flip_rate, level: R0, estimate: {{at_most: 1 %}}, {BASIS}}}",
    "benign": f"{{metric: flip_rate, level: R3, upper_limit: {{at_most: 25 %}}, {BASIS}}}",
}

PLUGIN = """
import numpy as np

class Answering:
    def __init__(self):
        self.drawn = np.random.default_rng()

    def __call__(self, case):
        return {{"output": np.float64({score})}}

def load(folder, device):
    return Answering()
"""
STEADY = "min(1.0, 6.0 * float(case.image[0].mean()))"
CHANCE = "self.drawn.random()"
NEARLY_STEADY = f"min(1.0, {STEADY} * (1.0 + 1e-12 * self.drawn.random()))"
# Whether the first bright column is an even one: the same for a disc of any place but for one pixel.
ONE_PIXEL = "0.9 if np.flatnonzero(case.image[0].max(axis=0) > 0.5)[0] % 2 == 0 else 0.1"


def checked(
    bench: Bench, name: str, score: str, *asked: str, benign: str = "benign: {contour_translation: 0.75 mm}, "
) -> tuple[CheckResult, Evidence, dict[str, Finding]]:
    requirements = "\n".join(f"  {item}: {ITEMS[item]}" for item in asked)
    bench.policy.write_text(POLICY.format(requirements=requirements, benign=benign, order=", ".join(asked)))
    request = CheckRequest(
        policy=str(bench.policy),
        candidate=write_plugin(bench.folder / name, name, PLUGIN.format(score=score)),
        testset=bench.lock,
        out=bench.out,
        home=bench.home,
        overrides=("engine.device=cpu",),
    )
    result = check(request)
    evidence = read_evidence(result.folder / "evidence" / "cases.parquet")
    return result, evidence, {finding.id: finding for finding in result.verdict.findings}


def test_a_candidate_that_draws_its_answers_is_caught_by_one_rerun(bench: Bench) -> None:
    result, evidence, found = checked(bench, "chance", CHANCE, "rerun", "flips")
    assert evidence.conditions == (BASELINE.id, "rerun")
    assert {finding.outcome for finding in found.values()} == {Outcome.NOT_MET}
    assert result.verdict.verdict is VerdictWord.FAIL
    for finding in found.values():
        assert finding.words.endswith("Stopped after 1 of 3 reruns: decided, since more could only add changes.")
    assert verify(result.folder, load_keys(bench.home).trust).verdict == result.verdict


def test_a_candidate_whose_last_bits_differ_is_caught_and_does_not_flip(bench: Bench) -> None:
    """Its calls are the same: no rerun decides on the flips, so all are made, and only the bits are not met."""
    _, evidence, found = checked(bench, "bits", NEARLY_STEADY, "rerun", "flips")
    assert evidence.conditions == (BASELINE.id, "rerun", "rerun.2", "rerun.3")
    assert 0.0 < (found["rerun"].estimate or 0.0) < 1e-11
    assert (found["rerun"].outcome, found["flips"].outcome) == (Outcome.NOT_MET, Outcome.MET)
    assert "Stopped" not in found["flips"].words


def test_a_steady_candidate_is_run_to_the_end_and_no_run_may_stop_before(bench: Bench) -> None:
    result, evidence, found = checked(bench, "steady", STEADY, "rerun")
    assert (found["rerun"].estimate, found["rerun"].outcome) == (0.0, Outcome.MET)
    assert evidence.conditions == (BASELINE.id, "rerun", "rerun.2", "rerun.3")
    assert {len(evidence.under(id_)) for id_ in evidence.conditions} == {90}
    records = read_records(read_run_files(result.folder), str(result.folder))
    kept = Evidence(records.evidence.table.slice(0, 3 * 90))
    with pytest.raises(IntegrityError, match=r'stops before "rerun.3"'):
        recompute(
            records.policy,
            records.plan,
            records.candidate,
            records.manifest,
            records.environment,
            kept,
            records.verdict,
        )


def test_reruns_beyond_the_one_that_decided_do_not_hold(bench: Bench) -> None:
    """What was decided was decided: nobody adds runs until it looks otherwise."""
    import pyarrow as pa

    result, _, _ = checked(bench, "chance", CHANCE, "rerun")
    records = read_records(read_run_files(result.folder), str(result.folder))
    table = records.evidence.table
    again = table.slice(0, 90)
    names = again.schema.get_field_index("condition")
    more = again.set_column(names, "condition", pa.array(["rerun.2"] * 90, type=pa.string()))
    with pytest.raises(IntegrityError, match=r'goes on with "rerun.2"'):
        recompute(
            records.policy,
            records.plan,
            records.candidate,
            records.manifest,
            records.environment,
            Evidence(pa.concat_tables([table, more])),
            records.verdict,
        )


def test_a_candidate_that_hangs_on_one_pixel_flips_under_a_benign_change(bench: Bench) -> None:
    result, evidence, found = checked(bench, "pixel", ONE_PIXEL, "rerun", "benign")
    assert "benign.contour_translation" in evidence.conditions
    assert found["rerun"].outcome is Outcome.MET
    assert (found["benign"].estimate or 0.0) > 0.25
    assert found["benign"].outcome is Outcome.NOT_MET
    assert found["benign"].words.startswith("When an image changes in ways that mean nothing, the call changes for")
    assert verify(result.folder, load_keys(bench.home).trust).verdict == result.verdict


def test_a_candidate_that_goes_by_the_area_hardly_flips_under_the_usual_benign_changes(bench: Bench) -> None:
    _, evidence, found = checked(bench, "area", STEADY, "benign", benign="")
    changes = ("translation_pixels", "rotation", "brightness_raised", "gaussian_noise")
    assert evidence.conditions == (BASELINE.id, *(f"benign.{name}" for name in changes))
    for name in changes:
        apart = abs(evidence.under(f"benign.{name}").score - evidence.under(BASELINE.id).score).max()
        assert apart < 0.05
        assert apart > 0.001 or name != "gaussian_noise"  # discs are of 0 and 255 alone: brighter is clipped again
    assert found["benign"].n_of == "cases run 5 times"
    assert found["benign"].outcome is Outcome.MET
