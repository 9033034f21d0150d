"""Segmentation through the whole gate. Oracle: the masks themselves, moved and counted by numpy; the network itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from gated import checked, column, rows_of
from made_up_bench import Bench
from made_up_formats import write_onnx, write_torchscript, write_yaml
from made_up_volumes import BRIGHT, DARK, POLICY, SHAPES, ball, make_volumes, write_nifti
from numpy.typing import NDArray
from torch import nn

from gatekeeper.evidence import Outcome, VerdictWord

CASES = 12
POINT = "operating_point: 0.5\n"
KINDS = {
    "mask": "output: {kind: mask, structures: {ball: 1}}\n",
    "mask_logit": "output: {kind: mask_logit, structures: {ball: 0}}\n" + POINT,
    "mask_probability": "output: {kind: mask_probability, structures: {ball: 0}}\n" + POINT,
    "mask_softmax": "output: {kind: mask_softmax, structures: {ball: 1}}\n",
}
ANY_SIZE = "input: {dimensions: 3}\n"
Voxels = NDArray[np.bool_]


class Threshold(nn.Module):
    """Log-odds that a voxel is bright; of one channel, or of background and ball; or labels."""

    def __init__(self, kind: str = "mask_logit") -> None:
        super().__init__()
        self.kind = kind

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        odds = (images - 100.0) * 0.1
        if self.kind == "mask_probability":
            return odds.sigmoid()
        if self.kind == "mask_softmax":
            return torch.cat([-odds, odds], dim=1).softmax(dim=1)
        return (odds > 0.0).to(torch.uint8) if self.kind == "mask" else odds


class Shifted(nn.Module):
    """The same, a voxel further along the first axis of what it is given."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        odds = (images - 100.0) * 0.1
        return torch.cat([odds[:, :, -1:], odds[:, :, :-1]], dim=2)


@pytest.fixture(scope="module")
def volumes(tmp_path_factory: pytest.TempPathFactory, home: Path) -> Bench:
    return make_volumes(tmp_path_factory.mktemp("volumes"), home, CASES)


def as_onnx(folder: Path, kind: str = "mask_logit", given: str = ANY_SIZE) -> Path:
    write_onnx(Threshold(kind), folder / "network.onnx", axes=3, size=None)
    return write_yaml(folder, "onnx", "artefact: network.onnx\n", given, KINDS[kind])


def dice_by_hand(called: Callable[[int, Voxels], Voxels], cases: int = CASES) -> dict[str, float]:
    """Return the Dice of each case for what ``called`` makes of its number and its ball, in axes (x, y, z)."""
    found = {}
    for number in range(cases):
        right = ball(number, SHAPES[number % 2])
        mask = called(number, right)
        found[f"ball-{number:02}"] = 2.0 * (right & mask).sum() / (right.sum() + mask.sum())
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_a_threshold_finds_every_voxel_whatever_kind_of_mask_it_returns(
    volumes: Bench, tmp_path: Path, kind: str
) -> None:
    result = checked(volumes, POLICY, as_onnx(tmp_path, kind))
    assert result.verdict.verdict is VerdictWord.PASS
    assert set(column(result.folder, "measured.ball.dice").values()) == {1.0}
    sizes = {f"ball-{number:02}": ball(number, SHAPES[number % 2]).sum() * 0.002 for number in range(CASES)}
    assert column(result.folder, "measured.ball.reference") == pytest.approx(sizes)
    assert column(result.folder, "measured.ball.quantity") == pytest.approx(sizes)


@pytest.mark.parametrize(("orientation", "step", "axis"), [("RAS", -1, 0), ("LPS", 1, 0), (None, 1, 2)])
def test_axes_are_those_that_the_candidate_asks_for(
    volumes: Bench, tmp_path: Path, orientation: str | None, step: int, axis: int
) -> None:
    """The files lie in LPS: a voxel further to the right is one back in the file. Without a word axes are z, y, x."""
    write_torchscript(Shifted(), tmp_path / "network.ts", axes=3, size=8)
    given = f"input: {{dimensions: 3, orientation: {orientation}}}\n" if orientation else ANY_SIZE
    lines = "artefact: network.ts\nproducer: trusted\n"
    result = checked(volumes, POLICY, write_yaml(tmp_path, "torchscript", lines, given, KINDS["mask_logit"]))
    expected = dice_by_hand(lambda number, right: np.roll(right, step, axis))
    assert max(expected.values()) < 0.95
    assert column(result.folder, "measured.ball.dice") == pytest.approx(expected)


@pytest.mark.parametrize(
    "given",
    [
        "dimensions: 3, multiple_of: 8",
        "dimensions: 3, sliding_window: {size: [8, 8, 8], overlap: 0.5}",
        "dimensions: 3, orientation: RAS, spacing_mm: [1.0, 1.0, 1.0], resample: true",
        "size: [12, 16, 16], fit: crop_or_pad",
    ],
)
def test_however_a_volume_is_prepared_its_mask_comes_back_on_its_own_grid(
    volumes: Bench, tmp_path: Path, given: str
) -> None:
    """At the places of the file's own voxels, linear interpolation to and fro changes nothing."""
    result = checked(volumes, POLICY, as_onnx(tmp_path, given=f"input: {{{given}}}\n"))
    assert set(column(result.folder, "measured.ball.dice").values()) == {1.0}


ARGUMENTS = {"spatial_dims": 3, "in_channels": 1, "out_channels": 1, "channels": [4, 8, 16], "strides": [2, 2]}


def test_a_network_of_monai_gives_the_masks_that_it_gives_here(volumes: Bench, tmp_path: Path) -> None:
    from safetensors.torch import save_file

    from gatekeeper.candidate.architectures import ARCHITECTURES

    torch.manual_seed(3)
    lists = {name: tuple(value) if isinstance(value, list) else value for name, value in ARGUMENTS.items()}
    network = ARCHITECTURES.get("monai_unet").build(**lists).eval()
    save_file(network.state_dict(), tmp_path / "weights.safetensors")
    lines = f"artefact: weights.safetensors\narchitecture: {{name: monai_unet, arguments: {ARGUMENTS}}}\n"
    given = "input: {dimensions: 3, multiple_of: 4, intensity: {zero_at: 0, one_at: 200}}\n"
    candidate = write_yaml(tmp_path, "safetensors", lines.replace("'", ""), given, KINDS["mask_logit"])

    def called(number: int, right: Voxels) -> Voxels:
        pixels = np.where(right, BRIGHT, DARK).T.astype(np.float32) / 200
        padded = np.pad(pixels, [(0, -size % 4) for size in pixels.shape], constant_values=pixels.min())
        with torch.inference_mode():
            odds = network(torch.from_numpy(padded)[None, None])[0, 0].numpy()
        return np.asarray(odds[tuple(map(slice, pixels.shape))] >= 0.0).T

    expected = dice_by_hand(called)
    assert len({round(dice, 6) for dice in expected.values()}) > 3
    found = column(checked(volumes, POLICY, candidate).folder, "measured.ball.dice")
    assert found == pytest.approx(expected, abs=2e-3)


def test_masks_that_were_made_elsewhere_are_measured_on_their_image(volumes: Bench, tmp_path: Path) -> None:
    def moved(number: int, right: Voxels) -> Voxels:
        return np.roll(right, 1, 1)

    for number in range(CASES - 1):
        mask = moved(number, ball(number, SHAPES[number % 2]))
        write_nifti(tmp_path / "masks" / f"ball-{number:02}.nii.gz", mask.astype(np.uint8))
    result = checked(volumes, POLICY, write_yaml(tmp_path, "predictions", "artefact: masks\n", ANY_SIZE, KINDS["mask"]))
    rows = rows_of(result.folder)
    lost = rows.pop(f"ball-{CASES - 1:02}")
    assert (lost["outcome"], lost["fault"]) == ("invalid_output", "no prediction")
    found = {case: row["measured.ball.dice"] for case, row in rows.items()}
    assert found == pytest.approx(dice_by_hand(moved, CASES - 1))
    assert "No usable answer to 1 of 12 cases" in result.verdict.words
    assert "not run here" in result.verdict.words
    assert result.verdict.findings[0].estimate == pytest.approx(sum(found.values()) / CASES)


def test_a_candidate_whose_every_mask_is_invalid_is_not_met(volumes: Bench, tmp_path: Path) -> None:
    """What is lost costs what a missed structure costs, also where nothing was answered at all."""
    write_onnx(Threshold("mask_softmax"), tmp_path / "network.onnx", axes=3, size=None)
    candidate = write_yaml(tmp_path, "onnx", "artefact: network.onnx\n", ANY_SIZE, KINDS["mask"])
    result = checked(volumes, POLICY, candidate)
    assert {(row["outcome"], row["fault"]) for row in rows_of(result.folder).values()} == {
        ("invalid_output", "another shape")
    }
    assert result.verdict.verdict is VerdictWord.FAIL
    assert (result.verdict.findings[0].outcome, result.verdict.findings[0].estimate) == (Outcome.NOT_MET, 0.0)
