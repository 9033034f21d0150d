"""Resampling against its peers: CPU time of one process, runs interleaved, ratios; the values must be equal.

Writes ``reports/benchmarks/statistics.json``. Peers that are slow make fewer resamples, and their time is scaled up
to the same number: they cost the same each time.
"""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pytest
import scipy
import sklearn
from numpy.typing import NDArray
from scipy.stats import bootstrap
from sklearn.metrics import roc_auc_score

from gatekeeper.canonical import JSON, pretty_json
from gatekeeper.statistics import (
    RESAMPLES,
    auroc_of_weights,
    bootstrap_auroc,
    bootstrap_sums,
    cluster_index,
    cluster_weights,
)

pytestmark = pytest.mark.benchmark

ROUNDS = 3
REPORT = Path(__file__).parents[2] / "reports" / "benchmarks" / "statistics.json"

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Measured:
    work: str
    peer: str
    resamples: int
    resamples_of_peer: int
    cpu_seconds: float
    cpu_seconds_of_peer_scaled: float
    ratio: float
    ratio_least: float
    ratio_most: float


@pytest.fixture(scope="module")
def measured() -> Iterator[list[Measured]]:
    rows: list[Measured] = []
    yield rows
    content: JSON = {
        "what": "CPU seconds of one process, median of interleaved rounds; the peer's scaled to the same resamples",
        "rounds": ROUNDS,
        "machine": {
            "cores": os.cpu_count(),
            "architecture": platform.machine(),
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scipy": scipy.__version__,
            "scikit-learn": sklearn.__version__,
        },
        "measured": [dict(asdict(row)) for row in rows],
    }
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(pretty_json(content), encoding="utf-8")


def compare(
    work: str, peer_name: str, ours: Callable[[], object], peer: Callable[[], object], of_peer: int
) -> Measured:
    """Time both in turn, after one run each that does not count, and print the ratio."""
    own, other = [], []
    for _ in range(ROUNDS + 1):
        own.append(cpu_seconds(ours))
        other.append(cpu_seconds(peer) * RESAMPLES / of_peer)
    ratios = [theirs / mine for mine, theirs in zip(own[1:], other[1:], strict=True)]
    seconds, scaled = statistics.median(own[1:]), statistics.median(other[1:])
    row = Measured(
        work,
        peer_name,
        RESAMPLES,
        of_peer,
        round(seconds, 4),
        round(scaled, 3),
        *(round(ratio, 1) for ratio in (statistics.median(ratios), min(ratios), max(ratios))),
    )
    note = "" if of_peer == RESAMPLES else f" (scaled up from {of_peer} resamples)"
    print(f"\n{work}: {seconds:.4f} s; {peer_name}: {scaled:.2f} s{note}; ratio {row.ratio:.0f}")
    return row


def cpu_seconds(task: Callable[[], object]) -> float:
    started = time.process_time()
    task()
    return time.process_time() - started


def made_up_cases(n: int, seed: int) -> tuple[Floats, NDArray[np.int8]]:
    source = np.random.default_rng(seed)
    label = (source.random(n) < 0.3).astype(np.int8)
    return np.round(source.normal(size=n) + 1.2 * label.astype(np.float64), 3), label


def areas_by_scikit_learn(score: Floats, label: NDArray[np.int8], weights: NDArray[np.uint16]) -> list[float]:
    areas = []
    for weight in weights:
        drawn = np.repeat(np.arange(len(score)), weight)
        areas.append(roc_auc_score(label[drawn], score[drawn]))
    return areas


@pytest.mark.parametrize(("n", "of_peer"), [(1_000, 200), (10_000, 60), (100_000, 10)])
def test_area_under_the_curve_of_independent_cases(measured: list[Measured], n: int, of_peer: int) -> None:
    score, label = made_up_cases(n, seed=n)
    weights = cluster_weights(n, RESAMPLES, 0)
    areas = auroc_of_weights(score, label, weights)
    assert areas[:of_peer].tolist() == pytest.approx(areas_by_scikit_learn(score, label, weights[:of_peer]), abs=1e-15)
    measured.append(
        compare(
            f"area under the ROC curve, {n:,} cases, {RESAMPLES:,} resamples, with drawing",
            "scikit-learn in a loop",
            lambda: bootstrap_auroc(score, label),
            lambda: areas_by_scikit_learn(score, label, weights[:of_peer]),
            of_peer,
        )
    )


def test_counted_metrics(measured: list[Measured]) -> None:
    n, of_peer = 10_000, 400
    score, label = made_up_cases(n, seed=2)
    called = score >= 0.6
    cells = np.stack([called & (label == 1), called & (label == 0), ~called & (label == 1), ~called & (label == 0)])
    counts, cell_of = cells.T.astype(np.int64), cells.argmax(axis=0)
    seen: list[NDArray[np.intp]] = []

    def of_drawn_cases(drawn: NDArray[np.intp], axis: int) -> Floats:
        seen[:] = [*seen, drawn][:3]
        drawn_cells = cell_of[drawn]
        return metrics_of(*((drawn_cells == cell).sum(axis=axis) for cell in range(4)))

    def by_scipy(resamples: int) -> Floats:
        result = bootstrap(
            (np.arange(n),),
            of_drawn_cases,
            n_resamples=resamples,
            batch=50,
            method="percentile",
            rng=np.random.default_rng(0),
        )
        return np.asarray(result.bootstrap_distribution)

    theirs = by_scipy(50)
    drawn = next(block for block in seen if block.ndim == 2)
    same_draw = np.stack([np.bincount(row, minlength=n) for row in drawn])
    assert metrics_of(*(same_draw @ counts).T).tolist() == theirs.tolist()
    measured.append(
        compare(
            f"sensitivity, specificity, precision and F1, {n:,} cases, {RESAMPLES:,} resamples, with drawing",
            "scipy.stats.bootstrap, vectorised",
            lambda: metrics_of(*bootstrap_sums(counts, RESAMPLES, 0).T),
            lambda: by_scipy(of_peer),
            of_peer,
        )
    )


def metrics_of(tp: Floats, fp: Floats, fn: Floats, tn: Floats) -> Floats:
    return np.stack([tp / (tp + fn), tn / (tn + fp), tp / (tp + fp), 2 * tp / (2 * tp + fp + fn)])


def test_area_under_the_curve_of_clustered_cases(measured: list[Measured]) -> None:
    n, of_peer = 10_000, 40
    score, label = made_up_cases(n, seed=3)
    source = np.random.default_rng(4)
    codes, patients = cluster_index([f"P{number:04}" for number in source.integers(0, 2_500, size=n)])
    rows_of = [np.flatnonzero(codes == patient) for patient in range(patients)]
    weights = cluster_weights(patients, RESAMPLES, 0)

    def by_resampling_rows() -> list[float]:
        areas = []
        for weight in weights[:of_peer]:
            drawn = np.concatenate([rows_of[patient] for patient in np.repeat(np.arange(patients), weight)])
            areas.append(roc_auc_score(label[drawn], score[drawn]))
        return areas

    areas = auroc_of_weights(score, label, weights, codes)
    assert areas[:of_peer].tolist() == pytest.approx(by_resampling_rows(), abs=1e-15)
    measured.append(
        compare(
            f"area under the ROC curve, {n:,} cases of {patients:,} patients, {RESAMPLES:,} resamples, with drawing",
            "rows of drawn patients concatenated, scikit-learn in a loop",
            lambda: bootstrap_auroc(score, label, codes),
            by_resampling_rows,
            of_peer,
        )
    )
