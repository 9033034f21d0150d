"""Dice, HD95, ASSD and NSD of label volumes against MONAI and DeepMind's surface-distance; the values must be equal.

CPU time of one process, runs interleaved, ratios. Peers are given what they read, masks or one-hot tensors, made before
the clock starts; ours starts from the labels. Writes ``reports/benchmarks/segmentation.json``.
"""

from __future__ import annotations

import os
import platform
import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import surface_distance
import torch
from monai.metrics import (
    compute_average_surface_distance,
    compute_dice,
    compute_hausdorff_distance,
    compute_surface_dice,
)
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, zoom

from gatekeeper.canonical import JSON, pretty_json
from gatekeeper.metrics.boundary import hausdorff_percentile, mean_directed
from gatekeeper.metrics.masks import VALUES, compare_labels

pytestmark = [
    pytest.mark.benchmark,
    pytest.mark.filterwarnings("ignore:monai.metrics.utils get_mask_edges:FutureWarning"),
]

ROUNDS = 5
TOLERANCE = 2.0
REPORT = Path(__file__).parents[2] / "reports" / "benchmarks" / "segmentation.json"

Labels = NDArray[np.uint8]
Spacing = tuple[float, float, float]
Blob = tuple[tuple[float, float, float], tuple[float, float, float]]  # centre and radii, in shares of the volume

FOUR: tuple[Blob, ...] = (
    ((0.30, 0.35, 0.40), (0.10, 0.12, 0.14)),
    ((0.60, 0.35, 0.60), (0.12, 0.10, 0.12)),
    ((0.35, 0.70, 0.40), (0.08, 0.08, 0.10)),
    ((0.70, 0.65, 0.50), (0.10, 0.12, 0.10)),
)


@dataclass(frozen=True)
class Measured:
    case: str
    peer: str
    cpu_seconds: float
    cpu_seconds_of_peer: float
    ratio: float
    ratio_least: float
    ratio_most: float


@pytest.fixture(scope="module")
def measured() -> Iterator[list[Measured]]:
    rows: list[Measured] = []
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield rows
    torch.set_num_threads(threads)
    content: JSON = {
        "what": "CPU seconds of one process for Dice, HD95, ASSD and NSD at 2 mm of all structures of one made-up "
        "volume, median of interleaved rounds; values equal",
        "rounds": ROUNDS,
        "machine": {
            "cores": os.cpu_count(),
            "architecture": platform.machine(),
            "python": platform.python_version(),
            **{name: version(name) for name in ("numpy", "scipy", "torch", "monai", "surface-distance")},
        },
        "measured": [dict(asdict(row)) for row in rows],
    }
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(pretty_json(content), encoding="utf-8")


def made_up_labels(shape: tuple[int, int, int], blobs: tuple[Blob, ...], seed: int) -> tuple[Labels, Labels]:
    """Ellipsoids with an uneven surface; the prediction is moved by 1.5 voxels, 3 % larger and uneven elsewhere."""
    reference, prediction = np.zeros(shape, dtype=np.uint8), np.zeros(shape, dtype=np.uint8)
    source = np.random.default_rng(seed)
    grid = np.ogrid[tuple(slice(0, size) for size in shape)]
    for label, (centre, radii) in enumerate(blobs, start=1):
        for labels, move, growth in ((reference, 0.0, 1.0), (prediction, 1.5, 1.03)):
            coarse = gaussian_filter(source.normal(size=tuple(size // 8 for size in shape)), 1.0)
            uneven = 0.08 * zoom(coarse / coarse.std(), 8, order=1)
            squares = sum(
                ((line - share * size - move) / (radius * growth * size)) ** 2
                for line, share, radius, size in zip(grid, centre, radii, shape, strict=True)
            )
            labels[np.sqrt(squares) + uneven < 1.0] = label
    return reference, prediction


def with_far_false_positives(labels: Labels, seed: int) -> Labels:
    far, source = labels.copy(), np.random.default_rng(seed)
    for label in range(1, 5):
        for _ in range(4):
            start = (source.uniform(0.05, 0.9, size=3) * np.array(labels.shape)).astype(int)
            far[tuple(slice(at, at + 5) for at in start)] = label
    return far


def case(name: str) -> tuple[Labels, Labels, Spacing]:
    small, large = (128, 128, 128), (256, 256, 160)
    if name.startswith("A"):
        return *made_up_labels(small, (((0.5, 0.47, 0.52), (0.22, 0.25, 0.19)),), 1), (1.0, 1.0, 1.0)
    if name.startswith("B"):
        return *made_up_labels(small, FOUR, 2), (1.0, 1.0, 1.0)
    if name.startswith("E"):
        return *made_up_labels(large, (((0.5, 0.5, 0.5), (0.36, 0.34, 0.38)),), 4), (0.8, 0.8, 1.5)
    reference, prediction = made_up_labels(large, FOUR, 3)
    if name.startswith("D"):
        prediction = with_far_false_positives(prediction, 5)
    return reference, prediction, (0.8, 0.8, 1.5)


def ours(reference: Labels, prediction: Labels, spacing: Spacing, structures: dict[str, int]) -> list[list[float]]:
    found = compare_labels(reference, prediction, spacing, structures).values()
    return [[VALUES[name](each) for each in found] for name in ("dice", "hausdorff_95", "assd")] + [
        [VALUES["normalized_surface_distance"](each, tolerance=TOLERANCE) for each in found]
    ]


def by_monai(y_pred: torch.Tensor, y: torch.Tensor, spacing: Spacing) -> list[list[float]]:
    values = (
        compute_dice(y_pred, y, include_background=False),
        compute_hausdorff_distance(y_pred, y, percentile=95, spacing=spacing),
        compute_average_surface_distance(y_pred, y, symmetric=True, spacing=spacing),
        compute_surface_dice(y_pred, y, [TOLERANCE] * (y.shape[1] - 1), spacing=spacing),
    )
    return [value[0].tolist() for value in values]


def ours_by_area(
    reference: Labels, prediction: Labels, spacing: Spacing, structures: dict[str, int]
) -> list[list[float]]:
    rows = []
    for each in compare_labels(reference, prediction, spacing, structures).values():
        surfaces = each.surfaces_by_area
        rows.append(
            [
                VALUES["dice"](each),
                hausdorff_percentile(surfaces, 95.0),
                *mean_directed(surfaces),
                VALUES["normalized_surface_distance_by_area"](each, tolerance=TOLERANCE),
            ]
        )
    return rows


def by_deepmind(masks: list[tuple[NDArray[np.bool_], NDArray[np.bool_]]], spacing: Spacing) -> list[list[float]]:
    rows = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scipy.ndimage.filters and .morphology
        for reference, prediction in masks:
            found = surface_distance.compute_surface_distances(reference, prediction, spacing)
            rows.append(
                [
                    surface_distance.compute_dice_coefficient(reference, prediction),
                    surface_distance.compute_robust_hausdorff(found, 95.0),
                    *surface_distance.compute_average_surface_distance(found),
                    surface_distance.compute_surface_dice_at_tolerance(found, TOLERANCE),
                ]
            )
    return rows


def compare(case: str, peer_name: str, own: Callable[[], object], peer: Callable[[], object]) -> Measured:
    """Time both in turn, after one run each that does not count, and print the ratio."""
    mine, theirs = [], []
    for _ in range(ROUNDS + 1):
        mine.append(cpu_seconds(own))
        theirs.append(cpu_seconds(peer))
    ratios = [other / one for one, other in zip(mine[1:], theirs[1:], strict=True)]
    seconds, of_peer = statistics.median(mine[1:]), statistics.median(theirs[1:])
    row = Measured(
        case,
        peer_name,
        round(seconds, 4),
        round(of_peer, 4),
        *(round(ratio, 1) for ratio in (statistics.median(ratios), min(ratios), max(ratios))),
    )
    print(f"\n{case}: {seconds:.4f} s; {peer_name}: {of_peer:.3f} s; ratio {row.ratio}")
    return row


def cpu_seconds(task: Callable[[], object]) -> float:
    started = time.process_time()
    task()
    return time.process_time() - started


@pytest.mark.parametrize(
    "name",
    [
        "A: 128 x 128 x 128, 1 label",
        "B: 128 x 128 x 128, 4 labels",
        "C: 256 x 256 x 160, 4 labels",
        "D: as C, with far false positives",
        "E: 256 x 256 x 160, 1 large organ",
    ],
)
def test_overlap_and_distances_of_all_structures(measured: list[Measured], name: str) -> None:
    reference, prediction, spacing = case(name)
    structures = {f"structure {label}": label for label in range(1, int(reference.max()) + 1)}
    masks = [(reference == label, prediction == label) for label in structures.values()]
    y, y_pred = (
        torch.from_numpy(np.stack([labels == label for label in (0, *structures.values())]))[None]
        for labels in (reference, prediction)
    )
    # MONAI computes in single precision, its percentile's rank too.
    found, theirs = ours(reference, prediction, spacing, structures), by_monai(y_pred, y, spacing)
    np.testing.assert_allclose(found[:1] + found[2:], theirs[:1] + theirs[2:], rtol=1e-6)
    np.testing.assert_allclose(found[1], theirs[1], rtol=2e-5)
    np.testing.assert_allclose(
        ours_by_area(reference, prediction, spacing, structures), by_deepmind(masks, spacing), rtol=1e-9
    )
    against_monai = compare(
        name,
        "MONAI, one-hot of bool",
        lambda: ours(reference, prediction, spacing, structures),
        lambda: by_monai(y_pred, y, spacing),
    )
    against_deepmind = compare(
        name + ", by area",
        "DeepMind surface-distance",
        lambda: ours_by_area(reference, prediction, spacing, structures),
        lambda: by_deepmind(masks, spacing),
    )
    measured += [against_monai, against_deepmind]
    assert against_monai.ratio >= 10.0
    assert against_deepmind.ratio >= 4.0
