"""ROC and precision-recall: the curves of scikit-learn, with limits on which the gate itself would decide."""

from __future__ import annotations

import numpy as np
import pytest
from made_up_evidence import OPERATING_POINT, MadeUpCase, evidence_of, requirement
from made_up_shown import classification_policy, scored
from sklearn.metrics import precision_recall_curve
from sklearn.metrics import roc_curve as sklearn_roc_curve

from gatekeeper.dossier.curves import PrecisionRecallCurve, RocCurve
from gatekeeper.dossier.gather_curves import precision_recall, roc_curve
from gatekeeper.evidence import BASELINE, Evidence
from gatekeeper.suites import performance
from gatekeeper.verdict import judge


def curves_of(evidence: Evidence) -> tuple[RocCurve, tuple[PrecisionRecallCurve, ...]]:
    policy = classification_policy()
    roc = roc_curve(policy, evidence, OPERATING_POINT)
    assert roc is not None
    return roc, precision_recall(policy, evidence, OPERATING_POINT)


def test_the_roc_curve_is_that_of_scikit_learn() -> None:
    rows = scored().under(BASELINE.id)
    false_positive, true_positive, _ = sklearn_roc_curve(rows.label, rows.score, drop_intermediate=False)
    roc, _ = curves_of(scored())
    assert roc.false_positive_rate == pytest.approx(false_positive)
    assert roc.true_positive_rate == pytest.approx(true_positive)


def test_the_band_is_what_a_requirement_at_that_specificity_would_be_decided_on() -> None:
    roc, _ = curves_of(scored())
    assert roc.band is not None
    rows = scored().under(BASELINE.id)
    for at in (0, 7, len(roc.band.at) - 1):
        asked = requirement("sensitivity", at_specificity=1.0 - roc.band.at[at])
        assert performance.measure(asked, rows, OPERATING_POINT).limits == (roc.band.lower[at], roc.band.upper[at])
    assert roc.band.confidence == 0.95


def test_the_band_holds_the_curve_and_no_more_than_shares() -> None:
    roc, precisions = curves_of(scored())
    best = {x: max(b for a, b in zip(roc.false_positive_rate, roc.true_positive_rate, strict=True) if a == x)
            for x in roc.false_positive_rate}  # fmt: skip
    assert roc.band is not None
    for at, low, high in zip(roc.band.at, roc.band.lower, roc.band.upper, strict=True):
        assert 0.0 <= low <= best[at] <= high <= 1.0
    for curve in precisions:
        assert curve.band is not None
        top = {x: max(b for a, b in zip(curve.sensitivity, curve.precision, strict=True) if a == x)
               for x in curve.sensitivity}  # fmt: skip
        for at, low, high in zip(curve.band.at, curve.band.lower, curve.band.upper, strict=True):
            assert 0.0 <= low <= top[at] <= high <= 1.0


def test_cases_of_the_same_patients_tell_less_than_as_many_of_others() -> None:
    source = np.random.default_rng(1)
    scores, labels = source.uniform(0.0, 1.0, 90), source.integers(0, 2, 90)
    copies = [(float(s), int(label), f"p{at}") for at, (s, label) in enumerate(zip(scores, labels, strict=True))] * 3
    same = [MadeUpCase(score, label, patient) for score, label, patient in copies]
    others = [MadeUpCase(score, label) for score, label, _ in copies]
    wide, narrow = (curves_of(evidence_of({"baseline": cases}))[0].band for cases in (same, others))
    assert wide is not None
    assert narrow is not None
    assert "effective numbers" in wide.method
    assert "effective numbers" not in narrow.method
    reach = [np.subtract(band.upper, band.lower).mean() for band in (wide, narrow)]
    assert reach[0] > 1.3 * reach[1]


def test_precision_is_that_of_scikit_learn_here_and_reweighted_at_the_declared_prevalence() -> None:
    rows = scored().under(BASELINE.id)
    _, (here, in_use) = curves_of(scored())
    assert (here.declared, in_use.declared, in_use.prevalence) == (False, True, 0.1)
    assert here.prevalence == rows.label.mean()
    for curve in (here, in_use):
        weights = np.where(
            rows.label == 1, curve.prevalence / rows.label.sum(), (1 - curve.prevalence) / (1 - rows.label).sum()
        )
        precision, recall, _ = precision_recall_curve(rows.label, rows.score, sample_weight=weights)
        assert curve.precision == pytest.approx(precision[:-1][::-1])
        assert curve.sensitivity == pytest.approx(recall[:-1][::-1])


def test_what_stands_at_the_operating_point_is_what_the_findings_say() -> None:
    findings = {one.id: one for one in judge(classification_policy(), scored(), OPERATING_POINT)}
    roc, (here, in_use) = curves_of(scored())
    for id_, measured in (
        ("sensitivity", roc.sensitivity),
        ("specificity", roc.specificity),
        ("precision", here.at_precision),
        ("in_use", in_use.at_precision),
    ):
        assert measured is not None
        assert (measured.rounded, measured.limits, measured.method) == (
            findings[id_].estimate,
            findings[id_].interval,
            findings[id_].method,
        )


@pytest.mark.parametrize("cases", [[], [MadeUpCase(0.4, 1), MadeUpCase(0.6, 1)]], ids=["no case", "one class"])
def test_without_both_classes_there_is_no_curve(cases: list[MadeUpCase]) -> None:
    evidence = evidence_of({"baseline": cases, "rerun": [MadeUpCase(0.1, 0)]})
    assert roc_curve(classification_policy(), evidence, OPERATING_POINT) is None
    assert precision_recall(classification_policy(), evidence, OPERATING_POINT) == ()


def test_few_patients_with_many_cases_give_a_curve_without_a_band() -> None:
    cases = [MadeUpCase(0.1 * at % 1.0, at % 2, f"p{at % 4}") for at in range(40)]
    roc, precisions = curves_of(evidence_of({"baseline": cases}))
    assert roc.band is None
    assert all(curve.band is None for curve in precisions)


def test_cases_without_an_answer_lie_at_the_worst_end_of_the_curve() -> None:
    roc, _ = curves_of(scored(lost=20))
    rows = scored(lost=20).under(BASELINE.id)
    lost = int(((rows.label == 0) & ~rows.answered).sum())
    assert roc.false_positive_rate[1] == lost / int((rows.label == 0).sum())
    assert roc.true_positive_rate[1] == 0.0
