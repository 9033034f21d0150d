"""Wrong calls that are shown as examples: which ones, and pictures of them where the policy allows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import numpy as np
import pytest
from made_up_bench import Bench
from made_up_evidence import MadeUpCase, evidence_of
from made_up_material import material
from made_up_shown import classification_policy, detection_policy, of_findings, scored

from gatekeeper.candidate.contract import Intensity
from gatekeeper.dossier.blocks import Block, Figure, Heading, Paragraph, Table
from gatekeeper.dossier.curves import Example, Shown, Thumbnail
from gatekeeper.dossier.gather_examples import MOST, examples
from gatekeeper.dossier.gather_shown import shown
from gatekeeper.dossier.sections import examples as section
from gatekeeper.dossier.thumbnails import thumbnail_of, thumbnails_of, window
from gatekeeper.errors import IntegrityError
from gatekeeper.policy.schema import Pages
from gatekeeper.testset import open_lock
from gatekeeper.testset.readers.image import Image
from gatekeeper.trust import load_keys

FALSE = [0.5, 0.51, 0.6, 0.7, 0.8, 0.95]
MISSED = [0.49, 0.1, 0.2]


def wrong() -> list[MadeUpCase]:
    cases = [MadeUpCase(score, 0, attributes={"sex": "F"}) for score in FALSE]
    cases += [MadeUpCase(score, 1, attributes={"sex": ""}) for score in MISSED]
    return [*cases, MadeUpCase(0.9, 1), MadeUpCase(0.1, 0), MadeUpCase(0.0, 1, answered=False)]


def test_the_nearest_and_the_farthest_of_each_kind_are_shown() -> None:
    found = examples(classification_policy(), evidence_of({"baseline": wrong()}), 0.5)
    assert [one.score for one in found if one.kind == "false alarm"] == [0.5, 0.51, 0.8, 0.95]
    assert [one.score for one in found if one.kind == "miss"] == [0.49, 0.2, 0.1]
    assert [one.distance for one in found[-3:]] == pytest.approx([0.01, 0.3, 0.4])
    assert MOST == 4


def test_repeats_and_cases_without_an_answer_are_no_examples() -> None:
    again = MadeUpCase(0.99, 0, case="again", subject="case-0001", patient="patient-0001")
    found = examples(classification_policy(), evidence_of({"baseline": [*wrong(), again]}), 0.5)
    assert {"again", "case-0011"}.isdisjoint(one.case for one in found)


def test_only_attributes_by_which_the_policy_asks_for_groups_are_told() -> None:
    evidence = evidence_of({"baseline": wrong()})
    assert all(one.attributes == () for one in examples(classification_policy(), evidence, 0.5))
    groups = {"by": ("sex", "site"), "requirements": ("sensitivity",)}
    grouped = examples(classification_policy(subgroups=groups), evidence, 0.5)
    assert grouped[0].attributes == (("sex", "F"),)


def test_of_findings_false_ones_and_missed_lesions_are_shown() -> None:
    evidence = of_findings([([0.9, 0.6, 0.3], [-1, 0, -1], 1), ([0.4, 0.8], [0, -2], 2), ([0.2], [-1], 0)])
    found = examples(detection_policy(), evidence, 0.5)
    assert [(one.kind, one.case, one.score, one.what) for one in found] == [
        ("false alarm", "case-0000", 0.9, ""),
        ("miss", "case-0001", 0.4, "lesion 1 of 2"),
        ("miss", "case-0001", None, "lesion 2 of 2"),
    ]


def said(blocks: Sequence[Block]) -> str:
    lines = []
    for block in blocks:
        if isinstance(block, Table):
            lines += [" | ".join((row.group, *(cell.text for cell in row.cells))) for row in block.rows]
        elif isinstance(block, Figure):
            lines += [block.caption, *(drawn.words for drawn in block.drawings)]
        else:
            lines.append(cast("Heading | Paragraph", block).text)
    return "\n".join(lines)


def test_examples_are_a_table_and_without_leave_of_the_policy_no_picture_is_asked_for() -> None:
    def never(_: Sequence[Example]) -> tuple[Thumbnail, ...]:
        raise AssertionError("the policy allows no pictures")

    drawn = shown(classification_policy(), evidence_of({"baseline": wrong()}), 0.5, never)
    blocks = tuple(section.examples(material(shown=drawn)))
    assert not any(isinstance(block, Figure) for block in blocks)
    told = said(blocks)
    assert " | case-0005 | 0.950 | 0.450" in told
    assert "The policy allows no pictures of cases in the dossier." in told


def test_pictures_stand_below_the_table_where_the_policy_allows_them() -> None:
    grey = np.arange(12, dtype=np.uint8).reshape(3, 4)
    policy = classification_policy(dossier=Pages(pictures=True))
    drawn = shown(
        policy,
        evidence_of({"baseline": wrong()}),
        0.5,
        lambda found: tuple(Thumbnail(one.case, "image", grey, (1.0, 1.0), one.kind) for one in found),
    )
    allowed = material(policy=policy, shown=drawn)
    figure = tuple(section.examples(allowed))[-1]
    assert isinstance(figure, Figure)
    assert len(figure.drawings) == len(drawn.examples or ()) == 7
    assert "image of case-0000; false alarm" in figure.drawings[0].words
    forbidden = replace(allowed, policy=classification_policy())
    assert not any(isinstance(block, Figure) for block in section.examples(forbidden))


def test_no_wrong_call_is_told_as_such() -> None:
    assert "No answered case was called wrong" in said(tuple(section.examples(material(shown=Shown(examples=())))))
    assert tuple(section.examples(material(shown=Shown()))) == ()


def test_a_group_that_is_not_given_is_told() -> None:
    groups = {"by": ("sex",), "requirements": ("sensitivity",)}
    drawn = Shown(examples=examples(classification_policy(subgroups=groups), evidence_of({"baseline": wrong()}), 0.5))
    assert "sex not given" in said(tuple(section.examples(material(shown=drawn))))


def volume() -> Image:
    """A volume whose value is its slice, and whose slices run from feet to head."""
    pixels = np.broadcast_to(np.arange(7, dtype=np.float32)[:, None, None] * 10.0, (7, 4, 6)).copy()
    affine = np.array([[0, 0, 0.5, 0], [0, 0.7, 0, 0], [3.0, 0, 0, 0], [0, 0, 0, 1]], dtype=np.float64)
    return Image(pixels, (3.0, 0.7, 0.5), affine)


def test_a_volume_shows_its_middle_slice_in_the_declared_window() -> None:
    drawn = thumbnail_of("c1", volume(), Intensity(zero_at=0.0, one_at=60.0))
    assert (drawn.plane, drawn.grey.shape) == ("middle axial slice", (4, 6))
    assert drawn.pixel_mm == (0.7, 0.5)
    assert (drawn.grey == 128).all()  # 30 of 60
    bare = replace(volume(), affine=None)
    assert (thumbnail_of("c1", bare, Intensity(zero_at=0.0, one_at=60.0)).grey == 128).all()


def test_the_right_of_the_patient_is_on_the_left_however_the_file_lies() -> None:
    there = volume()
    pixels = there.pixels.copy()
    pixels[:, :, 0] = 60.0  # the patient's right, since x grows to the left
    straight = thumbnail_of("c1", replace(there, pixels=pixels), Intensity(zero_at=0.0, one_at=60.0))
    affine = there.affine.copy() if there.affine is not None else np.eye(4)
    affine[0, 2], affine[0, 3] = -0.5, 2.5
    mirrored = replace(there, pixels=pixels[:, :, ::-1].copy(), affine=affine)
    assert np.array_equal(thumbnail_of("c1", mirrored, Intensity(zero_at=0.0, one_at=60.0)).grey, straight.grey)
    assert (straight.grey[:, 0] == 255).all()


@pytest.mark.parametrize(
    ("intensity", "ends"),
    [
        (Intensity(zero_at=400.0, one_at=-1000.0), (-1000.0, 400.0)),
        (Intensity(normalisation="percentiles", percentiles=(10.0, 90.0)), (10.0, 90.0)),
        (Intensity(normalisation="z_score"), (1.0, 99.5)),
    ],
    ids=["a window upside down", "declared percentiles", "none declared"],
)
def test_the_window_is_the_one_the_candidate_declares(intensity: Intensity, ends: tuple[float, float]) -> None:
    assert window(np.arange(101, dtype=np.float32), intensity) == pytest.approx(ends)


def test_a_large_image_is_thinned_and_keeps_its_size_in_mm() -> None:
    drawn = thumbnail_of("c1", Image(np.zeros((1000, 500), dtype=np.float32), (0.2, 0.4)), Intensity())
    assert drawn.grey.shape == (250, 125)
    assert drawn.pixel_mm == pytest.approx((0.8, 1.6))


def test_colour_and_single_slices_are_images() -> None:
    colour = Image(np.zeros((5, 6, 3), dtype=np.float32), (1.0, 2.0), colour=True)
    single = Image(np.zeros((1, 5, 6), dtype=np.float32), (9.0, 1.0, 2.0))
    for image in (colour, single):
        drawn = thumbnail_of("c1", image, Intensity())
        assert (drawn.plane, drawn.grey.shape, drawn.pixel_mm) == ("image", (5, 6), (1.0, 2.0))


def test_examples_of_evidence_do_not_depend_on_the_order_of_rows() -> None:
    evidence = scored()
    turned = type(evidence)(evidence.table.take(list(range(evidence.table.num_rows))[::-1]))
    assert examples(classification_policy(), turned, 0.5) == examples(classification_policy(), evidence, 0.5)


def test_pictures_are_read_through_the_lock_one_a_case(bench: Bench) -> None:
    testset = open_lock(bench.lock, load_keys(bench.home).root, root=bench.folder)
    first, second = (case.case_id for case in testset.manifest.cases[:2])
    found = (
        Example("false alarm", first, 0.9, 0.4),
        Example("miss", first, None, None),
        Example("miss", second, 0.1, 0.4),
    )
    drawn = thumbnails_of(testset, found, Intensity(zero_at=0.0, one_at=255.0))
    assert [(one.case_id, one.caption) for one in drawn] == [
        (first, "false alarm, score 0.900"),
        (second, "miss, score 0.100"),
    ]
    assert drawn[0].grey.shape == (64, 64)
    assert set(np.unique(drawn[0].grey)) == {0, 255}  # a disc


def test_a_file_that_changed_since_it_was_locked_gives_no_picture(bench: Bench) -> None:
    testset = open_lock(bench.lock, load_keys(bench.home).root, root=bench.folder)
    case = testset.manifest.cases[0]
    (bench.folder / case.files[0].path).write_bytes(b"something else")
    with pytest.raises(IntegrityError):
        thumbnails_of(testset, (Example("miss", case.case_id, 0.1, 0.4),), Intensity())
