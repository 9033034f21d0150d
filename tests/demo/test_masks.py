"""Polygons as masks, against areas on paper and an independent point-in-polygon test."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gatekeeper.demo.masks import FIELD_OF_VIEW_MM, MASK_PIXELS, PIXEL_MM, Outline, draw_mask


def star(seed: int, radius: float, points: int = 24) -> NDArray[np.float64]:
    """Return a polygon around (100, 200) mm whose radius varies between half and all of ``radius``."""
    generator = np.random.default_rng(seed)
    angles = np.linspace(0, 2 * math.pi, points, endpoint=False)
    radii = radius * generator.uniform(0.5, 1.0, points)
    return np.column_stack([100 + radii * np.sin(angles), 200 + radii * np.cos(angles)])


def square(side: float, centre: float = 50.0) -> NDArray[np.float64]:
    low, high = centre - side / 2, centre + side / 2
    return np.array([[low, low], [low, high], [high, high], [high, low]])


def winds_around(polygon: NDArray[np.float64], point: tuple[float, float]) -> bool:
    """Tell whether a point is inside by the sum of the angles under which it sees the edges."""
    seen = np.arctan2(polygon[:, 1] - point[1], polygon[:, 0] - point[0])
    steps = np.diff(np.append(seen, seen[0]))
    turned = (steps + math.pi) % (2 * math.pi) - math.pi
    return bool(abs(turned.sum()) > math.pi)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000), radius=st.floats(2, 22))
def test_a_mask_holds_the_pixels_whose_centres_lie_inside(seed: int, radius: float) -> None:
    outline = Outline([star(seed, radius)])
    mask = draw_mask(outline)
    centres = (np.arange(MASK_PIXELS) - (MASK_PIXELS - 1) / 2) * PIXEL_MM
    wanted = [[winds_around(outline.drawn[0] - outline.centre, (row, column)) for column in centres] for row in centres]
    assert np.array_equal(mask, np.array(wanted, dtype=np.uint8))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), radius=st.floats(6, 22))
def test_the_area_of_a_mask_is_that_of_the_polygon_nearly(seed: int, radius: float) -> None:
    outline = Outline([star(seed, radius)])
    assert draw_mask(outline).sum() * PIXEL_MM**2 == pytest.approx(outline.area, rel=0.12)


def test_a_square_of_six_mm_is_eight_by_eight_pixels_in_the_middle() -> None:
    mask = draw_mask(Outline([square(6.0)]))
    assert mask.shape == (MASK_PIXELS, MASK_PIXELS)
    assert mask.sum() == 64
    assert mask[28:36, 28:36].all()


def test_area_and_centre_are_those_on_paper() -> None:
    outline = Outline([square(6.0)])
    assert outline.area == pytest.approx(36.0)
    assert outline.centre == pytest.approx([50.0, 50.0])


def test_the_direction_of_drawing_does_not_matter() -> None:
    there, back = Outline([star(3, 10.0)]), Outline([star(3, 10.0)[::-1]])
    assert there.area == pytest.approx(back.area)
    assert np.array_equal(draw_mask(there), draw_mask(back))


def test_what_is_cut_out_is_no_nodule() -> None:
    outline = Outline([square(12.0)], [square(6.0)])
    assert outline.area == pytest.approx(144 - 36)
    assert draw_mask(outline).sum() == 256 - 64


def test_two_parts_in_one_slice_are_drawn_together_around_their_common_centroid() -> None:
    outline = Outline([square(3.0, centre=44.0), square(3.0, centre=56.0)])
    assert outline.centre == pytest.approx([50.0, 50.0])
    assert draw_mask(outline).sum() == 32


def test_a_single_point_has_no_area_and_draws_nothing() -> None:
    outline = Outline([np.array([[3.0, 4.0]])])
    assert outline.area == 0
    assert outline.centre == pytest.approx([3.0, 4.0])
    assert not draw_mask(outline).any()


@pytest.mark.parametrize(("side", "fits"), [(FIELD_OF_VIEW_MM - 0.1, True), (FIELD_OF_VIEW_MM + 0.1, False)])
def test_what_reaches_beyond_the_field_of_view_does_not_fit(side: float, fits: bool) -> None:
    assert Outline([square(side)]).fits is fits
