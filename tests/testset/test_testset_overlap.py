from __future__ import annotations

import io
import itertools
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from pydicom import dcmread
from pydicom.data import get_testdata_file
from scipy import ndimage

from gatekeeper.testset.overlap import MOST_LISTED, NEAR, Item, fingerprint, shared

Pixels = NDArray[np.float64]


def pixels(name: str) -> Pixels:
    path = get_testdata_file(name, download=False)
    assert isinstance(path, str)
    array = dcmread(io.BytesIO(Path(path).read_bytes())).pixel_array.astype(np.float64)
    return np.asarray(array if array.ndim == 2 else array[len(array) // 2])


IMAGES = {name: pixels(name) for name in ("CT_small.dcm", "MR_small.dcm", "MR-SIEMENS-DICOM-WithOverlays.dcm")}


def distance(one: str, other: str) -> float:
    bits = [np.unpackbits(np.frombuffer(bytes.fromhex(text.partition(":")[2]), np.uint8)) for text in (one, other)]
    return float((bits[0] != bits[1]).mean())


def jpeg(image: Pixels) -> Pixels:
    low, high = np.percentile(image, (1, 99))
    stream = io.BytesIO()
    Image.fromarray((np.clip((image - low) / (high - low), 0, 1) * 255).astype(np.uint8)).save(
        stream, "JPEG", quality=50
    )
    return np.asarray(Image.open(stream)).astype(np.float64)


@pytest.mark.parametrize("name", IMAGES)
def test_harmless_changes_of_a_real_image_stay_near(name: str) -> None:
    image = IMAGES[name]
    noise = np.random.default_rng(1).normal(0, 0.02 * np.ptp(np.percentile(image, (1, 99))), image.shape)
    for changed in (image * 1.7 + 300, jpeg(image), ndimage.gaussian_filter(image, 1), image + noise):
        assert distance(fingerprint(image), fingerprint(changed)) <= NEAR


def test_unlike_images_are_far_apart() -> None:
    hashes = [fingerprint(image) for image in IMAGES.values()]
    assert all(distance(one, other) > 3 * NEAR for one, other in itertools.combinations(hashes, 2))


def test_a_mirrored_copy_is_not_found() -> None:
    image = IMAGES["CT_small.dcm"]
    assert distance(fingerprint(image), fingerprint(image[:, ::-1])) > 3 * NEAR


def test_volumes_are_hashed_by_three_middle_slices() -> None:
    image = IMAGES["MR_small.dcm"]
    volume = np.stack([image * 0] * 3 + [image, image.T, image] + [image * 0] * 2)
    text = fingerprint(volume)
    assert text.startswith("phash16x3:")
    assert text == f"phash16x3:{''.join(fingerprint(one).partition(':')[2] for one in (image, image.T, image))}"
    assert len(fingerprint(image)) == len("phash16:") + 64


def test_an_image_without_content_has_no_fingerprint() -> None:
    assert fingerprint(np.full((9, 9), 7.0)) == ""
    assert fingerprint(np.zeros((4, 9, 9))) == ""
    spot = np.zeros((64, 64))
    spot[30, 30] = 1.0
    assert fingerprint(spot) != ""


@pytest.mark.parametrize("array", [np.zeros(4), np.zeros((0, 4)), np.full((4, 4), np.nan)])
def test_what_is_no_image_is_refused(array: Pixels) -> None:
    with pytest.raises(ValueError, match=r"pixels|image"):
        fingerprint(array)


def item(name: str, patient: str = "", digest: str = "", print_: str = "") -> Item:
    return Item(case_id=name, patient=patient or name, digests=(digest or name,), fingerprint=print_)


def test_patients_files_and_images_are_told_apart() -> None:
    image = IMAGES["CT_small.dcm"]
    ours, near = fingerprint(image), fingerprint(jpeg(image))
    far = fingerprint(IMAGES["MR_small.dcm"])
    first = [item("a", patient="p", print_=ours), item("b", digest="d", print_=far), item("c")]
    second = [item("x", patient="p"), item("y", digest="d", print_=far), item("z", print_=near)]
    overlap = shared(first, second, same_secret=True)
    assert overlap.patients == ("p",)
    assert [(pair.first, pair.second) for pair in overlap.files] == [("b", "y")]
    assert [(pair.first, pair.second) for pair in overlap.images] == [("a", "z")]
    assert overlap.images[0].distance == distance(ours, near)
    assert (overlap.file_pairs, overlap.image_pairs, overlap.without_fingerprint) == (1, 1, 2)
    assert not overlap.nothing


def test_patients_are_not_compared_under_different_secrets() -> None:
    assert shared([item("a", patient="p")], [item("b", patient="p")], same_secret=False).patients == ()


def test_images_of_one_kind_only_are_compared() -> None:
    image = IMAGES["CT_small.dcm"]
    flat, deep = fingerprint(image), fingerprint(np.stack([image] * 8))
    assert shared([item("a", print_=flat)], [item("b", print_=deep)], same_secret=True).nothing
    assert shared([item("a", print_=deep)], [item("b", print_=deep)], same_secret=True).image_pairs == 1
    assert shared([], [], same_secret=True).nothing


@given(flips=st.integers(0, 60), words=st.binary(min_size=32, max_size=32))
@settings(max_examples=40, deadline=None)
def test_a_tenth_of_the_bits_is_near_and_one_more_is_not(flips: int, words: bytes) -> None:
    bits = np.unpackbits(np.frombuffer(words, np.uint8))
    bits[np.random.default_rng(flips).choice(256, flips, replace=False)] ^= 1
    other = np.packbits(bits).tobytes().hex()
    first, second = item("a", print_=f"phash16:{words.hex()}"), item("b", print_=f"phash16:{other}")
    overlap = shared([first], [second], same_secret=True)
    assert overlap.image_pairs == (flips <= 25)
    assert all(pair.distance == flips / 256 for pair in overlap.images)


def test_ten_thousand_cases_are_compared_with_as_many_in_seconds() -> None:
    draw = np.random.default_rng(0)
    first = [item(f"a{number}", print_=f"phash16:{draw.bytes(32).hex()}") for number in range(10_000)]
    second = [item(f"b{number}", print_=one.fingerprint) for number, one in enumerate(first)]
    started = time.perf_counter()
    overlap = shared(first, second, same_secret=True)
    assert time.perf_counter() - started < 20
    assert overlap.image_pairs == 10_000
    assert len(overlap.images) == MOST_LISTED
