"""The catalogue's detection metrics, and a whole case set against the numbers that COCO's own code gave for it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from gatekeeper.metrics import detection
from gatekeeper.metrics.assignment import assign
from gatekeeper.metrics.localisation import by_box_iou
from gatekeeper.metrics.specification import Metric
from gatekeeper.statistics.findings import Findings
from gatekeeper.statistics.froc import average_precision

ENTRIES = [entry for entry in vars(detection).values() if isinstance(entry, Metric)]
Boxes = NDArray[np.float64]


def made_up(seed: int, cases: int) -> tuple[list[tuple[Boxes, Boxes]], list[NDArray[np.float64]]]:
    """Lesions and findings of each case, boxes near lesions and elsewhere, and scores that all differ."""
    source = np.random.RandomState(seed)
    drawn = []
    for _ in range(cases):
        count = source.randint(0, 4)
        low = source.randint(0, 40, (count, 2)).astype(float)
        lesions = np.stack([low, low + source.randint(5, 20, (count, 2))], axis=1)
        near = [lesion + source.randint(-2, 3, (2, 2)) for lesion in lesions for _ in range(source.randint(0, 3))]
        corners = source.randint(0, 40, (source.randint(0, 4), 2))
        far = [np.array([corner, corner + source.randint(5, 20, 2)]) for corner in corners]
        drawn.append((lesions, np.array(near + far, dtype=float).reshape(-1, 2, 2)))
    counts = [len(findings) for _, findings in drawn]
    scores = source.permutation(sum(counts)) / sum(counts)
    return drawn, np.split(scores, np.cumsum(counts)[:-1])


@pytest.mark.parametrize(
    ("at_least", "wanted"),
    [
        (0.5, 0.2509195680442029),
        (0.6, 0.2509195680442029),
        (0.7, 0.058477562991934046),
        (0.75, 0.04927744730376309),
    ],
)
def test_average_precision_is_that_of_cocos_own_code(at_least: float, wanted: float) -> None:
    """pycocotools 2.0.11, COCOeval on these boxes, all areas, 100 findings an image: mean of ``precision``."""
    drawn, scores = made_up(1, 40)
    assigned = [
        assign(by_box_iou(findings, lesions, at_least), of_case, "greedy", "false_positive")
        for (lesions, findings), of_case in zip(drawn, scores, strict=True)
    ]
    findings = Findings.of_cases(
        [case.scores for case in assigned],
        [case.hits for case in assigned],
        np.array([case.lesions for case in assigned]),
        np.arange(40),
    )
    assert average_precision(findings, "coco_101") == pytest.approx(wanted, abs=1e-12)


def test_the_catalogue_names_each_metric_once_with_its_source() -> None:
    names = [name for entry in ENTRIES for name in (entry.name, *entry.aliases)]
    assert len(set(names)) == len(names)
    assert {"froc_score", "cpm", "lesion_detection_rate", "lesion_recall", "finding_precision"} <= set(names)
    assert "lesion_sensitivity" not in names
    assert all(entry.source and entry.undefined and entry.n_of and entry.interval for entry in ENTRIES)
    assert all(entry.tasks == {"detection"} and entry.must <= entry.options for entry in ENTRIES)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_fewer_false_positives_are_better_and_more_of_all_else(entry: Metric) -> None:
    counts = entry.unit == "count"
    assert entry.higher_is_better is not counts
    assert entry.highest == (1_000_000.0 if counts else 1.0)
