"""A made-up test set of volumes with a ball in each, and policies on it. Nothing here is clinical data."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from made_up_bench import Bench
from numpy.typing import NDArray

POLICY = """\
id: made_up_balls
version: "1.0.0"
title: Balls, made up for tests
context:
  modality: MR
  body_part: HEAD
  task: segmentation
  unit: ball
  structures: [ball]
  intended_use: Tests of the gate. Not for clinical use.
requirements:
  dice:
    metric: dice
    structure: ball
    lower_limit: {at_least: 0.5}
    basis: {source: made up, status: project_choice}
order: [dice]
"""
SHAPES = ((20, 16, 12), (16, 18, 12))  # along x, y, z
SPACING_MM = (1.0, 1.0, 2.0)
BRIGHT, DARK = 200.0, 20.0


def centre_of(number: int) -> tuple[float, float, float]:
    """Return where a ball lies, in voxels along x, y, z: off the middle of its volume on every axis."""
    return (6.0 + number % 2, 9.0 - number % 3, 7.0)


def ball(number: int, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return the voxels of a ball of about 4 mm, shape (x, y, z)."""
    places = np.meshgrid(*(np.arange(size) for size in shape), indexing="ij")
    away = [(at - to) * mm for at, to, mm in zip(places, centre_of(number), SPACING_MM, strict=True)]
    return np.asarray(sum(one**2 for one in away) <= (3.5 + 0.1 * number) ** 2)


def affine(spacing: tuple[float, ...] = SPACING_MM, origin: float = 5.0) -> NDArray[np.float64]:
    """Return an affine of NIfTI (RAS) for axes that run to the left, to the back, and to the head: LPS."""
    made = np.diag([-spacing[0], -spacing[1], spacing[2], 1.0])
    made[:3, 3] = origin
    return made


def write_nifti(path: Path, voxels: NDArray[np.generic], place: NDArray[np.float64] | None = None) -> None:
    """Write a volume, by default where the others lie."""
    import nibabel

    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.Nifti1Image(voxels, affine() if place is None else place).to_filename(path)


def make_volumes(folder: Path, home: Path, cases: int = 12) -> Bench:
    """Build a test set of balls, each of a patient of its own, in volumes of two shapes by turns, and lock it."""
    from gatekeeper.locking import lock_testset

    rows = []
    for number in range(cases):
        inside = ball(number, SHAPES[number % 2])
        names = {name: f"{name}s/ball-{number:02}.nii.gz" for name in ("image", "mask")}
        write_nifti(folder / names["image"], np.where(inside, BRIGHT, DARK).astype(np.float32))
        write_nifti(folder / names["mask"], inside.astype(np.uint8))
        rows.append({"case_id": f"ball-{number:02}", "patient_id": f"PATIENT-{number:02}", **names})
    with (folder / "cases.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    bench = Bench(folder, home)
    lock_testset(bench.table, bench.lock, home, task="segmentation")
    return bench
