"""The part of a dossier on repeatability; every number is made up."""

from __future__ import annotations

from made_up_material import material

from gatekeeper.dossier.blocks import Figure, Heading, Paragraph, Table
from gatekeeper.dossier.sections.repeatability import repeatability
from gatekeeper.suites.repeat_summary import Flips, LevelSummary
from gatekeeper.suites.repeatability import FlippedCase

NAN = float("nan")


def level(name: str, flipped: int | None = None, **changed: object) -> LevelSummary:
    cases = tuple(FlippedCase(f"case-{at:02}", (0.5 + at / 100, NAN), at / 100) for at in range(flipped or 0))
    numbers: dict[str, object] = {
        "level": name,
        "numeric_format": None,
        "structure": None,
        "runs": 2,
        "n": 90,
        "largest": 0.25,
        "sd": 0.0123,
        "cv": 0.05,
        "coefficient": 0.0341,
        "icc": 0.98,
        "agreement": (-0.03, 0.001, 0.032),
        "flips": None if flipped is None else Flips(flipped, 90, 0.04, cases),
    }
    return LevelSummary(**(numbers | changed))  # type: ignore[arg-type]


def tables(*levels: LevelSummary) -> list[Table]:
    return [block for block in repeatability(material(levels=levels)) if isinstance(block, Table)]


def test_each_level_has_a_row_with_its_flips_and_their_upper_limit() -> None:
    (steady,) = tables(level("R0", 0, runs=4), level("R2", 0, numeric_format="fp16"), level("R3", None, runs=5))
    assert [row.cells[0].text for row in steady.rows] == ["R0", "R2, fp16", "R3"]
    assert [row.cells[0].below for row in steady.rows] == [
        ("3 reruns",),
        ("another numeric format",),
        ("4 benign changes",),
    ]
    assert steady.rows[0].cells[3].text == "0 of 90"
    assert steady.rows[0].cells[3].below == ("at most 4.0\u202f%",)
    assert steady.rows[2].cells[3].text == "–"
    assert sum(column.width for column in steady.columns) == 100.0


def test_flipped_cases_are_listed_ten_at_most_with_how_many_more_there_are() -> None:
    blocks = repeatability(material(levels=(level("R3", 13), level("R4", 2))))
    assert any(isinstance(block, Heading) and "nearest to the operating point first" in block.text for block in blocks)
    _, flipped = [block for block in blocks if isinstance(block, Table)]
    assert [row.group for row in flipped.rows if row.group] == [
        "R3, 1 benign change: 10 cases, and 3 more",
        "R4, true repeats: 2 cases",
    ]
    assert len(flipped.rows) == 2 + 10 + 2
    assert [cell.text for cell in flipped.rows[1].cells] == ["case-00", "0.500, no answer", "0"]


def test_outlines_are_told_by_structure_with_their_dice() -> None:
    whole = level("R0", structure="left_ventricle", dice=(0.97, 0.61), sd=12.0, coefficient=33.2)
    (steady,) = tables(whole, level("R3", structure="left_ventricle", dice=None))
    assert steady.rows[0].group.startswith("Left ventricle, in m")
    assert (steady.rows[1].cells[3].text, steady.rows[1].cells[3].below) == ("0.970", ("0.610",))
    assert steady.rows[2].cells[3].text == "–"
    assert sum(column.width for column in steady.columns) == 100.0
    words = " ".join(block.text for block in repeatability(material(levels=(whole,))) if isinstance(block, Paragraph))
    assert "Dice: of the outlines of two runs" in words


def test_without_any_level_there_is_the_scatter_of_true_repeats_or_a_sentence_instead() -> None:
    blocks = repeatability(material(levels=()))
    assert not [block for block in blocks if isinstance(block, Table)]
    assert isinstance(blocks[-1], Figure)
    (sentence,) = [b for b in repeatability(material(levels=(), repeatability=None)) if isinstance(b, Paragraph)]
    assert sentence.text == "The test set has no repeated subjects."
