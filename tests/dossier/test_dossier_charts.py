"""Charts: well formed, deterministic, told in words, and safe with any text."""

from __future__ import annotations

import math
import random
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable

import numpy as np
import pytest
from made_up_material import finding, ladders, roc, scatter, seconds
from made_up_shown import classification_policy, detection_policy, lesions, scored

from gatekeeper.dossier import Ladder, LadderStep, RepeatScatter, RocCurve
from gatekeeper.dossier.charts import (
    Drawing,
    froc_chart,
    interval_chart,
    ladder_chart,
    latency_chart,
    outcome_mark,
    percentile,
    precision_recall_chart,
    reliability_chart,
    repeatability_chart,
    response_range,
    roc_chart,
    thumbnail_picture,
    verdict_mark,
)
from gatekeeper.dossier.charts.square import data, told_apart
from gatekeeper.dossier.charts.svg import MOST_ROWS, Scale, data_of, round_steps
from gatekeeper.dossier.curves import FrocCurve, PrecisionRecallCurve, Reliability, Thumbnail
from gatekeeper.dossier.gather_calibration import reliability
from gatekeeper.dossier.gather_curves import precision_recall, roc_curve
from gatekeeper.dossier.gather_froc import froc
from gatekeeper.evidence import Outcome, Threshold, VerdictWord

SVG = "{http://www.w3.org/2000/svg}"


def _roc() -> RocCurve:
    curve = roc_curve(classification_policy(), scored(), 0.5)
    assert curve is not None
    return curve


def _precision_recall(cut: float = 0.5) -> tuple[PrecisionRecallCurve, ...]:
    return precision_recall(classification_policy(), scored(), cut)


def _reliability() -> Reliability:
    found = reliability(classification_policy(), scored(), 0.5)
    assert found is not None
    return found


def _froc(cut: float) -> FrocCurve:
    found = froc(detection_policy(), lesions(), cut)
    assert found is not None
    return found


def _ladder_of_hostile_name() -> Drawing:
    step = LadderStep(1, 0.5, None, None, None, False)
    base = LadderStep(0, 0.0, None, None, None, False)
    return ladder_chart(Ladder("<b>&\u202e", "</svg>", "x", None, base, (step,), 0), (0.0, 1.0))


CHARTS: dict[str, Callable[[], Drawing | None]] = {
    "interval": lambda: interval_chart(finding("sensitivity")),
    "interval of an estimate": lambda: interval_chart(finding("x", interval=None, unit="severity", estimate=4.0)),
    "roc": lambda: roc_chart(roc()),
    "roc with band and limits": lambda: roc_chart(_roc()),
    "precision-recall": lambda: precision_recall_chart(_precision_recall()[0]),
    "precision-recall at a declared prevalence": lambda: precision_recall_chart(_precision_recall()[1]),
    "precision-recall without an alarm": lambda: precision_recall_chart(_precision_recall(1.5)[0]),
    "reliability": lambda: reliability_chart(_reliability()),
    "froc": lambda: froc_chart(_froc(0.5)),
    "froc beyond its scale": lambda: froc_chart(_froc(1.5)),
    "thumbnail": lambda: thumbnail_picture(
        Thumbnail("</svg>&", "image", np.eye(5, dtype=np.uint8) * 255, (0.5, 1.0), "<b>")
    ),
    "ladder": lambda: ladder_chart(ladders()[1], response_range(ladders())),
    "ladder that was never measured": _ladder_of_hostile_name,
    "latency": lambda: latency_chart(seconds(), [0.02]),
    "latency of one call": lambda: latency_chart([0.01], [30.0]),
    "repeatability": lambda: repeatability_chart(scatter(), 0.42),
    "repeatability without spread": lambda: repeatability_chart(RepeatScatter((0.5,), (0.0,), (False,)), 0.42),
    **{f"mark {outcome}": lambda outcome=outcome: outcome_mark(outcome) for outcome in Outcome},
    **{f"sign {word}": lambda word=word: verdict_mark(word) for word in VerdictWord},
}


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_is_one_svg_with_a_title_for_those_who_cannot_see_it(name: str) -> None:
    drawn = CHARTS[name]()
    assert drawn is not None
    root = ElementTree.fromstring(drawn.svg)
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    assert root.get("aria-label") == root.findtext(f"{SVG}title") == drawn.words != ""
    assert "nan" not in drawn.svg
    assert "inf" not in drawn.svg.replace("info", "")


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_is_the_same_each_time_and_draws_nothing_from_chance(name: str) -> None:
    first = CHARTS[name]()
    random.seed(name)
    assert CHARTS[name]() == first


@pytest.mark.parametrize("name", CHARTS)
def test_colours_are_inks_or_one_dark_blue(name: str) -> None:
    drawn = CHARTS[name]()
    assert drawn is not None
    elements = list(ElementTree.fromstring(drawn.svg).iter())
    used = {element.get(attribute) for element in elements for attribute in ("fill", "stroke")}
    assert used <= {None, "none", "#1a1a1a", "#666666", "#b5b5b5", "#ffffff", "#1f3a68", "#e3e3e3"}


def test_outcomes_and_verdicts_differ_in_shape() -> None:
    marks = [outcome_mark(outcome).svg for outcome in Outcome] + [verdict_mark(word).svg for word in VerdictWord]
    shapes = {tuple(element.tag for element in ElementTree.fromstring(mark).iter()) for mark in marks[:3]}
    assert len(shapes) == 3
    assert len({tuple(element.tag for element in ElementTree.fromstring(mark).iter()) for mark in marks[3:]}) == 4


def test_an_interval_chart_says_everything_in_words() -> None:
    drawn = interval_chart(finding("sensitivity"))
    assert drawn is not None
    words = drawn.words.replace("\u00a0", " ")
    assert words == "Sensitivity: 0.931, interval 0.884 to 0.960; demanded: lower limit ≥ 0.80; met"


def test_there_is_no_interval_chart_without_an_estimate_or_without_extent() -> None:
    assert interval_chart(finding("x", estimate=None, interval=None)) is None
    exact = finding("rerun", estimate=0.0, interval=None, threshold=Threshold(of="estimate", at_most=0.0))
    assert interval_chart(exact) is None


def test_the_foot_of_the_threshold_points_to_the_demanded_side() -> None:
    def foot(threshold: Threshold) -> float:
        drawn = interval_chart(finding("x", interval=(0.4, 0.6), estimate=0.5, threshold=threshold))
        assert drawn is not None
        stroke = next(part.get("d", "") for part in ElementTree.fromstring(drawn.svg) if "1.4" in part.get("d", ""))
        at, to = (float(part.split()[0]) for part in stroke.split("M")[2].split("L"))
        return to - at

    assert foot(Threshold(of="lower_limit", at_least=0.5)) > 0
    assert foot(Threshold(of="upper_limit", at_most=0.5)) < 0


def test_calls_and_thresholds_past_the_axis_are_told_in_words() -> None:
    calls = [0.010 + 0.00001 * index for index in range(299)] + [5.0]
    said = latency_chart(calls, [30.0]).svg
    assert "threshold ≤ 30" in said
    assert "beyond the axis" in said
    assert "1 call beyond the axis" in said


def test_calls_that_failed_are_no_fast_ones() -> None:
    calls = [0.010 + 0.00001 * index for index in range(180)] + [math.inf] * 20
    said = latency_chart(calls, [0.02]).svg
    assert "20 calls without an answer" in said
    assert "p95 no answer" in said.replace("\u202f", " ")
    assert "inf" not in said
    assert "nan" not in said


@pytest.mark.parametrize(("percent", "value"), [(50.0, 5), (95.0, 10), (10.0, 1), (0.1, 1), (100.0, 10)])
def test_a_percentile_is_an_order_statistic(percent: float, value: int) -> None:
    assert percentile(range(1, 11), percent) == value


def test_ticks_are_round_and_inside() -> None:
    assert round_steps(0.0, 1.0, 4) == (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    assert round_steps(0.0, 0.087, 4) == (0.0, 0.02, 0.04, 0.06, 0.08)
    assert round_steps(3.0, 3.0) == (3.0,)


def test_a_scale_keeps_what_lies_outside_on_its_ends() -> None:
    scale = Scale(0.0, 10.0, 0.0, 100.0)
    assert (scale(-5.0), scale(5.0), scale(50.0)) == (0.0, 50.0, 100.0)
    assert Scale(1.0, 1.0, 0.0, 100.0)(1.0) == 50.0


def test_charts_that_stand_side_by_side_share_one_range() -> None:
    low, high = response_range(ladders())
    assert 0.0 <= low < 0.8 < high <= 1.0
    assert response_range([]) == (0.0, 1.0)


@pytest.mark.parametrize("name", ["roc with band and limits", "precision-recall", "reliability", "froc"])
def test_a_chart_of_performance_carries_its_numbers(name: str) -> None:
    drawn = CHARTS[name]()
    assert drawn is not None
    assert drawn.data is not None
    assert all(len(row) == len(drawn.data.columns) for row in drawn.data.rows)
    assert any(value is not None for row in drawn.data.rows for value in row[-2:])


def test_bins_are_told_with_their_counts_and_limits() -> None:
    found = _reliability()
    told = reliability_chart(found).data
    assert told is not None
    assert [row[2:4] for row in told.rows] == list(zip(found.positives, found.negatives, strict=True))
    shares = [row[4:] for row in told.rows if row[4] is not None]
    assert shares == [(b.mean_score, b.observed, b.interval.lower, b.interval.upper) for b in found.bins]


def test_a_long_curve_is_told_thinned_with_both_of_its_ends() -> None:
    corners = [(at / 5000.0, 1.0) for at in range(5001)]
    rows = data(("x", "y"), corners, None).rows
    assert MOST_ROWS / 2 < len(rows) <= MOST_ROWS + 1
    assert (rows[0][0], rows[-1][0]) == (0.0, 1.0)


def test_corners_that_the_eye_cannot_tell_apart_are_drawn_as_one() -> None:
    assert told_apart([(0.0, 0.0), (0.05, 0.0), (0.2, 0.0), (0.25, 0.0)]) == [(0.0, 0.0), (0.2, 0.0), (0.25, 0.0)]
    assert told_apart([]) == []


def test_the_operating_point_is_told_with_the_limits_of_both_numbers() -> None:
    curve = _roc()
    assert curve.sensitivity is not None
    assert curve.sensitivity.limits is not None
    low, high = curve.sensitivity.limits
    assert f"sensitivity {curve.sensitivity.estimate:.3f} ({low:.3f} to {high:.3f})" in roc_chart(curve).words
    assert "no alarm at the operating point" in precision_recall_chart(_precision_recall(1.5)[0]).words


def test_the_froc_curve_begins_at_what_is_reached_at_an_eighth_of_a_false_positive() -> None:
    curve = _froc(0.5)
    drawn = froc_chart(curve).svg
    line = next(part.get("d", "") for part in ElementTree.fromstring(drawn) if part.get("stroke-width") == "1.3")
    first, last = (tuple(map(float, step.split())) for step in (line[1:].split("L")[0], line.split("L")[-1]))
    reached = curve.points[0][1].estimate
    assert reached is not None
    assert first == pytest.approx((40.0, 162.0 - 122.0 * reached), abs=0.01)
    assert last == pytest.approx((318.0, 162.0 - 122.0 * max(curve.sensitivity)), abs=0.01)


WITH_NUMBERS = {
    "ladder": lambda: ladder_chart(ladders()[1], response_range(ladders())),
    "latency": lambda: latency_chart(seconds(), [0.02]),
    "repeatability": lambda: repeatability_chart(scatter(), 0.42),
}


@pytest.mark.parametrize("name", WITH_NUMBERS)
def test_numbers_behind_a_chart_fill_their_columns(name: str) -> None:
    data = WITH_NUMBERS[name]().data
    assert data is not None
    assert data.rows
    assert {len(row) for row in data.rows} == {len(data.columns)}


def test_the_numbers_of_a_ladder_are_its_steps_and_its_baseline() -> None:
    ladder = ladders()[1]
    data = ladder_chart(ladder, response_range(ladders())).data
    assert data is not None
    assert data.columns[1] == "Magnitude, degree"
    assert [row[:3] for row in data.rows] == [
        ("none", 0.0, ladder.baseline.estimate),
        *((step.severity, step.magnitude, step.estimate) for step in ladder.steps),
    ]
    assert data.rows[-1][-1] == "no"


def test_the_numbers_of_many_calls_are_percentiles() -> None:
    calls = [0.001 * number for number in range(1, 5001)]
    data = latency_chart(calls, []).data
    assert data is not None
    assert len(data.rows) < 30
    assert dict(data.rows)["95"] == "4.75\u202fs"
    assert data.note == "Order statistics of 5,000 calls"


def test_numbers_that_nobody_reads_to_the_end_are_thinned_and_say_so() -> None:
    few, many = (data_of(("x",), [(number,) for number in range(n)]) for n in (MOST_ROWS, 4 * MOST_ROWS))
    assert (len(few.rows), few.note) == (MOST_ROWS, "")
    assert [row[0] for row in many.rows] == [*range(0, 4 * MOST_ROWS, 4), 4 * MOST_ROWS - 1]
    assert many.note == f"One row in 4 is listed, of {4 * MOST_ROWS:,}"
