"""From images to arrays. Oracles: MONAI's transforms, torch's resize, and world coordinates; all images are made up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gatekeeper.candidate.contract import InputContract
from gatekeeper.engine.grid import restored
from gatekeeper.engine.preparation import prepare
from gatekeeper.testset.readers.image import Image, Unfit

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
AXIAL = ((0, 0, 1), (0, 1, 0), (1, 0, 0))  # columns to the left, rows to the back, slices to the head


def contract(**options: object) -> InputContract:
    return InputContract.model_validate(options if "size" in options else {"dimensions": 3} | options)


def placed(ways: tuple[tuple[int, ...], ...], spacing: tuple[float, ...]) -> NDArray[np.float64]:
    affine = np.eye(4)
    affine[:3, :3] = np.array(ways, dtype=np.float64) * spacing
    affine[:3, 3] = (31.0, -17.0, 5.0)
    return affine


def volume(
    shape: tuple[int, ...] = (6, 8, 9),
    spacing: tuple[float, ...] = (2.5, 0.8, 0.8),
    ways: tuple[tuple[int, ...], ...] = AXIAL,
    seed: int = 0,
) -> Image:
    pixels = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    return Image(pixels, spacing, placed(ways, spacing))


def flat(*shape: int, seed: int = 0) -> Image:
    pixels = np.random.default_rng(seed).uniform(-50.0, 200.0, size=shape)
    return Image(pixels.astype(np.float32), (0.5, 0.7), colour=len(shape) == 3)


def as_monai(image: Image) -> object:
    from monai.data import MetaTensor

    affine = LPS_TO_RAS @ image.affine  # type: ignore[operator]
    return MetaTensor(image.pixels[np.newaxis], affine=affine)


@st.composite
def all_ways(draw: st.DrawFn) -> tuple[tuple[int, ...], ...]:
    order = draw(st.permutations(range(3)))
    signs = draw(st.tuples(*[st.sampled_from((-1, 1))] * 3))
    return tuple(tuple(signs[axis] * int(order[axis] == row) for axis in range(3)) for row in range(3))


lengths = st.tuples(*[st.floats(0.4, 4.0)] * 3)
shapes = st.tuples(*[st.integers(1, 12)] * 3)
options = st.fixed_dictionaries(
    {},
    optional={
        "orientation": st.sampled_from(("RAS", "LPS")),
        "channels": st.sampled_from((1, 3)),
        "fitting": st.one_of(
            st.tuples(st.just("size"), st.sampled_from(("resize", "crop_or_pad")), shapes),
            st.tuples(st.just("multiple_of"), st.integers(1, 8)),
        ),
        "spacing_mm": lengths,
    },
)


def contract_of(drawn: dict[str, object]) -> InputContract:
    fitting = drawn.get("fitting")
    chosen = {name: value for name, value in drawn.items() if name != "fitting"}
    if isinstance(fitting, tuple):
        chosen |= {"fit": fitting[1], "size": fitting[2]} if fitting[0] == "size" else {"multiple_of": fitting[1]}
    return contract(**chosen, resample="spacing_mm" in chosen)


@settings(max_examples=150, deadline=None)
@given(shapes, lengths, all_ways(), options.filter(lambda drawn: "spacing_mm" not in drawn))
def test_what_was_shown_comes_back_and_what_was_not_is_0(
    shape: tuple[int, ...], spacing: tuple[float, ...], ways: tuple[tuple[int, ...], ...], drawn: dict[str, object]
) -> None:
    image = volume(shape, spacing, ways)
    prepared = prepare(image, contract_of(drawn))
    assume(not prepared.grid.resampled)
    assert prepared.array.flags.c_contiguous
    back = restored(prepared.array, prepared.grid)
    shown = restored(np.ones(prepared.grid.shape, dtype=np.bool_), prepared.grid)
    np.testing.assert_array_equal(back, np.broadcast_to(np.where(shown, image.pixels, 0.0), back.shape))
    at_least = np.prod([min(a, b) for a, b in zip(prepared.grid.shape, prepared.grid.whole, strict=True)])
    assert np.count_nonzero(shown) == at_least


@settings(max_examples=150, deadline=None)
@given(shapes, lengths, all_ways(), options)
def test_every_voxel_shows_the_place_that_the_affine_says(
    shape: tuple[int, ...], spacing: tuple[float, ...], ways: tuple[tuple[int, ...], ...], drawn: dict[str, object]
) -> None:
    """An image whose values are linear in the patient's coordinates stays so under all that is linear."""
    image = volume(shape, spacing, ways)
    slope = np.array([0.31, -0.17, 0.53, 2.0])
    pixels = along(image.affine, shape) @ slope
    image = Image(pixels.astype(np.float32), spacing, image.affine)
    prepared = prepare(image, contract_of(drawn))
    grid = prepared.grid
    assert prepared.affine is not None
    assert prepared.spacing_mm is not None
    np.testing.assert_allclose(np.linalg.norm(prepared.affine[:3, :3], axis=0), prepared.spacing_mm, rtol=1e-9)
    wanted = (along(prepared.affine, grid.shape) @ slope).astype(np.float32)
    indices = np.stack(np.meshgrid(*map(np.arange, grid.shape), indexing="ij"), axis=-1)
    # Along each axis between the first and the last centre of what it was resampled to that lies in the image.
    along_axis = np.array(grid.start) + np.array(grid.step) * (indices + np.array(grid.shift))
    sizes = np.array([shape[axis] for axis in grid.axes])
    found = np.array([spacing[axis] for axis in grid.axes])
    ratio = np.array(drawn.get("spacing_mm", found)) / found
    if (np.abs(ratio * found - found) <= 1e-3).all():
        ratio = np.ones(3)
    ends = np.floor((sizes - 1) / ratio + 1e-9) * ratio
    inside = ((along_axis >= -1e-9) & (along_axis <= ends + 1e-9)).all(axis=-1)
    for channel in prepared.array:
        np.testing.assert_allclose(channel[inside], wanted[inside], atol=2e-3)


def along(affine: NDArray[np.float64] | None, shape: tuple[int, ...]) -> NDArray[np.float64]:
    indices = np.stack(np.meshgrid(*map(np.arange, shape), [1.0], indexing="ij"), axis=-1)[..., 0, :]
    return np.asarray(indices @ affine.T)  # type: ignore[union-attr]


@settings(max_examples=60, deadline=None)
@given(shapes, lengths, all_ways(), options)
def test_labels_come_back_as_labels_and_points_as_points(
    shape: tuple[int, ...], spacing: tuple[float, ...], ways: tuple[tuple[int, ...], ...], drawn: dict[str, object]
) -> None:
    prepared = prepare(volume(shape, spacing, ways), contract_of(drawn))
    grid = prepared.grid
    labels = np.random.default_rng(1).choice(np.array([0, 3, 700], dtype=np.uint16), size=grid.shape)
    back = restored(labels, grid)
    assert back.shape == shape
    assert back.dtype == np.uint16
    assert set(np.unique(back)) <= {0, 3, 700}
    # An independent way: for every voxel of the image the nearest of the prepared array, by their affines.
    assert prepared.affine is not None
    way = np.linalg.solve(prepared.affine, placed(ways, spacing))
    places = np.moveaxis(along(way, shape)[..., :3], -1, 0)
    near = np.floor(places + 0.5).astype(int)
    edge = np.abs(places + 0.5 - np.round(places + 0.5)).min(axis=0) < 1e-6
    shown = np.ones(shape, dtype=bool)
    for axis in range(3):
        cut = grid.shape[axis] != grid.whole[axis]
        if cut:
            low, high = max(0, -grid.shift[axis]), min(grid.shape[axis], grid.whole[axis] - grid.shift[axis])
            shown &= (near[axis] < grid.shape[axis]) & (near[axis] >= 0)
            near[axis] = np.clip(near[axis], 0, grid.shape[axis] - 1)
            edge |= (near[axis] <= low) | (near[axis] >= high - 1)
        near[axis] = np.clip(near[axis], 0, grid.shape[axis] - 1)
    wanted = np.where(shown, labels[tuple(near)], 0)
    np.testing.assert_array_equal(back[~edge], wanted[~edge])


@settings(max_examples=60, deadline=None)
@given(shapes, lengths, shapes, lengths, st.sampled_from((np.float32, np.uint16)))
def test_what_was_cut_away_is_as_if_it_were_0(
    shape: tuple[int, ...], spacing: tuple[float, ...], size: tuple[int, ...], wanted: tuple[float, ...], kind: type
) -> None:
    cut = contract(size=size, fit="crop_or_pad", spacing_mm=wanted, resample=True)
    grid = prepare(volume(shape, spacing), cut).grid
    values = np.random.default_rng(2).uniform(1.0, 9.0, size=grid.shape).astype(kind)
    uncut = replace(grid, shape=grid.whole, shift=(0, 0, 0))
    places = np.stack(np.meshgrid(*map(np.arange, grid.shape), indexing="ij"), axis=-1) + np.array(grid.shift)
    there = ((places >= 0) & (places < np.array(grid.whole))).all(axis=-1)
    embedded = np.zeros(grid.whole, dtype=kind)
    embedded[tuple(places[there].T)] = values[there]
    np.testing.assert_allclose(restored(values, grid), restored(embedded, uncut), atol=1e-5)


@pytest.mark.parametrize("orientation", ["RAS", "LPS"])
@settings(max_examples=25, deadline=None)
@given(ways=all_ways())
def test_orientation_is_that_of_monai(orientation: str, ways: tuple[tuple[int, ...], ...]) -> None:
    from monai.transforms import Orientation

    image = volume(ways=ways)
    prepared = prepare(image, contract(orientation=orientation))
    wanted = Orientation(axcodes=orientation, labels=(("L", "R"), ("P", "A"), ("I", "S")))(as_monai(image))
    np.testing.assert_array_equal(prepared.array, wanted.numpy())
    np.testing.assert_allclose(LPS_TO_RAS @ prepared.affine, wanted.affine.numpy(), atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(shape=st.tuples(*[st.integers(2, 12)] * 3), wanted=lengths)
def test_resampling_is_that_of_monai(shape: tuple[int, ...], wanted: tuple[float, ...]) -> None:
    from monai.transforms import Spacing

    image = volume(shape)
    exact = (np.array(shape) - 1) * (2.5, 0.8, 0.8) / wanted
    assume((np.abs(exact % 1.0 - 0.5) > 1e-6).all())
    # MONAI keeps an axis whose spacing is nearly right; here all are resampled, or none.
    assume(np.abs(np.array(wanted) - (2.5, 0.8, 0.8)).min() > 2e-3)
    prepared = prepare(image, contract(spacing_mm=wanted, resample=True))
    found = Spacing(pixdim=wanted, mode="bilinear", padding_mode="border", dtype=np.float64)(as_monai(image))
    assert prepared.array.shape == tuple(found.shape)
    np.testing.assert_allclose(prepared.array, found.numpy(), atol=2e-5)
    np.testing.assert_allclose(LPS_TO_RAS @ prepared.affine, found.affine.numpy(), atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(shape=shapes, size=shapes)
def test_a_resize_is_that_of_torch(shape: tuple[int, ...], size: tuple[int, ...]) -> None:
    import torch

    image = volume(shape)
    found = prepare(image, contract(size=size, fit="resize")).array
    pixels = torch.from_numpy(image.pixels[np.newaxis, np.newaxis])
    wanted = torch.nn.functional.interpolate(pixels, size, mode="trilinear", align_corners=False)
    np.testing.assert_allclose(found, wanted[0].numpy(), atol=2e-5)


@settings(max_examples=60, deadline=None)
@given(shape=st.tuples(st.integers(1, 12), st.integers(1, 12)), size=st.tuples(st.integers(1, 12), st.integers(1, 12)))
def test_a_crop_or_pad_is_that_of_monai_with_the_least_value(shape: tuple[int, int], size: tuple[int, int]) -> None:
    from monai.transforms import ResizeWithPadOrCrop

    image = flat(*shape)
    found = prepare(image, contract(size=size, fit="crop_or_pad")).array
    wanted = ResizeWithPadOrCrop(size, value=float(image.pixels.min()))(image.pixels[np.newaxis])
    np.testing.assert_array_equal(found, wanted.numpy())


def test_padding_to_a_multiple_is_at_the_end_with_the_least_value() -> None:
    image = flat(5, 8)
    found = prepare(image, InputContract(dimensions=2, multiple_of=4)).array[0]
    assert found.shape == (8, 8)
    np.testing.assert_array_equal(found[:5], image.pixels)
    assert (found[5:] == image.pixels.min()).all()


def test_a_window_is_that_of_monai_and_of_its_formula() -> None:
    from monai.transforms import ScaleIntensityRange

    image = flat(20, 20)
    window = {"zero_at": -20.0, "one_at": 130.0}
    plain = prepare(image, contract(size=(20, 20), intensity=window)).array
    np.testing.assert_array_equal(plain[0], (image.pixels - np.float32(-20.0)) / np.float32(150.0))
    clipped = prepare(image, contract(size=(20, 20), intensity=window | {"clip": True})).array
    wanted = ScaleIntensityRange(-20.0, 130.0, 0.0, 1.0, clip=True)(image.pixels)
    np.testing.assert_allclose(clipped[0], wanted.numpy(), atol=1e-6)
    falling = prepare(image, contract(size=(20, 20), intensity={"zero_at": 130.0, "one_at": -20.0})).array
    np.testing.assert_allclose(falling, 1.0 - plain, atol=1e-6)


@pytest.mark.parametrize("way", ["z_score", "min_max", "percentiles"])
def test_normalisation_is_that_of_monai(way: str) -> None:
    from monai.transforms import NormalizeIntensity, ScaleIntensity, ScaleIntensityRangePercentiles

    image = flat(40, 30)
    transform = {
        "z_score": NormalizeIntensity(),
        "min_max": ScaleIntensity(0.0, 1.0),
        "percentiles": ScaleIntensityRangePercentiles(2.0, 97.0, 0.0, 1.0, clip=True),
    }[way]
    found = prepare(image, contract(size=(40, 30), intensity={"normalisation": way, "percentiles": (2.0, 97.0)})).array
    np.testing.assert_allclose(found[0], transform(image.pixels).numpy(), atol=1e-5)


@pytest.mark.parametrize("way", ["z_score", "min_max", "percentiles"])
def test_a_blank_image_is_handed_on_as_0(way: str) -> None:
    blank = Image(np.full((4, 4), 7.3, dtype=np.float32))
    found = prepare(blank, contract(size=(4, 4), intensity={"normalisation": way})).array
    np.testing.assert_allclose(found, 0.0, atol=1e-6)


def test_a_grey_image_is_repeated_and_each_channel_standardised() -> None:
    image = flat(6, 6)
    given = {"mean": (1.0, 2.0, 3.0), "std": (2.0, 4.0, 5.0)}
    found = prepare(image, contract(size=(6, 6), channels=3, intensity=given)).array
    wanted = [(image.pixels - m) / s for m, s in zip(given["mean"], given["std"], strict=True)]
    np.testing.assert_allclose(found, wanted, rtol=1e-6)


def test_colour_comes_first_and_back() -> None:
    image = flat(6, 9, 3)
    prepared = prepare(image, contract(size=(6, 9), channels=3))
    np.testing.assert_array_equal(prepared.array, np.moveaxis(image.pixels, -1, 0))
    assert prepared.grid.image_shape == (6, 9)
    assert restored(prepared.array, prepared.grid).shape == (3, 6, 9)


def test_a_single_slice_is_an_image_and_goes_back_into_its_volume() -> None:
    image = volume((1, 8, 9))
    prepared = prepare(image, contract(size=(8, 9), spacing_mm=(0.8, 0.8)))
    assert prepared.array.shape == (1, 8, 9)
    assert prepared.spacing_mm == (0.8, 0.8)
    np.testing.assert_allclose(prepared.affine, image.affine)
    np.testing.assert_array_equal(restored(prepared.array[0], prepared.grid), image.pixels)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "uint8", "int16", "int32", "int64"])
def test_the_type_is_the_contracts_and_memory_the_arrays_own(dtype: str) -> None:
    image = Image(np.arange(16, dtype=np.float32).reshape(4, 4))
    found = prepare(image, contract(size=(4, 4), dtype=dtype)).array
    assert found.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(found[0], image.pixels)
    assert not np.shares_memory(found, image.pixels)


@pytest.mark.parametrize(
    ("image", "options", "said"),
    [
        (flat(6, 9, 3), {"size": (6, 9)}, "coloured"),
        (flat(6, 9), {"size": (6, 8)}, "6 x 9 pixels, the candidate takes 6 x 8"),
        (flat(6, 9), {"dimensions": 3}, "3 axes"),
        (volume(), {"size": (8, 9)}, "2 axes"),
        (Image(np.zeros((3, 4, 5), dtype=np.float32)), {"orientation": "RAS"}, "no volume in space"),
        (Image(np.zeros((4, 5), dtype=np.float32)), {"size": (4, 5), "spacing_mm": (1.0, 1.0)}, "not say its spacing"),
        (flat(6, 9), {"size": (6, 9), "spacing_mm": (0.5, 0.702)}, "another spacing"),
        (flat(6, 9), {"size": (6, 9), "spacing_mm": (500.1, 0.7), "resample": True}, "far from"),
        (volume((9, 9, 9)), {"spacing_mm": (0.003, 0.001, 0.001), "resample": True}, "MiB"),
        (flat(6, 9), {"size": (6, 9), "dtype": "uint8"}, "cannot hold"),
        (Image(np.full((2, 2), 0.5, dtype=np.float32)), {"size": (2, 2), "dtype": "uint8"}, "no whole numbers"),
        (Image(np.full((2, 2), 2.0**63, dtype=np.float32)), {"size": (2, 2), "dtype": "int64"}, "cannot hold"),
        (Image(np.full((2, 2), 7e4, dtype=np.float32)), {"size": (2, 2), "dtype": "float16"}, "cannot hold"),
        (
            Image(np.full((2, 2), 3e38, dtype=np.float32)),
            {"size": (2, 2), "intensity": {"zero_at": 0.0, "one_at": 1e-30}},
            "cannot hold",
        ),
        (Image(np.zeros((2, 2), dtype=np.float32), (1e-9, 1.0)), {"size": (2, 2)}, "spacing that no image has"),
        (flat(6, 9), {"dimensions": 2, "multiple_of": 16384, "channels": 3}, "MiB"),
    ],
)
def test_what_does_not_fit_is_said(image: Image, options: dict[str, object], said: str) -> None:
    with pytest.raises(Unfit, match=said):
        prepare(image, contract(**({"dimensions": None} | options if "dimensions" in options else options)))


def test_a_spacing_within_a_thousandth_of_a_millimetre_is_the_same() -> None:
    prepared = prepare(flat(6, 9), contract(size=(6, 9), spacing_mm=(0.5009, 0.7), resample=True))
    assert not prepared.grid.resampled


def test_labels_of_another_shape_are_refused() -> None:
    prepared = prepare(flat(6, 9), contract(size=(6, 9)))
    with pytest.raises(ValueError, match="grid of"):
        restored(np.zeros((6, 8)), prepared.grid)
