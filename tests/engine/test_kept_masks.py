"""Masks kept for pictures: read back as they were given, bounded, and never another's."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray
from scipy.special import logit

from gatekeeper.candidate import Contract
from gatekeeper.engine.grid import Grid
from gatekeeper.engine.kept_masks import MOST_CASES, KeptMasks
from gatekeeper.engine.measuring import Asked, Reference, reference_label
from gatekeeper.engine.outputs import CaseAnswer, hold
from gatekeeper.engine.preparation import prepare
from gatekeeper.errors import InvalidRunError
from gatekeeper.testset.manifest import LockedCase, LockedFile
from gatekeeper.testset.readers.image import Image

SHAPE = (4, 5, 6)
LABELS = np.random.default_rng(3).integers(0, 3, SHAPE).astype(np.uint16)
ASKED = Asked({"organ": (), "lesion": ()})


def locked(number: int, subject: int | None = None) -> LockedCase:
    file = LockedFile(role="image", path=f"{number}.nii", size=1, sha256="sha256:" + "0" * 64)
    of = f"made-up-{number if subject is None else subject}"
    return LockedCase(case_id=f"made-up-{number}", patient="nobody", files=(file,), label=1, subject=of, attributes={})


def kept_in(folder: Path, cases: int = 3, structure: str | None = "organ") -> KeptMasks:
    return KeptMasks(folder, [locked(number) for number in range(cases)], structure)


@settings(max_examples=60, deadline=None)
@given(mask=arrays(np.bool_, array_shapes(min_dims=2, max_dims=3, max_side=9)))
def test_a_mask_is_read_back_as_it_was_kept(mask: NDArray[np.bool_], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("journal")
    masks = kept_in(folder)
    masks.keep(1, mask)
    again = kept_in(folder)  # as a run that is resumed finds it
    for found in (masks, again):
        assert list(found) == ["made-up-1"]
        assert found["made-up-1"].dtype == np.bool_
        assert np.array_equal(found["made-up-1"], mask)


def test_a_case_without_an_answer_and_a_repeat_have_none(tmp_path: Path) -> None:
    masks = KeptMasks(tmp_path, [locked(0), locked(1, subject=0), locked(2)], "organ")
    masks.keep(0, np.ones((2, 2), dtype=np.bool_))
    masks.keep(1, np.ones((2, 2), dtype=np.bool_))
    masks.keep(2, None)
    assert list(masks) == ["made-up-0"]
    assert "made-up-2" not in masks
    for name in ("made-up-1", "made-up-2", "nobody"):
        with pytest.raises(KeyError):
            masks[name]


@pytest.mark.parametrize(
    ("cases", "structure", "files"), [(MOST_CASES, "organ", 1), (MOST_CASES + 1, "organ", 0), (3, None, 0)]
)
def test_nothing_is_kept_of_large_test_sets_or_unasked(
    tmp_path: Path, cases: int, structure: str | None, files: int
) -> None:
    masks = kept_in(tmp_path, cases, structure)
    masks.keep(2, np.ones((2, 2), dtype=np.bool_))
    assert len(masks) == len(list(tmp_path.iterdir())) == files
    assert masks.structure == (structure if files else None)


def test_a_head_takes_a_small_part_of_a_byte_a_voxel(tmp_path: Path) -> None:
    away = np.sqrt(((np.indices((90,) * 3) - 45.0) ** 2).sum(axis=0))
    masks = kept_in(tmp_path)
    masks.keep(0, away < 40.0)
    (file,) = tmp_path.iterdir()
    assert file.stat().st_size < away.size / 40


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_bytes_that_changed_are_told_and_never_another_mask(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("journal")
    masks = kept_in(folder)
    masks.keep(0, LABELS == 1)
    (file,) = folder.iterdir()
    whole = bytearray(file.read_bytes())
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= data.draw(st.integers(1, 255))
    file.write_bytes(whole[: data.draw(st.integers(0, len(whole)))])
    with contextlib.suppress(InvalidRunError):
        assert np.array_equal(masks["made-up-0"], LABELS == 1)  # in bytes that nothing reads


def contract(kind: str, spacing: float | None = None) -> Contract:
    written: dict[str, object] = {
        "description": "made up",
        "format": "onnx",
        "artefact": "made_up.onnx",
        "input": {"dimensions": 3} | ({"spacing_mm": [spacing] * 3, "resample": True} if spacing else {}),
        "output": {"kind": kind, "structures": {"organ": 1, "lesion": 2}},
        "operating_point": 0.5,
    }
    return Contract.model_validate_json(json.dumps(written))


def held(of: Contract, outputs: NDArray[np.generic], grid: Grid, kept: str | None) -> CaseAnswer:
    (answer,) = hold({"output": outputs[np.newaxis]}, of, [grid], [Reference(1)], ASKED, kept)
    return answer


def outputs_of(kind: str, labels: NDArray[np.uint16]) -> NDArray[np.generic]:
    if kind == "mask":
        return labels
    channels = np.stack([labels == label for label in range(3)]).astype(np.float32)
    return logit(channels * 0.8 + 0.1) if kind == "mask_logit" else channels


@pytest.mark.parametrize("kind", ["mask", "mask_softmax", "mask_probability", "mask_logit"])
@pytest.mark.parametrize("structure", ["organ", "lesion"])
def test_the_mask_is_that_of_the_structure_on_the_image_s_grid(kind: str, structure: str) -> None:
    of = contract(kind)
    grid = prepare(Image(np.zeros(SHAPE, np.float32), (2.0,) * 3), of.input).grid
    found = held(of, outputs_of(kind, LABELS), grid, structure).mask
    assert found is not None
    assert found.dtype == np.bool_
    assert np.array_equal(found, np.equal(LABELS, of.output.structures[structure]))


@pytest.mark.parametrize("kind", ["mask", "mask_softmax", "mask_probability"])
def test_a_mask_of_a_resampled_image_comes_back_in_its_shape(kind: str) -> None:
    of = contract(kind, spacing=4.0)
    grid = prepare(Image(np.zeros(SHAPE, np.float32), (2.0,) * 3), of.input).grid
    labels = np.full(grid.shape, 1, dtype=np.uint16)
    found = held(of, outputs_of(kind, labels), grid, "organ").mask
    assert found is not None
    assert found.shape == SHAPE
    assert found.all()


def test_answers_are_the_same_whether_a_mask_is_kept_or_not() -> None:
    of = contract("mask")
    grid = prepare(Image(np.zeros(SHAPE, np.float32), (2.0,) * 3), of.input).grid
    without = held(of, LABELS, grid, None)
    assert without.mask is None
    assert held(of, LABELS, grid, "organ").answers == pytest.approx(without.answers, nan_ok=True)
    wrong = held(of, LABELS.astype(np.float32) + 0.5, grid, "organ")
    assert wrong.fault is not None
    assert wrong.mask is None


def test_the_label_in_reference_masks_is_as_the_contract_says() -> None:
    kinds = {"mask": 2, "mask_softmax": 2, "mask_probability": 3, "mask_logit": 3}
    assert {kind: reference_label(contract(kind).output, "lesion") for kind in kinds} == kinds
