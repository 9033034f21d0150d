"""Outlines of two runs of the same images: kept, read again and compared; networks and volumes are made up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from gated import checked
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from made_up_bench import Bench
from made_up_candidates import contract
from made_up_formats import write_onnx, write_yaml
from made_up_volumes import POLICY, make_volumes
from torch import nn

from gatekeeper.engine.between_runs import BetweenRuns
from gatekeeper.errors import InvalidRunError
from gatekeeper.evidence import BASELINE, Condition, Outcome, Plan, read_evidence
from gatekeeper.policy import load_policy
from gatekeeper.suites.levels import ONE_BY_ONE, RERUN, in_format
from gatekeeper.suites.repeat_summary import level_summaries
from gatekeeper.trust import load_keys
from gatekeeper.verification import verify

BASIS = "basis: {source: made up, status: project_choice}, blocking: false"
AGAIN = POLICY.replace(
    "order:",
    f"""\
  rerun: {{metric: max_deviation, level: R0, estimate: {{at_most: 0}}, {BASIS}}}
  volume: {{metric: within_subject_cv, level: R0, structure: ball, upper_limit: {{at_most: 50 %}}, {BASIS}}}
order:""",
)
ANSWER = """\
input: {dimensions: 3}
output: {kind: mask_logit, structures: {ball: 0}}
operating_point: 0.5
"""
MOVED = Condition(id="benign.x", suite="repeatability", perturbation="contour_translation", magnitude=1.0)


class Noisy(nn.Module):
    """Log-odds that a voxel is bright, with noise that no seed fixes from one process to the next."""

    def __init__(self, noise: float) -> None:
        super().__init__()
        self.noise = noise

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        odds = (images - 100.0) * 0.1
        return odds + torch.randn_like(odds) * self.noise if self.noise else odds


@pytest.fixture(scope="module")
def volumes(tmp_path_factory: pytest.TempPathFactory, home: Path) -> Bench:
    return make_volumes(tmp_path_factory.mktemp("volumes"), home, 12)


def kept(folder: Path, *conditions: Condition) -> BetweenRuns:
    made = contract("onnx", output={"kind": "mask", "structures": {"a": 1, "b": 2}})
    return BetweenRuns(folder, Plan(policy="made up", conditions=(BASELINE, *conditions)), made)


def test_what_is_compared_is_each_run_of_the_same_images(tmp_path: Path) -> None:
    runs = (RERUN, ONE_BY_ONE, in_format("bf16"), MOVED, Condition(id="contour_erosion.1", suite="robustness"))
    between = kept(tmp_path, *runs)
    assert between.wanted
    assert [between.compares(condition) for condition in runs] == [True, True, True, False, False]
    assert not kept(tmp_path, MOVED).wanted


@given(
    arrays(np.bool_, (2, 3, 5, 4), elements=st.booleans()),
    arrays(np.bool_, (2, 3, 5, 4), elements=st.booleans()),
)
@settings(max_examples=40, deadline=None)
def test_masks_come_back_bit_for_bit_and_their_dice_is_that_of_scipy(
    tmp_path_factory: pytest.TempPathFactory, first: np.ndarray, second: np.ndarray
) -> None:
    from scipy.spatial.distance import dice as dissimilarity

    between = kept(tmp_path_factory.mktemp("kept"), RERUN)
    between.keep(3, {"a": first[0], "b": first[1]})
    assert set(between.dice(3, {"a": first[0], "b": first[1]}).values()) == {1.0}
    found = between.dice(3, {"a": second[0], "b": second[1]})
    for at, name in enumerate("ab"):
        one, other = first[at].ravel(), second[at].ravel()
        expected = 1.0 - dissimilarity(one, other) if one.any() or other.any() else 1.0
        assert found[f"measured.{name}.between_dice"] == pytest.approx(expected)


def test_a_case_without_masks_at_baseline_has_no_dice_and_a_broken_file_is_an_invalid_run(tmp_path: Path) -> None:
    between = kept(tmp_path, RERUN)
    masks = {"a": np.ones((4, 4), dtype=np.bool_)}
    assert between.dice(0, masks) == {}
    between.keep(0, masks)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(InvalidRunError, match="cannot be read"):
        between.dice(0, masks)


@pytest.mark.parametrize("noise", [0.0, 8.0])
def test_outlines_of_a_rerun_are_held_against_those_of_the_baseline(
    volumes: Bench, tmp_path: Path, noise: float
) -> None:
    write_onnx(Noisy(noise), tmp_path / "network.onnx", axes=3, size=None)
    result = checked(volumes, AGAIN, write_yaml(tmp_path, "onnx", "artefact: network.onnx\n", "", ANSWER))
    evidence = read_evidence(result.folder / "evidence" / "cases.parquet")
    at_baseline, again = (evidence.under(id_).answers["measured.ball.between_dice"] for id_ in (BASELINE.id, RERUN.id))
    assert np.isnan(at_baseline).all()
    found = {finding.id: finding for finding in result.verdict.findings}
    assert found["rerun"].outcome is (Outcome.NOT_MET if noise else Outcome.MET)
    if noise:
        assert ((again > 0.2) & (again < 1.0)).all()
        assert (found["volume"].estimate or 0.0) > 0.0
    else:
        assert (again == 1.0).all()
        assert found["volume"].estimate == 0.0
    assert verify(result.folder, load_keys(volumes.home).trust).verdict == result.verdict
    policy = load_policy(str(tmp_path / "policy.yaml")).policy
    (level,) = level_summaries(policy, evidence, 0.5)
    assert level.dice == pytest.approx((again.mean(), again.min()))
