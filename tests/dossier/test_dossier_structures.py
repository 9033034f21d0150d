"""What a dossier tells of outlines and volumes: every number is that of the evidence, pictures only where allowed."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from made_up_material import attachments, material
from made_up_structures import (
    SHAPE,
    SPACING,
    Outlined,
    ball,
    compared,
    made_up_head,
    made_up_overlays,
    outlined,
    structure_evidence,
    structure_material,
    structure_policy,
)
from numpy.typing import NDArray

from gatekeeper.dossier import DossierMaterial, StructureResult, overlays_of, pictures_of, render_dossier
from gatekeeper.dossier.blocks import Facts, Figure, Points, Table
from gatekeeper.dossier.charts import agreement_chart, overlay_picture, strip_chart
from gatekeeper.dossier.charts.outline import outlines
from gatekeeper.dossier.content import compose_content
from gatekeeper.dossier.gather import repeat_scatter
from gatekeeper.dossier.gather_curves import roc_curve
from gatekeeper.dossier.gather_structures import structure_results, worst_and_best
from gatekeeper.dossier.material import VolumePairs
from gatekeeper.errors import InvalidRunError
from gatekeeper.evidence import Evidence, VerdictWord
from gatekeeper.metrics.overlap import dice
from gatekeeper.policy.schema import Pages
from gatekeeper.statistics.bland_altman import bland_altman
from gatekeeper.testset.readers.image import Image

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def made() -> DossierMaterial:
    return structure_material()


@pytest.fixture(scope="module")
def result(made: DossierMaterial) -> StructureResult:
    return made.structures[0]


def said(made: DossierMaterial, title: str) -> str:
    part = next(part for part in compose_content(made, ()).sections if part.title == title)
    lines: list[str] = []
    for block in part.blocks:
        if isinstance(block, Table):
            lines += [" | ".join(text for cell in row.cells for text in (cell.text, *cell.below)) for row in block.rows]
        elif isinstance(block, Points | Facts):
            lines += [f"{name} {value}" for name, value in block.items]
        elif isinstance(block, Figure):
            lines += [drawn.words for drawn in block.drawings] + [block.caption]
        else:
            lines.append(block.text)
    return "\n".join(lines)


def figures(made: DossierMaterial, title: str) -> list[Figure]:
    part = next(part for part in compose_content(made, ()).sections if part.title == title)
    return [block for block in part.blocks if isinstance(block, Figure)]


def test_means_are_those_of_the_originals_with_lost_cases_at_their_cost(result: StructureResult) -> None:
    originals = [item for item in outlined() if not item.case.subject]
    assert result.cases == tuple(item.case.case for item in originals)
    assert result.answered.count(False) == 2
    found = result.values[0]
    assert found.metric == "dice"
    expected = [dice(case.tp, case.fp, case.fn) for case in map(compared, originals)]
    assert found.values == pytest.approx(expected)
    assert found.values[:2] == (0.0, 0.0)
    assert found.estimate == pytest.approx(np.mean(expected))
    assert found.interval is not None
    assert found.interval[0] < found.estimate < found.interval[1]


def test_the_mean_told_of_a_metric_is_that_of_the_finding(made: DossierMaterial, result: StructureResult) -> None:
    told = {value.metric: value for value in result.values}
    for finding in made.verdict.findings:
        if finding.metric in told:
            assert (told[finding.metric].estimate, told[finding.metric].interval) == (
                finding.estimate,
                finding.interval,
            )
    assert {"dice", "voxel_recall", "hausdorff_95"} <= {finding.metric for finding in made.verdict.findings} & set(told)


def test_volumes_pair_answered_cases_and_repeats_pair_subjects(result: StructureResult) -> None:
    against = result.against_reference
    assert len(against.names) == 38
    assert against.unit == "mL"
    first = next(item for item in outlined() if item.case.case == against.names[0])
    volume = float(first.predicted.sum()) * np.prod(SPACING) / 1000.0  # type: ignore[union-attr]
    assert against.first[0] == pytest.approx(volume)
    assert len(result.against_repeat.names) == 12


def test_the_section_tells_every_value_the_worst_case_and_the_limits_of_agreement(made: DossierMaterial) -> None:
    told = said(made, "Performance")
    assert "Brain: 40 cases, 2 without an answer" in told
    for value in made.structures[0].values:
        assert f"{value.title} | " in told
    assert "0.000 | case-000" in told  # a lost case is the worst one
    pairs = made.structures[0].against_reference
    limits = bland_altman(np.asarray(pairs.first) - np.asarray(pairs.second))
    written = f"limits of agreement {limits.lower:.1f} and {limits.upper:.1f} mL".replace("-", "−")
    assert written in told
    assert "called positive" not in told
    assert "ROC" not in told


def test_few_cases_are_listed_one_by_one_and_have_no_limits_of_agreement() -> None:
    two = structure_material(outlined(2, 0, 0))
    told = said(two, "Performance")
    assert "case-000 | " in told
    assert "case-001 | " in told
    assert "with fewer than 10 pairs no limits of agreement are drawn" in told
    assert two.verdict.verdict is VerdictWord.INCONCLUSIVE


def test_repeats_are_shown_as_volumes_and_their_absence_is_said(made: DossierMaterial) -> None:
    assert "Volume of brain, original less repeat: 12 pairs" in said(made, "Repeatability")
    assert "no repeated subjects" in said(structure_material(outlined(3, 0, 0)), "Repeatability")


def test_evidence_without_measurements_is_said_to_hold_none(made: DossierMaterial) -> None:
    assert "holds nothing that was measured" in said(replace(made, structures=()), "Performance")


def test_methods_define_what_is_shown(made: DossierMaterial) -> None:
    told = said(made, "Methods")
    assert "Dice coefficient" in told
    assert "Average symmetric surface distance" in told


def test_the_candidate_may_have_no_files_and_the_test_set_has_masks(made: DossierMaterial) -> None:
    assert "no files of its own" in said(made, "Candidate")
    part = next(part for part in compose_content(made, ()).sections if part.title == "Test set")
    table = next(block for block in part.blocks if isinstance(block, Table))
    assert table.columns[-1].heading == "With a mask"


def test_pictures_stand_only_where_the_policy_allows_them(made: DossierMaterial) -> None:
    assert (
        sum(len(figure.drawings) for figure in figures(made, "Performance") if "<image" in figure.drawings[0].svg) == 6
    )
    silent = replace(made, policy=made.policy.model_copy(update={"dossier": Pages()}))
    assert not any("<image" in drawn.svg for figure in figures(silent, "Performance") for drawn in figure.drawings)
    assert "allows no pictures" in said(silent, "Performance")
    bare = replace(made, overlays=())
    assert "No case was kept for pictures." in said(bare, "Performance")
    many = made.manifest.model_copy(update={"cases": made.manifest.cases * 20})
    assert "kept for pictures: the test set has more than 500 cases." in said(
        replace(bare, manifest=many), "Performance"
    )


def test_a_single_slice_is_pictured_as_an_image() -> None:
    pixels = np.arange(1 * 5 * 7, dtype=np.float32).reshape(1, 5, 7)
    image = Image(pixels, (5.0, 0.5, 0.25), np.diag([0.25, 0.5, 5.0, 1.0]))
    mask = pixels > 20
    (only,) = overlays_of("slice", image, mask, ~mask)
    assert (only.plane, only.grey.shape, only.pixel_mm) == ("image", (5, 7), (0.5, 0.25))
    assert np.array_equal(only.reference, mask[0])
    assert np.array_equal(only.predicted, ~mask[0])


def test_a_policy_shows_no_pictures_unless_it_says_so() -> None:
    assert not Pages().pictures
    assert not material().policy.dossier.pictures
    assert structure_policy().dossier.pictures
    assert not structure_policy("neuro/brain_mr_volumetry").dossier.pictures


def test_the_worst_answered_cases_and_the_best_one_are_shown(result: StructureResult) -> None:
    marks = dict(zip(result.cases, result.values[0].values, strict=True))
    answered = sorted((mark, name) for name, mark in marks.items() if mark > 0.0)
    chosen = worst_and_best(result, 4)
    assert chosen == (*(name for _, name in answered[:3]), answered[-1][1])
    assert worst_and_best(result, 0) == ()
    assert worst_and_best(result, 2, among={"case-005", "case-006"}) in (
        ("case-005", "case-006"),
        ("case-006", "case-005"),
    )


def test_scores_that_are_not_there_give_no_curve_and_no_scatter() -> None:
    evidence = structure_evidence(outlined())
    assert roc_curve(structure_policy(), evidence, 0.5) is None
    assert repeat_scatter(evidence, 0.5) is None


def test_two_dimensions_measure_areas() -> None:
    results = structure_results(structure_policy(), structure_evidence(outlined(3, 0, 0)), 2)
    assert results[0].against_reference.unit == "mm²"


def test_structures_that_the_policy_does_not_name_are_told_after_its_own() -> None:
    evidence = structure_evidence(outlined(4, 0, 0), "eye")
    columns = {name: evidence.table[name].to_pylist() for name in evidence.table.column_names}
    plain = {name: values for name, values in columns.items() if not name.startswith("measured.")}
    eye = {name: values for name, values in columns.items() if name.startswith("measured.")}
    brain = {name.replace("eye", "brain"): values for name, values in eye.items()}
    found = structure_results(structure_policy(), Evidence.from_columns(plain, {}, eye | brain), 3)
    assert [result.name for result in found] == ["brain", "eye"]


# --- pictures


@given(arrays(np.bool_, st.tuples(st.integers(1, 9), st.integers(1, 9))))
@settings(max_examples=200, deadline=None)
def test_an_outline_encloses_exactly_the_pixels_of_its_mask(mask: NDArray[np.bool_]) -> None:
    lines = outlines(mask)
    area = 0.0
    for line in lines:  # shoelace: rows grow downwards, so lines with the mask on their right are positive
        rows, columns = np.array(line).T.astype(float)
        area += 0.5 * float((columns * np.roll(rows, -1) - np.roll(columns, -1) * rows).sum())
        steps = np.abs(np.diff(np.array([*line, line[0]]), axis=0))
        assert ((steps == 0).sum(axis=1) == 1).all()  # along rows and columns only
        assert len(set(line)) == len(line) or mask.size > 1
    assert area == mask.sum()
    assert bool(lines) == bool(mask.any())


def test_slices_are_turned_as_a_radiologist_sees_them() -> None:
    pixels = np.zeros((4, 5, 6), dtype=np.float32)  # (slice, row, column): up, back, left
    affine = np.zeros((4, 4))
    affine[2, 0], affine[1, 1], affine[0, 2], affine[3, 3] = 3.0, 2.0, 1.0, 1.0
    mask = np.zeros(pixels.shape, dtype=np.bool_)
    mask[1:4, 1:4, 1:4] = True
    pixels[2, 2, 5] = 1.0  # left of the patient
    pixels[2, 0, 2] = 2.0  # in front
    pixels[3, 2, 2] = 3.0  # towards the head
    image = Image(pixels=pixels, spacing_mm=(3.0, 2.0, 1.0), affine=affine)
    axial, coronal, sagittal = overlays_of("a", image, mask, mask)
    assert (axial.plane, coronal.plane, sagittal.plane) == ("axial", "coronal", "sagittal")
    assert axial.grey[2, 5] > 0  # the patient's left is on the right side
    assert axial.grey[0, 2] > 0  # the front is up
    assert coronal.grey[0, 2] > 0  # the head is up
    assert sagittal.grey[1, 0] > 0  # the front is on the left side
    assert (axial.pixel_mm, coronal.pixel_mm, sagittal.pixel_mm) == ((2.0, 1.0), (3.0, 1.0), (3.0, 2.0))
    flipped = Image(pixels[:, ::-1, ::-1].copy(), (3.0, 2.0, 1.0), affine @ _mirrored(5, 6))
    other = overlays_of("a", flipped, mask[:, ::-1, ::-1], mask[:, ::-1, ::-1])
    assert all(np.array_equal(one.grey, two.grey) for one, two in zip((axial, coronal, sagittal), other, strict=True))


def _mirrored(rows: int, columns: int) -> NDArray[np.float64]:
    turn = np.diag([1.0, -1.0, -1.0, 1.0])
    turn[1, 3], turn[2, 3] = rows - 1, columns - 1
    return turn


def test_images_without_place_or_in_two_dimensions_are_shown_as_they_are() -> None:
    flat = Image(pixels=np.arange(12.0, dtype=np.float32).reshape(3, 4), spacing_mm=(0.5, 0.25))
    (shown,) = overlays_of("a", flat, np.eye(3, 4, dtype=np.bool_), np.zeros((3, 4), dtype=np.bool_))
    assert (shown.plane, shown.pixel_mm, shown.grey.shape) == ("image", (0.5, 0.25), (3, 4))
    volume = Image(pixels=np.zeros((3, 4, 5), dtype=np.float32))
    nothing = np.zeros((3, 4, 5), dtype=np.bool_)
    assert [overlay.plane for overlay in overlays_of("a", volume, nothing, nothing)] == [
        "slice",
        "across rows",
        "across columns",
    ]
    with pytest.raises(ValueError, match="masks of"):
        overlays_of("a", volume, nothing, nothing[1:])


def test_pictures_of_a_locked_set_are_read_from_it_again(tmp_path: Path, result: StructureResult) -> None:
    import nibabel

    from gatekeeper.locking import lock_testset, read_lock

    items = [item for item in outlined() if item.case.case in ("case-004", "case-005")]
    rows = ["case_id,patient_id,image,mask"]
    for item in items:
        affine = np.diag([-SPACING[2], -SPACING[1], SPACING[0], 1.0])  # RAS, axes (column, row, slice)
        for name, voxels in (("image", made_up_head(item).pixels), ("mask", item.reference.astype(np.uint8))):
            image = nibabel.Nifti1Image(voxels.T, affine)
            image.set_sform(affine, code=1)
            image.to_filename(tmp_path / f"{item.case.case}-{name}.nii")
        rows.append(f"{item.case.case},{item.case.patient[-2:]},{item.case.case}-image.nii,{item.case.case}-mask.nii")
    (tmp_path / "cases.csv").write_text("\n".join(rows))
    lock_testset(tmp_path / "cases.csv", tmp_path / "heads.lock", tmp_path / "home", task="segmentation")
    testset = read_lock(tmp_path / "heads.lock", tmp_path / "home")
    predicted = {item.case.case: item.predicted for item in items if item.predicted is not None}
    found = pictures_of(testset, result, predicted, 1)
    order = worst_and_best(result, among=predicted)
    assert [overlay.case_id for overlay in found] == [name for name in order for _ in range(3)]
    direct = {
        item.case.case: overlays_of(item.case.case, made_up_head(item), item.reference, predicted[item.case.case])
        for item in items
    }
    for at, overlay in enumerate(found):
        other = direct[overlay.case_id][at % 3]
        assert np.array_equal(overlay.grey, other.grey)
        assert np.array_equal(overlay.reference, other.reference)
        assert overlay.caption.startswith("Dice coefficient 0.")


def test_large_pictures_are_thinned_and_keep_their_size() -> None:
    image = Image(pixels=np.zeros((1300, 700), dtype=np.float32), spacing_mm=(0.1, 0.1))
    mask = np.ones((1300, 700), dtype=np.bool_)
    (shown,) = overlays_of("a", image, mask, mask)
    assert shown.grey.shape == (434, 234)
    assert shown.pixel_mm == pytest.approx((0.3, 0.3))


@pytest.mark.parametrize("name", ["picture", "picture of nothing", "strip", "strip of one", "strip of none", "volumes"])
def test_a_chart_is_one_svg_with_a_title_and_the_same_each_time(name: str, result: StructureResult) -> None:
    nobody = replace(result.values[0], values=(float("nan"),), estimate=None, interval=None)
    one = replace(result.values[0], values=(0.5,), interval=None)
    lost = replace(made_up_overlays(outlined())[0], predicted=np.zeros(SHAPE[1:], dtype=np.bool_))
    charts = {
        "picture": lambda: overlay_picture(made_up_overlays(outlined())[0]),
        "picture of nothing": lambda: overlay_picture(lost),
        "strip": lambda: strip_chart(result.values[0], result.answered, 0.95),
        "strip of one": lambda: strip_chart(one, (True,), None),
        "strip of none": lambda: strip_chart(nobody, (False,), 0.9),
        "volumes": lambda: agreement_chart(result.against_reference, "Volumes", (-9.0, 1.0, 12.0)),
    }
    drawn = charts[name]()
    assert drawn is not None
    root = ElementTree.fromstring(drawn.svg)
    assert root.get("aria-label") == root.findtext(f"{SVG}title") == drawn.words != ""
    assert "nan" not in drawn.svg
    assert drawn == charts[name]()


def test_both_outlines_differ_by_their_line_and_not_by_colour() -> None:
    drawn = overlay_picture(made_up_overlays(outlined())[0]).svg
    white = [part for part in drawn.split("<path") if 'stroke="#ffffff"' in part]
    assert len(white) == 2
    assert sum("stroke-dasharray" in part for part in white) == 1


def test_one_pair_of_volumes_is_no_chart() -> None:
    assert agreement_chart(VolumePairs(("a",), (1.0,), (2.0,), "mL"), "Volumes", None) is None


def test_the_dossier_is_one_pdf_with_the_pictures_in_it(made: DossierMaterial) -> None:
    pypdf = pytest.importorskip("pypdf")
    few = replace(made, overlays=made.overlays[:3])
    rendered = render_dossier(few, attachments())
    reader = pypdf.PdfReader(io.BytesIO(rendered.pdf))
    drawn = {name: item for page in reader.pages for name, item in page["/Resources"].get("/XObject", {}).items()}
    assert sum(item.get_object()["/Subtype"] == "/Image" for item in drawn.values()) == 3
    assert b"/Interpolate true" not in rendered.pdf


@pytest.mark.parametrize("address", ["data:image/png;base64,AAAA", "data:text/plain,x", "file:///etc/hostname"])
def test_no_drawing_can_fetch_what_is_no_picture_of_its_own(address: str, made: DossierMaterial) -> None:
    from gatekeeper.dossier.charts import Drawing
    from gatekeeper.dossier.pages import render_html
    from gatekeeper.dossier.pdf import print_html

    content = compose_content(made, ())
    hostile = Drawing(
        f'<svg xmlns="http://www.w3.org/2000/svg"><image width="9" height="9" href="{address}"/></svg>', "x"
    )
    page = replace(content, first_page=replace(content.first_page, mark=hostile), sections=content.sections[:1])
    with pytest.raises(InvalidRunError, match="outside itself"):
        print_html(render_html(page), (), "2026-11-23T10:11:42+00:00")


def test_a_made_up_head_is_brighter_inside() -> None:
    item: Outlined = outlined()[4]
    head = made_up_head(item)
    assert head.pixels[item.reference].mean() > head.pixels[~ball(34.0)].mean() + 50.0


def test_the_numbers_of_a_strip_and_of_pairs_are_those_of_the_cases() -> None:
    result = structure_material().structures[0]
    strip = strip_chart(result.values[0], result.answered, 0.95).data
    pairs = agreement_chart(result.against_reference, "Volumes", None)
    assert strip is not None
    assert sorted(row[0] for row in strip.rows) == sorted(result.values[0].values)
    assert sum(row[1] != "yes" for row in strip.rows) == sum(not ok for ok in result.answered)
    assert pairs is not None
    assert pairs.data is not None
    assert [row[:3] for row in pairs.data.rows] == list(
        zip(*(getattr(result.against_reference, name) for name in ("names", "first", "second")), strict=True)
    )
