"""Laws that every perturbation of images keeps. Images are made up."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from gatekeeper.errors import UsageError
from gatekeeper.perturbations import PERTURBATIONS, Perturbation, Stack

OF_IMAGES = [one for one in PERTURBATIONS if one.family != "contour"]
EACH = pytest.mark.parametrize("one", OF_IMAGES, ids=lambda one: one.name)
SHAPES = {2: (24, 30), 3: (14, 20, 16)}
SPACING = {2: (0.8, 1.1), 3: (2.5, 0.9, 1.2)}
# Magnitudes that climb away from nothing; of those whose unit says too little for all to share.
LADDERS: dict[str, tuple[float, ...]] = {
    "shot_noise": (200.0, 20.0, 4.0),
    "ct_dose": (0.5, 0.25, 0.1),
    "jpeg": (50.0, 15.0, 3.0),
    "pixelate": (0.7, 0.4, 0.15),
    "gamma_raised": (1.2, 1.6, 2.5),
    "gamma_lowered": (0.9, 0.6, 0.3),
    "flip": (1.0,),
    "crop": (0.1, 0.2, 0.35),
    "anisotropy": (1.5, 2.5, 5.0),
    "resampling": (1.5, 2.5, 5.0),
    "translation_pixels": (0.5, 1.0, 2.0),
    "slice_thickness": (4.0, 8.0, 16.0),
    "rotation": (2.0, 6.0, 15.0),
}
# What lies elsewhere is not farther from the image the farther it lies.
GROW = [one for one in OF_IMAGES if one.moves is None and one.name != "motion"]


def ladder_of(one: Perturbation) -> tuple[float, ...]:
    usual = {"1": (0.05, 0.2, 0.5), "mm": (1.0, 2.5, 5.0), "degree": (2.0, 6.0, 15.0), "count": (1.5, 2.5, 4.0)}
    return LADDERS.get(one.name, usual[one.unit])


def stack_of(axes: int, channels: int = 1, cases: int = 3, seed: int = 1) -> Stack:
    """Draw smooth blobs with a little noise, in [0, 1]."""
    random, shape = np.random.default_rng(seed), SHAPES[axes]
    places = np.meshgrid(*(np.arange(length) for length in shape), indexing="ij")
    images = []
    for _ in range(cases * channels):
        centre = [random.uniform(0.35, 0.65) * length for length in shape]
        away = sum((at - middle) ** 2 for at, middle in zip(places, centre, strict=True))
        images.append(0.1 + 0.75 * np.exp(-away / 30.0) + random.uniform(0.0, 0.1, shape))
    pixels = torch.from_numpy(np.stack(images).astype(np.float32)).reshape(cases, channels, *shape)
    return Stack(pixels, np.tile(SPACING[axes], (cases, 1)), tuple(range(11, 11 + cases)))


def steps(one: Perturbation, stack: Stack, magnitudes: tuple[float, ...]) -> list[NDArray[np.float32]]:
    return [step.numpy().copy() for step in one.steps(stack, magnitudes)]


def stacks_for(one: Perturbation) -> list[Stack]:
    channels = (3,) if one.colour else (1, 3)
    return [stack_of(axes, number) for axes in sorted(one.axes) for number in channels]


@EACH
def test_where_it_is_neutral_nothing_changes(one: Perturbation) -> None:
    for stack in stacks_for(one):
        (found,) = steps(one, stack, (one.neutral,))
        np.testing.assert_allclose(found, stack.pixels.numpy(), atol=1e-6)


@EACH
def test_results_are_images_and_the_stack_is_left_alone(one: Perturbation) -> None:
    for stack in stacks_for(one):
        before = stack.pixels.clone()
        for found in one.steps(stack, ladder_of(one)):
            assert found.dtype == torch.float32
            assert found.shape == before.shape
            assert torch.isfinite(found).all()
        assert torch.equal(stack.pixels, before)


@EACH
def test_a_case_depends_neither_on_the_batch_nor_on_its_order_nor_on_other_severities(one: Perturbation) -> None:
    for stack in stacks_for(one):
        whole = steps(one, stack, ladder_of(one))
        order = [2, 0, 1]
        turned = Stack(stack.pixels[order], stack.spacing_mm[order], tuple(stack.seeds[at] for at in order))
        for found, expected in zip(steps(one, turned, ladder_of(one)), whole, strict=True):
            np.testing.assert_allclose(found, expected[order], atol=1e-6)
        alone = Stack(stack.pixels[1:2], stack.spacing_mm[1:2], stack.seeds[1:2])
        (last,) = steps(one, alone, ladder_of(one)[-1:])
        np.testing.assert_allclose(last[0], whole[-1][1], atol=1e-6)


@pytest.mark.parametrize("one", GROW, ids=lambda one: one.name)
def test_more_of_it_leads_farther_from_the_image(one: Perturbation) -> None:
    for stack in stacks_for(one):
        clean = stack.pixels.numpy()
        apart = [float(np.abs(found - clean).mean()) for found in steps(one, stack, ladder_of(one))]
        assert apart[0] > 0.0
        assert apart == sorted(apart)


@EACH
def test_spacing_may_differ_from_case_to_case(one: Perturbation) -> None:
    for axes in sorted(one.axes):
        stack = stack_of(axes, 3 if one.colour else 1)
        mixed = Stack(stack.pixels, stack.spacing_mm * np.array([[1.0], [1.3], [0.8]]), stack.seeds)
        whole = steps(one, mixed, ladder_of(one)[:1])[0]
        for case in range(3):
            alone = Stack(
                mixed.pixels[case : case + 1], mixed.spacing_mm[case : case + 1], mixed.seeds[case : case + 1]
            )
            np.testing.assert_allclose(steps(one, alone, ladder_of(one)[:1])[0][0], whole[case], atol=1e-6)


@EACH
def test_a_magnitude_beyond_what_can_be_is_refused(one: Perturbation) -> None:
    stack = stacks_for(one)[0]
    for magnitude in (one.lowest - 0.5, one.highest + 0.5):
        with pytest.raises(UsageError, match=one.name):
            one.steps(stack, (magnitude,))


@EACH
def test_images_of_other_axes_are_refused(one: Perturbation) -> None:
    for axes in {2, 3} - one.axes:
        with pytest.raises(ValueError, match="do not go together"):
            one.steps(stack_of(axes), (one.neutral,))


@EACH
def test_values_beyond_the_range_are_not_cut_by_a_little_of_it(one: Perturbation) -> None:
    """Contracts without clipping hand on values above 1: they must not vanish at the least severity."""
    if one.name == "jpeg" or one.colour:
        pytest.skip("they are of images between 0 and 1, and say so")
    axes = max(one.axes)
    stack = stack_of(axes)
    bright = Stack(stack.pixels * 1.5, stack.spacing_mm, stack.seeds)
    (found,) = steps(one, bright, ladder_of(one)[:1])
    assert found.max() > 1.0
