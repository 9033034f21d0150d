"""Volumes under stress through the whole gate: outlines move along, what is lost is measured, mistakes are told."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from gated import checked, refused
from made_up_bench import Bench
from made_up_formats import write_onnx, write_torchscript, write_yaml
from made_up_volumes import POLICY, affine, write_nifti
from numpy.typing import NDArray
from torch import nn

from gatekeeper.errors import Code, UsageError
from gatekeeper.evidence import Outcome, read_evidence
from gatekeeper.policy import load_policy

MASK = "output: {kind: mask_probability, structures: {ball: 0}}\noperating_point: 0.5\n"
INPUT = "input: {dimensions: 3, intensity: {zero_at: 0, one_at: 255}}\n"
SIDE = 28
STRESS = """\
  turned:
    metric: performance_drop
    of: dice
    perturbation: rotation
    severity: 2
    upper_limit: {at_most: 20 %}
    basis: {source: made up, status: project_choice}
  noisy:
    metric: breaking_point
    of: dice
    perturbation: gaussian_noise
    estimate: {at_least: 1}
    basis: {source: made up, status: project_choice}
robustness:
  rotation: [5 degree, 20 degree]
  translation: [2 mm, 5 mm]
  flip: [1]
  gaussian_noise: [0.02, 0.6]
order: [dice, turned, noisy]
"""
STRESSED = POLICY.replace("order: [dice]\n", STRESS)


class Bright(nn.Module):
    """The probability that a voxel is bright."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return ((images - 0.45) * 40.0).sigmoid()


def egg(number: int) -> NDArray[np.bool_]:
    """Return the voxels of an egg off the middle of its volume: what is turned or mirrored lies elsewhere."""
    x, y, z = np.meshgrid(*(np.arange(SIDE),) * 3, indexing="ij")
    away = ((x - 9.0 - number % 2) / 6.0) ** 2 + ((y - 15.0) / 4.0) ** 2 + ((z - 14.0) / 5.0) ** 2
    return np.asarray(away <= 1.0)


@pytest.fixture(scope="module")
def eggs(tmp_path_factory: pytest.TempPathFactory, home: Path) -> Bench:
    from gatekeeper.locking import lock_testset

    bench, rows = Bench(tmp_path_factory.mktemp("eggs"), home), []
    for number in range(4):
        names = {name: f"{name}s/egg-{number}.nii.gz" for name in ("image", "mask")}
        place = affine((1.0, 1.0, 1.5))
        write_nifti(bench.folder / names["image"], np.where(egg(number), 200.0, 20.0).astype(np.float32), place)
        write_nifti(bench.folder / names["mask"], egg(number).astype(np.uint8), place)
        rows.append({"case_id": f"egg-{number}", "patient_id": f"PATIENT-{number}", **names})
    with bench.table.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    lock_testset(bench.table, bench.lock, home, task="segmentation")
    return bench


def written(folder: Path, form: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    if form == "onnx":
        write_onnx(Bright(), folder / "model.onnx", axes=3, size=None)
        return write_yaml(folder, form, "artefact: model.onnx\n", INPUT, MASK)
    write_torchscript(Bright(), folder / "model.pt", axes=3, size=SIDE)
    return write_yaml(folder, form, "artefact: model.pt\nproducer: trusted\n", INPUT, MASK)


@pytest.mark.parametrize("form", ["onnx", "torchscript"])
def test_what_is_moved_is_compared_with_an_outline_that_moved_along(eggs: Bench, tmp_path: Path, form: str) -> None:
    result = checked(eggs, STRESSED, written(tmp_path / form, form))
    rows = read_evidence(result.folder / "evidence" / "cases.parquet").table.to_pylist()
    dice: dict[str, list[float]] = {}
    for row in rows:
        dice.setdefault(row["condition"], []).append(row["measured.ball.dice"])
    assert min(dice["baseline"]) == 1.0
    for condition in ("rotation.1", "rotation.2", "translation.1", "translation.2", "flip.1"):
        assert min(dice[condition]) > 0.9, condition
    assert min(dice["gaussian_noise.1"]) > 0.99
    assert max(dice["gaussian_noise.2"]) < 0.7
    findings = {finding.id: finding for finding in result.verdict.findings}
    assert findings["turned"].estimate == pytest.approx(1.0 - float(np.mean(dice["rotation.2"])), abs=1e-9)
    assert findings["noisy"].n == 4
    # Four patients show little: what is not shown to hold breaks at once.
    assert findings["noisy"].outcome is not Outcome.NOT_DECIDED or findings["noisy"].reason is not None


def test_a_perturbation_of_another_modality_is_refused_before_anything_is_run(eggs: Bench, tmp_path: Path) -> None:
    policy = STRESSED.replace("  flip: [1]\n", "  ct_dose: [0.5, 0.25]\n")
    problem = refused(eggs, policy, written(tmp_path / "onnx", "onnx"), needs_mend=True).problems[0]
    assert "ct_dose is of CT alone; the modality of this context is MR" in problem.what
    assert problem.where is not None
    assert "policy.yaml" in str(problem.where)


def test_severities_lie_in_what_is_possible_and_lead_away_from_nothing(tmp_path: Path) -> None:
    def faults(ladder: str) -> str:
        path = tmp_path / "policy.yaml"
        path.write_text(STRESSED.replace("gaussian_noise: [0.02, 0.6]", f"gaussian_noise: {ladder}"))
        with pytest.raises(UsageError) as raised:
            load_policy(str(path))
        return " ".join(problem.what for problem in raised.value.problems)

    assert "lies outside" in faults("[-0.1, 0.6]")
    assert "nothing changes" in faults("[0, 0.6]")
    assert "from the least to the greatest" in faults("[0.6, 0.02]")


def test_millimetres_need_a_spacing(tmp_path: Path, home: Path) -> None:
    from PIL import Image

    from gatekeeper.locking import lock_testset

    bench = Bench(tmp_path / "png", home)
    (bench.folder / "images").mkdir(parents=True)
    for number in range(2):
        Image.fromarray(np.full((16, 16), 90, np.uint8)).save(bench.folder / f"images/{number}.png")
    rows = "".join(f"c{number},p{number},images/{number}.png,{number}\n" for number in range(2))
    bench.table.write_text("case_id,patient_id,image,label\n" + rows)
    lock_testset(bench.table, bench.lock, home)
    folder = tmp_path / "candidate"
    folder.mkdir()
    write_onnx(nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()), folder / "model.onnx", size=16)
    given = "input: {size: [16, 16]}\n"
    candidate = write_yaml(folder, "onnx", "artefact: model.onnx\n", given)
    policy = POLICY.replace("task: segmentation", "task: classification").replace(
        "structures: [ball]", "positive: ball"
    )
    policy = policy.replace("metric: dice\n    structure: ball\n", "metric: sensitivity\n")
    policy += "robustness: {translation: [2 mm]}\n"
    error = refused(bench, policy.replace("modality: MR", "modality: DX"), candidate)
    assert error.problems[0].code is Code.MISMATCH
    assert "does not say its spacing" in error.problems[0].what
