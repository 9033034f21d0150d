"""What a dossier says of stress: points lost with their intervals, averaged errors, the envelope. All is made up."""

from __future__ import annotations

from dataclasses import replace

from made_up_material import ladders, material

from gatekeeper.dossier.blocks import Block, Figure, Points, Table
from gatekeeper.dossier.sections.stress import robustness
from gatekeeper.suites.stress_summary import CorruptionError, Held

ERRORS = (CorruptionError("gaussian_noise", "1 - balanced accuracy", 0.08, (0.1, 0.2, 0.3)),)
ENVELOPE = (
    Held("Sensitivity", "ct_dose", 3, 5, "Sensitivity holds down to ct dose of 0.25."),
    Held("Specificity", "ct_dose", -1, 5, "Specificity is not shown to hold even without ct dose."),
    Held("Specificity", "gaussian_noise", -1, 5, "Specificity is not shown to hold even without gaussian noise."),
)


def shown() -> tuple[Block, ...]:
    first = ladders()[0]
    lost = ((0.021, -0.004, 0.046), (0.13, 0.08, 0.19), None, (-0.01, None, None), (0.2, 0.1, 0.3))
    steps = tuple(replace(step, lost=of) for step, of in zip(first.steps, lost, strict=True))
    ladder = replace(first, steps=steps)
    return robustness(replace(material(), ladders=(ladder,), corruption_errors=ERRORS, envelope=ENVELOPE))


def table(caption: str) -> Table:
    return next(block for block in shown() if isinstance(block, Table) and block.caption == caption)


def test_points_are_lost_with_the_limits_of_the_paired_difference() -> None:
    heading, row = table("Lost at each severity").rows
    assert heading.group == "Sensitivity"
    assert [(cell.text, cell.below) for cell in row.cells[1:]] == [
        ("2.1", ("−0.4 to 4.6",)),
        ("13.0", ("8.0 to 19.0",)),
        ("–", ()),
        ("−1.0", ()),
        ("20.0", ("10.0 to 30.0",)),
    ]


def test_an_averaged_error_is_held_against_that_without_stress() -> None:
    (row,) = table("Corruption errors").rows
    assert [cell.text for cell in row.cells] == [
        "gaussian noise",
        "1 - balanced accuracy",
        "0.080",
        "0.200",
        "12.0 points",
    ]


def test_what_never_held_is_said_once() -> None:
    points = [block for block in shown() if isinstance(block, Points)][-1]
    assert points.items == (
        ("ct dose", "Sensitivity holds down to ct dose of 0.25."),
        ("Without stress", "Not shown to hold even then, so nothing is said of it: Specificity."),
    )


def test_every_figure_has_words_for_those_who_do_not_see_it() -> None:
    figures = [block for block in shown() if isinstance(block, Figure)]
    assert figures
    assert all(drawing.words for figure in figures for drawing in figure.drawings)


def test_without_a_ladder_nothing_is_claimed() -> None:
    (*_, last) = robustness(replace(material(), ladders=(), corruption_errors=(), envelope=()))
    assert "no perturbation ladder" in str(last)
