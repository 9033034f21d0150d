"""Intervals against their peers: CPU time, runs interleaved, ratios; the values must be equal. And peaks of memory.

Writes ``reports/benchmarks/statistics.json``. Peers that are slow make fewer resamples, and their time is scaled up
to the same number: they cost the same each time.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import pytest
import sklearn
from numpy.typing import NDArray
from ratios import (
    REPORTS,
    ROUNDS,
    ConfidenceInterval,
    Floats,
    Labels,
    Measured,
    compare,
    cpu_seconds,
    machine,
    made_up_cases,
    measured_alone,
)
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
    delong,
    percentile_interval,
)
from gatekeeper.statistics.interval import normal_quantile

pytestmark = pytest.mark.benchmark

MOST_MEBIBYTES = 1024
PACKAGE = "confidenceinterval 1.0.5"
MEMORY = """
import sys
import numpy as np
from ratios import made_up_cases
from gatekeeper.statistics import RESAMPLES, bootstrap_auroc
cases, patients = int(sys.argv[1]), int(sys.argv[2])
score, label = made_up_cases(cases, seed=5)
codes = np.arange(cases) % patients if patients else None
assert len(bootstrap_auroc(score, label, codes)) == RESAMPLES
"""


@dataclass
class Report:
    measured: list[Measured] = field(default_factory=list)
    memory: list[JSON] = field(default_factory=list)


@pytest.fixture(scope="module")
def report() -> Iterator[Report]:
    found = Report()
    yield found
    content: JSON = {
        "what": "CPU seconds of one process, median of interleaved rounds; the peer's scaled up to the same work",
        "rounds": ROUNDS,
        "machine": machine(**{"scikit-learn": sklearn.__version__}),
        "measured": [dict(asdict(row)) for row in found.measured],
        "memory": list(found.memory),
    }
    REPORTS.mkdir(parents=True, exist_ok=True)
    (REPORTS / "statistics.json").write_text(pretty_json(content), encoding="utf-8")


def areas_by_scikit_learn(score: Floats, label: Labels, weights: NDArray[np.integer]) -> list[float]:
    areas = []
    for weight in weights:
        drawn = np.repeat(np.arange(len(score)), weight)
        areas.append(roc_auc_score(label[drawn], score[drawn]))
    return areas


def scaled_up(resamples: int) -> str:
    return f"{resamples:,} resamples, scaled up"


@pytest.mark.parametrize(("n", "of_peer", "at_least"), [(1_000, 200, 50.0), (10_000, 60, 50.0), (100_000, 20, 20.0)])
class TestAreaOfIndependentCases:
    def test_against_scikit_learn(self, report: Report, n: int, of_peer: int, at_least: float) -> None:
        score, label = made_up_cases(n, seed=n)
        weights = cluster_weights(n, of_peer, 0)
        areas = auroc_of_weights(score, label, weights)
        assert areas.tolist() == pytest.approx(areas_by_scikit_learn(score, label, weights), abs=1e-15)
        report.measured.append(
            compare(
                f"area under the ROC curve, {n:,} cases, {RESAMPLES:,} resamples",
                "scikit-learn in a loop",
                at_least,
                lambda: cpu_seconds(lambda: bootstrap_auroc(score, label)),
                lambda: cpu_seconds(lambda: areas_by_scikit_learn(score, label, weights)),
                scaled_up(of_peer),
                RESAMPLES / of_peer,
            )
        )

    def test_against_confidenceinterval(
        self, report: Report, tmp_path: Path, n: int, of_peer: int, at_least: float
    ) -> None:
        """The peer evaluates its metric once more than it resamples."""
        score, label = made_up_cases(n, seed=n)
        with ConfidenceInterval(tmp_path, (score, label), "bootstrap_percentile", of_peer) as peer:
            drawn = np.random.default_rng(0).integers(0, n, (of_peer, n))
            weights = np.stack([np.bincount(row, minlength=n) for row in drawn])
            same = percentile_interval(auroc_of_weights(score, label, weights), 0.95, "")
            assert peer.round()[2:] == pytest.approx((same.lower, same.upper), abs=1e-12)
            report.measured.append(
                compare(
                    f"percentile interval of the area under the ROC curve, {n:,} cases, {RESAMPLES:,} resamples",
                    PACKAGE,
                    at_least,
                    lambda: cpu_seconds(lambda: percentile_interval(bootstrap_auroc(score, label), 0.95, "")),
                    peer.seconds,
                    scaled_up(of_peer),
                    (RESAMPLES + 1) / (of_peer + 1),
                )
            )


def test_delong(report: Report, tmp_path: Path) -> None:
    """The peer's limits are on the plain scale and in single precision: areas and standard errors are compared."""
    n, calls = 10_000, 20
    score, label = made_up_cases(n, seed=n)
    with ConfidenceInterval(tmp_path, (score, label), "delong", calls=calls) as peer:
        _, area, lower, upper = peer.round()
        value, interval = delong(score, label)
        log_odds = [math.log(limit / (1.0 - limit)) for limit in (interval.lower, interval.upper)]
        error = (log_odds[1] - log_odds[0]) / 2.0 * value * (1.0 - value) / normal_quantile(0.95)
        assert area == pytest.approx(value, abs=1e-6)
        assert (upper - lower) / 2.0 / normal_quantile(0.95) == pytest.approx(error, rel=1e-5)
        report.measured.append(
            compare(
                f"DeLong's interval, {n:,} cases",
                PACKAGE,
                5.0,
                lambda: cpu_seconds(lambda: delong(score, label), calls),
                peer.seconds,
            )
        )


def test_counted_metrics(report: Report) -> None:
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
    report.measured.append(
        compare(
            f"sensitivity, specificity, precision and F1, {n:,} cases, {RESAMPLES:,} resamples",
            "scipy.stats.bootstrap, vectorised",
            100.0,
            lambda: cpu_seconds(lambda: metrics_of(*bootstrap_sums(counts, RESAMPLES, 0).T), 10),
            lambda: cpu_seconds(lambda: by_scipy(of_peer)),
            scaled_up(of_peer),
            RESAMPLES / of_peer,
        )
    )


def metrics_of(tp: Floats, fp: Floats, fn: Floats, tn: Floats) -> Floats:
    return np.stack([tp / (tp + fn), tn / (tn + fp), tp / (tp + fp), 2 * tp / (2 * tp + fp + fn)])


def test_area_of_clustered_cases(report: Report) -> None:
    n, of_peer = 10_000, 40
    score, label = made_up_cases(n, seed=3)
    source = np.random.default_rng(4)
    codes, patients = cluster_index([f"P{number:04}" for number in source.integers(0, 2_500, size=n)])
    rows_of = [np.flatnonzero(codes == patient) for patient in range(patients)]
    weights = cluster_weights(patients, of_peer, 0)

    def by_resampling_rows() -> list[float]:
        areas = []
        for weight in weights:
            drawn = np.concatenate([rows_of[patient] for patient in np.repeat(np.arange(patients), weight)])
            areas.append(roc_auc_score(label[drawn], score[drawn]))
        return areas

    areas = auroc_of_weights(score, label, weights, codes)
    assert areas.tolist() == pytest.approx(by_resampling_rows(), abs=1e-15)
    report.measured.append(
        compare(
            f"area under the ROC curve, {n:,} cases of {patients:,} patients, {RESAMPLES:,} resamples",
            "rows of drawn patients concatenated, scikit-learn in a loop",
            100.0,
            lambda: cpu_seconds(lambda: bootstrap_auroc(score, label, codes)),
            lambda: cpu_seconds(by_resampling_rows),
            scaled_up(of_peer),
            RESAMPLES / of_peer,
        )
    )


@pytest.mark.parametrize("patients", [0, 25_000])
def test_no_matrix_of_resamples_is_held(report: Report, patients: int) -> None:
    """All the weights would take 1.5 GiB in 64 bits of 100,000 cases, and 0.4 GiB of 25,000 patients."""
    cases = 100_000
    (peak,) = measured_alone(MEMORY, str(cases), str(patients))
    of_whom = f" of {patients:,} patients" if patients else ""
    report.memory.append(
        {
            "work": f"area under the ROC curve, {cases:,} cases{of_whom}, {RESAMPLES:,} resamples",
            "peak_mebibytes": round(peak),
            "peak_mebibytes_at_most": MOST_MEBIBYTES,
        }
    )
    assert peak <= MOST_MEBIBYTES
