"""Calibration, findings and classes as the dossier draws them, against independent implementations."""

from __future__ import annotations

import numpy as np
import pytest
from made_up_evidence import OPERATING_POINT, requirement
from made_up_shown import CLASSES, classes_policy, classification_policy, detection_policy, graded, lesions, scored
from monai.metrics.froc import compute_froc_curve_data
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, confusion_matrix, precision_recall_fscore_support

from gatekeeper.dossier.gather_calibration import reliability
from gatekeeper.dossier.gather_classes import class_calls
from gatekeeper.dossier.gather_froc import froc
from gatekeeper.dossier.gather_shown import shown
from gatekeeper.evidence import BASELINE
from gatekeeper.statistics.froc import CPM_RATES
from gatekeeper.suites import performance
from gatekeeper.suites.lesions import findings_of


def test_bins_are_those_of_scikit_learn() -> None:
    rows = scored().under(BASELINE.id)
    found = reliability(classification_policy(), scored(), OPERATING_POINT)
    assert found is not None
    share, mean = calibration_curve(rows.label, rows.score, n_bins=15)
    assert [part.observed for part in found.bins] == pytest.approx(share)
    assert [part.mean_score for part in found.bins] == pytest.approx(mean)
    counts, _ = np.histogram(rows.score[rows.label == 1], bins=15, range=(0.0, 1.0))
    assert found.positives == tuple(counts)
    assert sum(found.positives) + sum(found.negatives) == len(rows)
    assert all(part.interval.lower <= part.observed <= part.interval.upper for part in found.bins)
    assert dict(found.measured)["brier_score"].estimate == pytest.approx(brier_score_loss(rows.label, rows.score))


def test_the_policy_says_how_many_bins_there_are() -> None:
    asked = requirement("expected_calibration_error", bins=5, upper_limit={"at_most": 0.2})
    policy = classification_policy()
    policy = policy.model_copy(update={"requirements": {**policy.requirements, "calibrated": asked}})
    found = reliability(policy, scored(), OPERATING_POINT)
    assert found is not None
    assert found.edges == pytest.approx((0.0, 0.2, 0.4, 0.6, 0.8, 1.0))
    rows = scored().under(BASELINE.id)
    assert dict(found.measured)["expected_calibration_error"] == performance.measure(asked, rows, OPERATING_POINT)


def test_cases_without_an_answer_stand_in_the_bin_of_what_they_cost() -> None:
    found = reliability(classification_policy(), scored(lost=20), OPERATING_POINT)
    rows = scored(lost=20).under(BASELINE.id)
    assert found is not None
    assert found.replaced == 20
    assert found.positives[0] >= int(((rows.label == 1) & ~rows.answered).sum())
    assert found.negatives[-1] >= int(((rows.label == 0) & ~rows.answered).sum())


def test_the_froc_curve_is_that_of_monai_and_its_points_are_what_would_be_decided_on() -> None:
    found = froc(detection_policy(), lesions(), 0.5)
    rows = lesions().under(BASELINE.id)
    findings = findings_of(rows)
    assert found is not None
    total = int(findings.lesions.sum())
    false, hit = compute_froc_curve_data(findings.scores[~findings.hit], findings.scores[findings.hit], total, 60)
    pairs = set(zip(found.false_positives_per_case, found.sensitivity, strict=True))
    for rate, share in zip(false, hit, strict=True):
        assert min(abs(rate - a) + abs(share - b) for a, b in pairs) < 1e-12
    assert [rate for rate, _ in found.points] == list(CPM_RATES)
    for rate, measured in found.points:
        asked = requirement("sensitivity_at_fppi", at_false_positives_per_case=rate)
        assert measured == performance.measure(asked, rows, 0.5)
        assert measured.estimate == max(share for at, share in pairs if at <= rate)
    assert found.at_sensitivity.estimate == (findings.scores[findings.hit] >= 0.5).sum() / total
    assert found.at_false_positives.estimate == pytest.approx((findings.scores[~findings.hit] >= 0.5).sum() / 60)


def test_calls_by_class_are_those_of_scikit_learn() -> None:
    found = class_calls(classes_policy(), graded())
    rows = graded().under(BASELINE.id)
    called = np.stack([rows.answers[f"probability.{name}"] for name in CLASSES], axis=1).argmax(axis=1)
    assert found is not None
    assert found.names == CLASSES
    assert np.array_equal(found.counts, confusion_matrix(rows.label, called))
    precision, recall, _, cases = precision_recall_fscore_support(rows.label, called)
    assert [sensitivity.estimate for sensitivity, _ in found.shares] == pytest.approx(recall)
    assert [right.estimate for _, right in found.shares] == pytest.approx(precision)
    assert [sensitivity.n for sensitivity, _ in found.shares] == list(cases)


def test_a_case_without_an_answer_is_called_the_farthest_class() -> None:
    found = class_calls(classes_policy(), graded(lost=6))
    rows = graded(lost=6).under(BASELINE.id)
    assert found is not None
    assert found.replaced == 6
    assert sum(map(sum, found.counts)) == len(rows)


def test_each_task_draws_what_makes_sense_for_it() -> None:
    drawn = shown(classification_policy(), scored(), OPERATING_POINT, lambda _: ())
    assert (len(drawn.precision_recall), drawn.reliability is not None) == (2, True)
    assert (drawn.froc, drawn.classes, drawn.unanswered) == (None, None, None)
    found = shown(detection_policy(), lesions(), 0.5, lambda _: ())
    assert (found.precision_recall, found.reliability, found.classes) == ((), None, None)
    assert found.froc is not None
    by_class = shown(classes_policy(), graded(), 0.5, lambda _: ())
    assert by_class.classes is not None
    assert (by_class.froc, by_class.examples, by_class.reliability) == (None, None, None)


def test_evidence_of_another_kind_draws_nothing() -> None:
    assert froc(classification_policy(), scored(), 0.5) is None
    assert class_calls(classification_policy(), scored()) is None
    assert reliability(classes_policy(), graded(lost=150), 0.5) is None
