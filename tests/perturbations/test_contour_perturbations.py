"""Laws that every contour perturbation keeps, and distances held against brute force."""

from __future__ import annotations

import hashlib
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gatekeeper.errors import Code, UsageError
from gatekeeper.perturbations import PERTURBATIONS, Perturbation, case_seed
from gatekeeper.perturbations.contour.translation import shift_mask

CONTOURS = [one for one in PERTURBATIONS if one.family == "contour"]
EACH = pytest.mark.parametrize("perturbation", CONTOURS, ids=lambda one: one.name)
SIZE = 24


def blob(seed: int, size: int = SIZE) -> NDArray[np.float32]:
    """Return a mask made of a few overlapping discs, with a margin of 7 pixels."""
    generator = np.random.default_rng(seed)
    rows, columns = np.mgrid[:size, :size]
    mask = np.zeros((size, size), dtype=np.bool_)
    for _ in range(generator.integers(1, 4)):
        row, column = generator.uniform(size / 2 - 2, size / 2 + 2, 2)
        mask |= (rows - row) ** 2 + (columns - column) ** 2 < generator.uniform(1.0, 3.0) ** 2
    return mask.astype(np.float32)


def run(
    name: str, image: NDArray[np.float32], magnitude: float, seed: int = 7, spacing: tuple[float, float] = (0.75, 0.75)
) -> NDArray[np.float32]:
    seeds = np.array([seed], dtype=np.uint64)
    return PERTURBATIONS.get(name).apply(image[np.newaxis], np.array([spacing]), magnitude, seeds)[0]


def brute_distance(region: NDArray[np.bool_], spacing: tuple[float, float]) -> NDArray[np.float64]:
    """Return the distance in mm from each pixel's centre to the nearest pixel of a region, taken as a rectangle."""
    distances = np.full(region.shape, math.inf)
    for row, column in np.ndindex(region.shape):
        for other_row, other_column in np.argwhere(region):
            down = max(abs(row - other_row) - 0.5, 0.0) * spacing[0] if row != other_row else 0.0
            across = max(abs(column - other_column) - 0.5, 0.0) * spacing[1] if column != other_column else 0.0
            distances[row, column] = min(distances[row, column], math.hypot(down, across))
    return distances


@EACH
def test_magnitude_zero_changes_nothing(perturbation: Perturbation) -> None:
    images = np.stack([blob(seed) for seed in range(5)])
    seeds = np.arange(5, dtype=np.uint64)
    assert np.array_equal(perturbation.apply(images, np.full((5, 2), 0.75), 0.0, seeds), images)


@EACH
def test_a_case_depends_neither_on_its_neighbours_nor_on_their_order(perturbation: Perturbation) -> None:
    images = np.stack([blob(seed) for seed in range(8)])
    spacing = np.linspace(0.5, 1.5, 16).reshape(8, 2)
    seeds = np.array([case_seed(f"case-{index}", perturbation.name) for index in range(8)], dtype=np.uint64)
    magnitude = 20.0 if perturbation.unit == "degree" else 1.3
    whole = perturbation.apply(images, spacing, magnitude, seeds)
    order = np.random.default_rng(3).permutation(8)
    assert np.array_equal(perturbation.apply(images[order], spacing[order], magnitude, seeds[order]), whole[order])
    for shard in (slice(0, 3), slice(3, 8)):
        assert np.array_equal(perturbation.apply(images[shard], spacing[shard], magnitude, seeds[shard]), whole[shard])


@EACH
def test_the_result_is_a_mask_and_the_input_is_left_alone(perturbation: Perturbation) -> None:
    image = blob(11)
    before = image.copy()
    result = run(perturbation.name, image, 1.0)
    assert result.dtype == np.float32
    assert set(np.unique(result)) <= {0.0, 1.0}
    assert np.array_equal(image, before)


@EACH
def test_an_empty_mask_stays_empty(perturbation: Perturbation) -> None:
    assert not run(perturbation.name, np.zeros((SIZE, SIZE), dtype=np.float32), 2.0).any()


@EACH
@pytest.mark.parametrize("magnitude", [-0.1, 1e6, math.nan, math.inf])
def test_a_magnitude_out_of_range_is_wrong_usage(perturbation: Perturbation, magnitude: float) -> None:
    with pytest.raises(UsageError) as caught:
        run(perturbation.name, blob(1), magnitude)
    assert caught.value.problems[0].code is Code.BAD_VALUE


@EACH
def test_arrays_that_do_not_go_together_are_refused(perturbation: Perturbation) -> None:
    images = np.stack([blob(1), blob(2)])
    with pytest.raises(ValueError, match="do not go together"):
        perturbation.apply(images, np.ones((1, 2)), 1.0, np.zeros(2, dtype=np.uint64))


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), first=st.floats(0, 4), second=st.floats(0, 4))
def test_erosion_and_dilation_nest_and_grow_with_their_magnitude(seed: int, first: float, second: float) -> None:
    image = blob(seed)
    small, large = sorted((first, second))
    assert (run("contour_erosion", image, large) <= run("contour_erosion", image, small)).all()
    assert (run("contour_erosion", image, small) <= image).all()
    assert (image <= run("contour_dilation", image, small)).all()
    assert (run("contour_dilation", image, small) <= run("contour_dilation", image, large)).all()


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), magnitude=st.floats(0, 3))
def test_erosion_is_dilation_of_what_lies_outside(seed: int, magnitude: float) -> None:
    image = blob(seed)
    outside = run("contour_dilation", 1 - image, magnitude)
    assert np.array_equal(run("contour_erosion", image, magnitude), 1 - outside)


@pytest.mark.parametrize("spacing", [(0.75, 0.75), (0.6, 1.1)])
@pytest.mark.parametrize("magnitude", [0.375, 0.5, 1.0, 1.125, 1.5, 2.0])
def test_distances_in_mm_agree_with_brute_force(spacing: tuple[float, float], magnitude: float) -> None:
    image = blob(5, size=18)
    inside = image > 0
    eroded = run("contour_erosion", image, magnitude, spacing=spacing) > 0
    dilated = run("contour_dilation", image, magnitude, spacing=spacing) > 0
    assert np.array_equal(eroded, brute_distance(~inside, spacing) > magnitude + 1e-9)
    assert np.array_equal(dilated, brute_distance(inside, spacing) <= magnitude + 1e-9)


def test_a_square_of_ten_pixels_loses_one_ring_per_pixel_of_erosion() -> None:
    image = np.zeros((20, 20), dtype=np.float32)
    image[5:15, 5:15] = 1
    areas = [run("contour_erosion", image, pixels * 0.75).sum() for pixels in range(6)]
    assert areas == [100, 64, 36, 16, 4, 0]


def test_erosion_can_remove_a_mask_entirely() -> None:
    assert not run("contour_erosion", blob(2), 6.0).any()


def test_beyond_the_image_nothing_is_assumed() -> None:
    full = np.ones((6, 6), dtype=np.float32)
    assert run("contour_erosion", full, 3.0).all()


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), down=st.integers(-7, 7), across=st.integers(-7, 7))
def test_translation_by_whole_pixels_is_a_shift(seed: int, down: int, across: int) -> None:
    image = blob(seed)
    shifted = shift_mask(image, np.array([down, across], dtype=np.float64))
    assert np.array_equal(shifted, np.roll(image, (down, across), axis=(0, 1)))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**64 - 1), spacing=st.sampled_from([(0.75, 0.75), (0.5, 1.0)]))
def test_translation_moves_the_centroid_by_its_magnitude_in_mm(seed: int, spacing: tuple[float, float]) -> None:
    image = np.zeros((40, 40), dtype=np.float32)
    image[16:24, 16:24] = 1
    moved = run("contour_translation", image, 3.0, seed, spacing)
    step = (np.argwhere(moved).mean(axis=0) - np.argwhere(image).mean(axis=0)) * np.array(spacing)
    assert math.hypot(*step) == pytest.approx(3.0, abs=max(spacing))


def test_directions_of_translation_are_drawn_over_the_whole_circle() -> None:
    image = np.zeros((40, 40), dtype=np.float32)
    image[18:22, 18:22] = 1
    quadrants = set()
    for index in range(40):
        moved = run("contour_translation", image, 6.0, case_seed(f"case-{index}", "contour_translation"))
        down, across = np.argwhere(moved).mean(axis=0) - 19.5
        quadrants.add((bool(down > 0), bool(across > 0)))
    assert len(quadrants) == 4


def test_a_quarter_turn_of_a_square_image_is_a_rotation_by_ninety_degrees() -> None:
    image = np.zeros((21, 21), dtype=np.float32)
    image[8:13, 6:15] = 1
    image[5:8, 10] = 1
    image[13:16, 10] = 1
    turned = run("contour_rotation", image, 90.0)
    assert np.array_equal(turned, np.rot90(image))


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), angle=st.floats(0, 180))
def test_rotation_keeps_area_and_centroid_nearly(seed: int, angle: float) -> None:
    image = blob(seed)
    turned = run("contour_rotation", image, angle, seed)
    assert abs(turned.sum() - image.sum()) <= max(4, 0.3 * image.sum())
    assert np.abs(np.argwhere(turned).mean(axis=0) - np.argwhere(image).mean(axis=0)).max() < 0.75


def test_rotation_is_in_mm_when_pixels_are_not_square() -> None:
    image = np.zeros((41, 41), dtype=np.float32)
    image[16:25, 18:23] = 1  # 9 rows of 0.5 mm by 5 columns of 1 mm
    turned = run("contour_rotation", image, 90.0, spacing=(0.5, 1.0))
    rows, columns = np.argwhere(turned).T
    assert (np.ptp(rows) + 1) * 0.5 == pytest.approx(5.0, abs=0.5)
    assert (np.ptp(columns) + 1) * 1.0 == pytest.approx(4.5, abs=1.0)


def test_both_sides_of_rotation_are_drawn() -> None:
    image = blob(4)
    seen = {run("contour_rotation", image, 30.0, case_seed(f"case-{index}", "r")).tobytes() for index in range(20)}
    assert len(seen) == 2


def test_seeds_of_cases_are_64_bits_of_sha_256_and_depend_on_case_and_condition() -> None:
    seeds = {case_seed(case, condition) for case in ("a", "b", "ab") for condition in ("c", "bc", "")}
    assert len(seeds) == 9
    assert all(0 <= seed < 2**64 for seed in seeds)
    digest = hashlib.sha256(b'["contour_rotation","nodule-0001-reading-1"]').hexdigest()
    assert case_seed("nodule-0001-reading-1", "contour_rotation") == int(digest[:16], 16)
