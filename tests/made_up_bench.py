"""Made-up test sets, candidates and policies, small enough that a whole gate runs in seconds.

The images are discs, not patients: nothing here is clinical data.
"""

from __future__ import annotations

import csv
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import gatekeeper.demo

WEIGHTS = Path(gatekeeper.demo.__file__).parent / "candidates" / "nodule_cnn.safetensors"
SPACING_MM = 0.75

CONTEXT = """\
id: made_up_discs
version: "1.0.0"
title: Discs, made up for tests
context:
  modality: CT
  body_part: CHEST
  task: classification
  unit: disc
  positive: large
  intended_use: Tests of the gate. Not for clinical use.
"""
POLICY = (
    CONTEXT
    + """\
requirements:
  sensitivity:
    metric: sensitivity
    lower_limit: {at_least: 30 %}
    basis: {source: made up, status: project_choice}
  specificity:
    metric: specificity
    lower_limit: {at_least: 30 %}
    basis: {source: made up, status: project_choice}
  precision:
    metric: precision
    at_prevalence: 20 %
    lower_limit: {at_least: 10 %}
    basis: {source: made up, status: project_choice}
  rerun:
    metric: max_deviation
    level: R0
    estimate: {at_most: 0}
    basis: {source: made up, status: project_choice}
  flips:
    metric: flip_rate
    level: R4
    upper_limit: {at_most: 90 %}
    basis: {source: made up, status: project_choice}
  breaking:
    metric: breaking_point
    of: sensitivity
    perturbation: contour_erosion
    estimate: {at_least: 1}
    basis: {source: made up, status: project_choice}
  time:
    metric: latency
    percentile: 95
    upper_limit: {at_most: 60 s}
    basis: {source: made up, status: project_choice}
robustness: {contour_erosion: [0.75 mm, 6 mm]}
latency: {warm_up_calls: 2, timed_calls: 100}
subgroups: {by: [site], min_cases: 10, requirements: [sensitivity]}
order: [sensitivity, specificity, precision, rerun, flips, breaking, time]
"""
)

CANDIDATE = """\
description: the demo's network, for tests
format: safetensors
architecture: {{name: nodule_cnn}}
artefact: nodule_cnn.safetensors
input: {{size: [64, 64], spacing_mm: [0.75, 0.75], intensity: {{zero_at: 0, one_at: 255}}}}
output: {{kind: logit, classes: [small, large], positive: large}}
operating_point: {operating_point}
producer: trusted
"""


def disc(radius_mm: float) -> NDArray[np.uint8]:
    """Draw a disc in the middle of 64 x 64 pixels."""
    across = (np.arange(64) - 31.5) * SPACING_MM
    return ((across[:, None] ** 2 + across[None, :] ** 2 <= radius_mm**2) * 255).astype(np.uint8)


def write_dicom(path: Path, pixels: NDArray[np.uint8], **changes: object) -> None:
    """Write a small DICOM file; ``changes`` set attributes by keyword."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = SecondaryCaptureImageStorage
    dataset.SOPInstanceUID = generate_uid(entropy_srcs=[path.name])
    dataset.Modality = "CT"
    dataset.PatientIdentityRemoved = "YES"
    dataset.BurnedInAnnotation = "NO"
    dataset.BodyPartExamined = "CHEST"
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.PixelSpacing = [SPACING_MM, SPACING_MM]
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit = 7
    dataset.PixelRepresentation = 0
    dataset.PixelData = pixels.tobytes()
    for name, value in changes.items():
        setattr(dataset, name, value)
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)


@dataclass(frozen=True)
class Bench:
    """A folder with a table, a lock, a candidate and a policy, and a home with keys of its own."""

    folder: Path
    home: Path

    @property
    def table(self) -> Path:
        return self.folder / "cases.csv"

    @property
    def lock(self) -> Path:
        return self.folder / "discs.lock"

    @property
    def candidate(self) -> Path:
        return self.folder / "candidate" / "cnn.yaml"

    @property
    def policy(self) -> Path:
        return self.folder / "policy.yaml"

    @property
    def out(self) -> Path:
        return self.folder / "reports"

    def runs(self) -> list[Path]:
        """Folders of finished runs, and whatever else was left beside them."""
        return sorted(self.out.iterdir()) if self.out.is_dir() else []


def make_bench(folder: Path, home: Path) -> Bench:
    """Build a bench of 60 discs of 30 patients, and 30 repeats, and lock it."""
    from gatekeeper.locking import lock_testset

    bench = Bench(folder, home)
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    radii = np.random.default_rng(7)
    for number in range(60):
        label = number % 2
        radius = radii.uniform(2.0, 5.0) if label == 0 else radii.uniform(6.0, 14.0)
        rows += _rows_of_subject(bench, number, label, radius)
    with bench.table.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    bench.candidate.parent.mkdir(exist_ok=True)
    shutil.copy(WEIGHTS, bench.candidate.parent)
    bench.candidate.write_text(CANDIDATE.format(operating_point=0.5))
    bench.policy.write_text(POLICY)
    lock_testset(bench.table, bench.lock, home)
    return bench


def _rows_of_subject(bench: Bench, number: int, label: int, radius: float) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for repeat in range(2 if number < 30 else 1):
        case_id = f"disc-{number:03}-{repeat}"
        image = f"images/{case_id}.dcm"
        write_dicom(bench.folder / image, disc(radius + 0.4 * repeat))
        rows.append(
            {
                "case_id": case_id,
                "patient_id": f"PATIENT-{number // 2:03}",
                "image": image,
                "label": label,
                "repeat_of": f"disc-{number:03}-0" if repeat else "",
                "site": "north" if number < 40 else "south",
            }
        )
    return rows
