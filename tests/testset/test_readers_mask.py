from __future__ import annotations

from pathlib import Path

import highdicom
import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.data import get_testdata_file

from gatekeeper.errors import UsageError
from gatekeeper.testset.readers import Image, read_image
from gatekeeper.testset.readers.mask import read_mask

LABELS = np.zeros((4, 5, 6), np.uint8)
LABELS[1:3, 2:4, 1:5] = 1
LABELS[3, 4, 5] = 2
AFFINE = np.diag([2.0, 3.0, 4.0, 1.0])


def nifti(labels: NDArray[np.generic] = LABELS, affine: NDArray[np.float64] = AFFINE) -> bytes:
    return nibabel.Nifti1Image(labels, affine).to_bytes()


IMAGE = read_image({"image.nii": nifti(np.zeros((4, 5, 6), np.int16))}, "c")


def refusal(data: bytes, image: Image = IMAGE) -> str:
    with pytest.raises(UsageError) as caught:
        read_mask({"mask.nii": data}, image, "case-7")
    (problem,) = caught.value.problems
    assert str(problem.where) == "mask.nii (case case-7)"
    return f"{problem.what}; {problem.why}"


def segmentation() -> tuple[bytes, NDArray[np.float64], NDArray[np.uint8]]:
    """Return a real DICOM SEG of a liver, its affine and labels as highdicom gives them."""
    path = get_testdata_file("liver.dcm", download=False)
    assert isinstance(path, str)
    volume = highdicom.seg.Segmentation.from_dataset(dcmread(path)).get_volume(combine_segments=True)
    return Path(path).read_bytes(), np.array(volume.affine), volume.array


def test_labels_have_the_axes_of_their_image() -> None:
    found = read_mask({"mask.nii": nifti()}, IMAGE, "c")
    np.testing.assert_array_equal(found, LABELS.T)
    assert found.dtype == np.uint16


def test_another_grid_is_refused_with_how_far_it_is_off() -> None:
    assert refusal(nifti(LABELS[:3])) == "the mask has another size than the image; 6 x 5 x 3 against 6 x 5 x 4"
    moved = AFFINE.copy()
    moved[0, 3] = 1.5
    assert refusal(nifti(affine=moved)).endswith("their corners are 1.5 mm apart")
    turned = AFFINE.copy()
    turned[0, 0] = -2.0
    assert "their corners are 12 mm apart" in refusal(nifti(affine=turned))


def test_what_is_no_label_is_refused() -> None:
    for wrong in (0.5, -1.0, 70_000.0):
        labels = LABELS.astype(np.float32)
        labels[0, 0, 0] = wrong
        assert "no label" in refusal(nifti(labels))


def test_a_dicom_segmentation_is_put_on_the_grid_of_its_image() -> None:
    data, affine, labels = segmentation()
    image = Image(np.zeros(labels.shape, np.float32), affine=affine)
    np.testing.assert_array_equal(read_mask({"seg.dcm": data}, image, "c"), labels)
    wider = affine.copy()
    wider[:3, 3] -= 2 * affine[:3, 0]
    taller = Image(np.zeros((8, *labels.shape[1:]), np.float32), affine=wider)
    found = read_mask({"seg.dcm": data}, taller, "c")
    np.testing.assert_array_equal(found[2:5], labels)
    assert not found[:2].any()
    assert not found[5:].any()


def test_a_dicom_segmentation_on_another_grid_is_refused() -> None:
    data, affine, labels = segmentation()
    coarse = affine @ np.diag([1.0, 2.0, 2.0, 1.0])
    with pytest.raises(UsageError):
        read_mask({"seg.dcm": data}, Image(np.zeros((3, 256, 256), np.float32), affine=coarse), "c")
    with pytest.raises(UsageError, match="where it lies"):
        read_mask({"seg.dcm": data}, Image(np.zeros(labels.shape, np.float32)), "c")
