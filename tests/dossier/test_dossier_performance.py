"""The section on performance: which blocks each task gets, and what captions say of bands and prevalence."""

from __future__ import annotations

from dataclasses import replace

import pytest
from made_up_evidence import MadeUpCase, evidence_of
from made_up_material import attachments, material
from made_up_shown import classes_policy, classification_policy, detection_policy, graded, lesions, scored
from sklearn.metrics import confusion_matrix

from gatekeeper.dossier.attachments import describe_attachments
from gatekeeper.dossier.blocks import Block, Figure, Heading, Paragraph, Points, Table
from gatekeeper.dossier.content import compose_content
from gatekeeper.dossier.curves import Shown
from gatekeeper.dossier.gather_classes import class_calls
from gatekeeper.dossier.gather_curves import roc_curve
from gatekeeper.dossier.gather_shown import shown
from gatekeeper.dossier.material import DossierMaterial
from gatekeeper.dossier.sections.performance import performance
from gatekeeper.evidence import BASELINE, Evidence
from gatekeeper.policy import Policy


def made(policy: Policy, evidence: Evidence) -> DossierMaterial:
    drawn = shown(policy, evidence, 0.5, lambda _: ())
    return material(policy=policy, roc=roc_curve(policy, evidence, 0.5), shown=drawn)


def captions(blocks: tuple[Block, ...]) -> list[str]:
    return [block.caption.replace("\u202f", " ") for block in blocks if isinstance(block, Figure)]


def test_calls_get_curves_calibration_and_examples() -> None:
    blocks = performance(made(classification_policy(), scored()))
    figures = [block for block in blocks if isinstance(block, Figure)]
    assert [len(figure.drawings) for figure in figures] == [2, 1, 1]
    assert [block.text for block in blocks if isinstance(block, Heading)] == ["Calibration", "Example cases"]
    tables = [block for block in blocks if isinstance(block, Table)]
    assert "Expected calibration error" in [row.cells[0].text for table in tables for row in table.rows if row.cells]


def test_the_caption_says_that_the_band_holds_point_by_point_and_by_which_method() -> None:
    caption, declared, _ = captions(performance(made(classification_policy(), scored())))
    assert "95 % limits of sensitivity at each specificity, point by point, not for the whole curve at once" in caption
    assert "MOVER (Zou & Donner)" in caption
    assert "effective numbers of cases" in caption  # patients repeat in this evidence
    assert "at the prevalence that the policy declares" in declared


def test_where_no_band_can_be_drawn_the_caption_says_so() -> None:
    cases = [MadeUpCase(0.1 * at % 1.0, at % 2, f"p{at % 4}") for at in range(40)]
    caption = captions(performance(made(classification_policy(), evidence_of({"baseline": cases}))))[0]
    assert "No band is drawn: too few patients." in caption
    assert "There is no band for it." in caption


def test_findings_get_a_froc_curve_and_no_calibration() -> None:
    blocks = performance(made(detection_policy(), lesions()))
    first = captions(blocks)[0]
    assert "the sensitivities at the seven rates of LUNA16's score" in first
    assert [block.text for block in blocks if isinstance(block, Heading)] == ["Example cases"]
    opening = blocks[0]
    assert isinstance(opening, Paragraph)
    assert "the highest score of its findings is at or above" in opening.text


def test_classes_get_a_table_of_counts_and_each_class_against_the_rest() -> None:
    counts, shares = (b for b in performance(made(classes_policy(), graded())) if isinstance(b, Table))
    rows = graded().under(BASELINE.id)
    found = class_calls(classes_policy(), graded())
    assert found is not None
    assert [column.heading for column in counts.columns[1:]] == ["none", "mild", "severe", "All"]
    assert [cell.text for cell in counts.rows[-1].cells][-1] == str(len(rows))
    assert int(counts.rows[0].cells[4].text) == (rows.label == 0).sum()
    assert shares.rows[2].cells[1].text.startswith(f"{found.shares[2][0].estimate:.3f} (")


def test_many_classes_are_told_by_their_wrong_calls() -> None:
    found = class_calls(classes_policy(), graded())
    assert found is not None
    names = tuple(f"class {at}" for at in range(13))
    truth, called = [0, 0, 3, 12], [1, 1, 3, 0]
    counts = confusion_matrix(truth, called, labels=range(13))
    wide = replace(found, names=names, counts=tuple(map(tuple, counts.tolist())), shares=found.shares[:1] * 13)
    (wrong, _) = (
        b for b in performance(material(policy=classes_policy(), shown=Shown(classes=wide))) if isinstance(b, Table)
    )
    assert [[cell.text for cell in row.cells] for row in wrong.rows] == [
        ["class 0", "class 1", "2"],
        ["class 12", "class 0", "1"],
    ]


@pytest.mark.parametrize("lost", [0, 9])
def test_cases_without_an_answer_are_told_where_they_count(lost: int) -> None:
    caption = captions(performance(made(classification_policy(), scored(lost=lost))))[2]
    assert ("9 cases without an answer" in caption) == bool(lost)
    opening = performance(made(classes_policy(), graded(lost=lost)))[0]
    assert isinstance(opening, Paragraph)
    assert ("9 cases without an answer" in opening.text) == bool(lost)


def test_methods_explain_the_intervals_and_metrics_that_are_only_drawn() -> None:
    content = compose_content(made(classification_policy(), scored()), describe_attachments(attachments()))
    part = next(part for part in content.sections if part.title == "Methods")
    told = [item for block in part.blocks if isinstance(block, Points) for item in block.items]
    titles = [name for name, _ in told]
    assert {"Recovered limits (MOVER):", "Limits of the expected calibration error:"} <= set(titles)
    metrics = [row.cells[0].text for block in part.blocks if isinstance(block, Table) for row in block.rows]
    assert "Brier score" in metrics
    assert not [name for name, words in told if "as its plug-in" in words]
