"""Perturbations held against MONAI's transforms, or the cited definition in numpy and scipy. Images are made up."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from monai.transforms.intensity.array import AdjustContrast, GibbsNoise
from monai.transforms.spatial.array import Affine, Flip
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage
from test_image_perturbations import SHAPES, stack_of, steps

from gatekeeper.perturbations import PERTURBATIONS, Stack
from gatekeeper.perturbations.blur.gaussian_blur import gaussian
from gatekeeper.perturbations.intensity.bias_field import coefficients_of, field_of
from gatekeeper.perturbations.kspace.ghosting import response
from gatekeeper.perturbations.kspace.spike import wave_of
from gatekeeper.perturbations.noise.ct_dose import noise_of
from gatekeeper.perturbations.spatial.sampling import coarse

AXES = pytest.mark.parametrize("axes", [2, 3])
Array = NDArray[np.float32]


def under(name: str, stack: Stack, *magnitudes: float) -> list[Array]:
    return steps(PERTURBATIONS.get(name), stack, magnitudes)


def normal(stack: Stack, copies: int = 1) -> list[Array]:
    """Draw by torch what a case's seed gives, independently of the package."""
    found: list[list[Array]] = [[] for _ in range(copies)]
    for seed in stack.seeds:
        generator = torch.Generator().manual_seed(seed)
        for copy in found:
            copy.append(torch.randn(stack.pixels.shape[1:], generator=generator).numpy())
    return [np.stack(copy) for copy in found]


@AXES
def test_gaussian_noise_is_the_image_and_a_normal_draw(axes: int) -> None:
    stack = stack_of(axes)
    (noise,) = normal(stack)
    found = under("gaussian_noise", stack, 0.04, 0.26)
    for result, sigma in zip(found, (0.04, 0.26), strict=True):
        expected = np.clip(stack.pixels.numpy() + np.float32(sigma) * noise, 0.0, 1.0)
        np.testing.assert_allclose(result, expected, atol=1e-6)


@AXES
def test_rician_noise_is_that_of_monai(axes: int) -> None:
    """``RandRicianNoise`` takes the square root of (x + n1)² + n2²."""
    stack = stack_of(axes)
    first, second = (0.16 * noise for noise in normal(stack, 2))
    (found,) = under("rician_noise", stack, 0.16)
    np.testing.assert_allclose(found, np.sqrt((stack.pixels.numpy() + first) ** 2 + second**2), atol=1e-5)


def test_speckle_noise_grows_with_the_signal() -> None:
    stack = stack_of(2)
    (noise,) = normal(stack)
    clean = stack.pixels.numpy()
    np.testing.assert_allclose(
        under("speckle_noise", stack, 0.2)[0], np.clip(clean + clean * noise * 0.2, 0.0, 1.0), atol=1e-6
    )


def test_shot_noise_has_the_mean_and_the_variance_of_counted_photons() -> None:
    pixels = torch.full((1, 1, 200, 200), 0.4)
    (found,) = under("shot_noise", Stack(pixels, np.ones((1, 2)), (5,)), 60.0)
    assert float(found.mean()) == pytest.approx(0.4, abs=0.002)
    assert float(found.var()) == pytest.approx(0.4 / 60.0, rel=0.03)
    np.testing.assert_allclose(found * 60.0, np.rint(found * 60.0), atol=1e-3)


def test_impulses_strike_the_share_asked_half_of_them_white() -> None:
    pixels = torch.full((1, 1, 300, 300), 0.4)
    (found,) = under("impulse_noise", Stack(pixels, np.ones((1, 2)), (5,)), 0.1)
    assert float((found == 1.0).mean()) == pytest.approx(0.05, abs=0.003)
    assert float((found == 0.0).mean()) == pytest.approx(0.05, abs=0.003)


@pytest.mark.parametrize("share", [0.5, 0.25, 0.1])
def test_noise_of_ct_is_inverse_to_the_root_of_the_dose(share: float) -> None:
    """Of an image of correlated noise alone: variances add, so a share of the dose has 1 / share of the variance."""
    smooth = np.array([1.0, 2.0, 1.0]) / 4.0
    noise = np.random.default_rng(2).standard_normal((256, 256))
    for axis in (0, 1):
        noise = ndimage.convolve1d(noise, smooth, axis=axis, mode="wrap")
    image = (0.5 + 0.01 * noise / noise.std()).astype(np.float32)[None, None]
    (found,) = under("ct_dose", Stack(torch.from_numpy(image), np.ones((1, 2)), (5,)), share)
    assert float(noise_of(torch.from_numpy(image))) == pytest.approx(0.01, rel=0.05)
    assert float(found.std()) == pytest.approx(0.01 / math.sqrt(share), rel=0.05)


def test_noise_of_ct_that_is_not_correlated_is_never_taken_for_less_than_it_is() -> None:
    """A stress that is too weak would let a candidate pass: where the assumption fails, it fails to the safe side."""
    image = 0.5 + 0.01 * np.random.default_rng(2).standard_normal((1, 1, 256, 256)).astype(np.float32)
    (found,) = under("ct_dose", Stack(torch.from_numpy(image), np.ones((1, 2)), (5,)), 0.25)
    assert float(found.std()) > 0.02


@AXES
@pytest.mark.parametrize(("name", "gamma"), [("gamma_raised", 1.6), ("gamma_lowered", 0.5)])
def test_gamma_is_that_of_monai(axes: int, name: str, gamma: float) -> None:
    stack = stack_of(axes)
    found = under(name, stack, gamma)[0]
    expected = np.stack([AdjustContrast(gamma)(image).numpy() for image in stack.pixels])
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_brightness_and_contrast_are_those_of_medmnist_c() -> None:
    stack = stack_of(2)
    clean = stack.pixels.numpy()
    mean = clean.mean(axis=(1, 2, 3), keepdims=True)
    for name, expected in {
        "brightness_raised": clean * 1.3,
        "brightness_lowered": clean * 0.7,
        "contrast_raised": (clean - mean) * 1.3 + mean,
        "contrast_lowered": (clean - mean) * 0.7 + mean,
    }.items():
        np.testing.assert_allclose(under(name, stack, 0.3)[0], np.clip(expected, 0.0, 1.0), atol=1e-5, err_msg=name)


def test_a_wider_window_is_the_same_values_through_another_window() -> None:
    hounsfield = np.linspace(-200.0, 500.0, 71, dtype=np.float32).reshape(1, 1, 1, 71)
    inside = np.clip((hounsfield + 100.0) / 400.0, 0.0, 1.0)
    (found,) = under("window_width", Stack(torch.from_numpy(inside), np.ones((1, 2)), (5,)), 0.25)
    wider = np.clip((hounsfield + 150.0) / 500.0, 0.0, 1.0)
    seen = (inside > 0.0) & (inside < 1.0)  # what the first window cut off cannot come back
    np.testing.assert_allclose(found[seen], wider[seen], atol=1e-6)


def test_a_bias_field_is_that_of_monai() -> None:
    from monai.transforms.intensity.array import RandBiasField

    stack = stack_of(3, cases=1)
    coefficients = coefficients_of(stack.seeds[0], 3)
    theirs = RandBiasField(degree=3, coeff_range=(0.0, 0.1), prob=1.0)
    field = theirs._generate_random_field(SHAPES[3], 3, coefficients.tolist())
    np.testing.assert_allclose(field_of(SHAPES[3], coefficients), field, atol=1e-5)
    (found,) = under("bias_field", stack, 0.5)
    np.testing.assert_allclose(found[0, 0], stack.pixels.numpy()[0, 0] * np.exp(0.5 * field), rtol=1e-4)


def test_a_bias_field_of_two_axes_is_a_sum_of_products_up_to_the_third_degree() -> None:
    """In two axes MONAI takes products up to the sixth degree: here as in three."""
    from scipy.special import eval_legendre

    coefficients = coefficients_of(5, 2)
    rows, columns = (np.linspace(-1.0, 1.0, length) for length in SHAPES[2])
    powers = [(first, second) for first in range(4) for second in range(4) if first + second <= 3]
    assert len(coefficients) == len(powers) == 10
    expected = sum(
        value * eval_legendre(first, rows)[:, None] * eval_legendre(second, columns)[None]
        for value, (first, second) in zip(coefficients, powers, strict=True)
    )
    np.testing.assert_allclose(field_of(SHAPES[2], coefficients), expected, atol=1e-12)


@AXES
def test_a_gaussian_blur_is_that_of_monai_beyond_whose_image_is_its_edge(axes: int) -> None:
    from monai.networks.layers import GaussianFilter

    stack = stack_of(axes)
    sigma_mm = 1.5
    sigmas = [sigma_mm / step for step in stack.spacing_mm[0]]
    reach = 24
    wide = np.pad(stack.pixels.numpy(), ((0, 0), (0, 0), *((reach, reach),) * axes), mode="edge")
    theirs = GaussianFilter(axes, sigmas, truncated=4.0, approx="erf")(torch.from_numpy(wide)).numpy()
    inside = (slice(None), slice(None), *(slice(reach, -reach),) * axes)
    # MONAI's weights end at 4 standard deviations and are not brought back to a sum of 1: 6e-5 an axis.
    np.testing.assert_allclose(under("gaussian_blur", stack, sigma_mm)[0], theirs[inside], atol=2e-4)
    np.testing.assert_allclose(gaussian(20, 1.7).sum(axis=1), 1.0)


def test_defocus_and_motion_are_convolutions_of_scipy() -> None:
    from gatekeeper.perturbations.blur.defocus import _disc
    from gatekeeper.perturbations.blur.motion_blur import _line

    stack = stack_of(2)
    for name, kernel in (("defocus", _disc), ("motion_blur", _line)):
        found = under(name, stack, 4.0, 2.0)
        for result, magnitude in zip(found, (4.0, 2.0), strict=True):
            for case, seed in enumerate(stack.seeds):
                weights = kernel(stack.spacing_mm[case], magnitude, seed)
                assert weights.sum() == pytest.approx(1.0)
                expected = ndimage.convolve(stack.pixels[case, 0].numpy(), weights, mode="nearest")
                np.testing.assert_allclose(result[case, 0], expected, atol=1e-5)


def test_a_disc_has_the_area_of_its_radius() -> None:
    from gatekeeper.perturbations.blur.defocus import _disc

    weights = _disc(np.array([0.5, 0.25]), 3.0, 0)
    assert 1.0 / weights.max() == pytest.approx(math.pi * 9.0 / (0.5 * 0.25), rel=0.01)


@AXES
def test_ringing_is_that_of_monai(axes: int) -> None:
    stack = stack_of(axes)
    for alpha, found in zip((0.3, 0.7), under("gibbs", stack, 0.3, 0.7), strict=True):
        expected = np.stack([GibbsNoise(alpha)(image).numpy() for image in stack.pixels])
        np.testing.assert_allclose(found, expected, atol=1e-5)


@AXES
def test_a_spike_is_one_larger_sample_of_k_space(axes: int) -> None:
    stack = stack_of(axes, cases=1)
    (found,) = under("kspace_spike", stack, 0.4)
    before, after = (np.abs(np.fft.fftn(image)) for image in (stack.pixels[0, 0].numpy(), found[0, 0]))
    changed = np.argwhere(np.abs(np.fft.fftn(found[0, 0] - stack.pixels[0, 0].numpy())) > 1e-2 * before.max())
    assert len(changed) == 2  # the sample and its mirror image, since the image is real
    rise = np.abs(np.fft.fftn(found[0, 0] - stack.pixels[0, 0].numpy()))[tuple(changed[0])]
    assert rise == pytest.approx(0.4 * before.max() / 2.0, rel=1e-3)
    assert after.max() == pytest.approx(before.max(), rel=1e-3)
    assert np.abs(wave_of(SHAPES[axes], 5)).max() == pytest.approx(1.0, abs=1e-6)


@AXES
def test_ghosts_are_lines_of_k_space_with_less_signal(axes: int) -> None:
    """The definition of TorchIO: every so many planes of the shifted spectrum times 1 - intensity, the middle kept."""
    stack = stack_of(axes, cases=1)
    (found,) = under("ghosting", stack, 0.6)
    candidates = []
    for axis, length in enumerate(SHAPES[axes]):
        planes = np.ones(length)
        planes[::4] = 0.4
        middle, half = length // 2, max(1, round(0.02 * length / 2.0))
        planes[middle - half : middle + half + 1] = 1.0
        np.testing.assert_array_equal(np.fft.fftshift(response(length, 0.6)), planes)
        shifted = np.fft.fftshift(np.fft.fft(stack.pixels[0, 0].numpy(), axis=axis), axes=axis)
        shaped = shifted * planes.reshape([-1 if at == axis else 1 for at in range(axes)])
        candidates.append(np.fft.ifft(np.fft.ifftshift(shaped, axes=axis), axis=axis).real)
    assert min(float(np.abs(found[0, 0] - one).max()) for one in candidates) < 1e-5


@AXES
def test_a_moved_patient_keeps_the_mean_of_what_is_seen_and_a_still_one_its_image(axes: int) -> None:
    stack = stack_of(axes)
    little, much = under("motion", stack, 0.5, 6.0)
    clean = stack.pixels.numpy()
    assert np.abs(little - clean).mean() < np.abs(much - clean).mean()
    # The middle of k-space, and so the mean, is acquired where the patient lies in the image.
    np.testing.assert_allclose(
        much.mean(axis=tuple(range(1, much.ndim))), clean.mean(axis=tuple(range(1, clean.ndim))), rtol=0.02
    )


MOVING = ("rotation", "translation", "translation_pixels", "scaling_up", "scaling_down", "flip")
SIZES = {
    "rotation": 15.0,
    "translation": 2.7,
    "translation_pixels": 2.0,
    "scaling_up": 0.2,
    "scaling_down": 0.2,
    "flip": 1.0,
}


@AXES
@pytest.mark.parametrize("name", list(SIZES))
def test_what_moves_is_resampled_as_scipy_does_by_the_matrix_that_moves_outlines(axes: int, name: str) -> None:
    stack, one = stack_of(axes), PERTURBATIONS.get(name)
    assert one.moves is not None
    (found,) = under(name, stack, SIZES[name])
    for case, (spacing, seed) in enumerate(zip(stack.spacing_mm, stack.seeds, strict=True)):
        matrix = one.moves(SHAPES[axes], spacing, SIZES[name], seed)
        image = stack.pixels[case, 0].numpy()
        # grid_sample lets values fade out over the last pixel where scipy cuts: looked at one pixel further in.
        expected = ndimage.affine_transform(image, matrix[:axes, :axes], matrix[:axes, axes], order=1, mode="constant")
        seen = ndimage.affine_transform(
            np.pad(np.ones(tuple(length - 2 for length in SHAPES[axes])), 1),
            matrix[:axes, :axes],
            matrix[:axes, axes],
            order=1,
        )
        inside = seen > 0.999
        assert inside.mean() > 0.2
        np.testing.assert_allclose(found[case, 0][inside], expected[inside], atol=1e-4)


@AXES
@pytest.mark.parametrize("name", list(SIZES))
def test_an_outline_moves_with_what_it_outlines(axes: int, name: str) -> None:
    shape, one = (48, 56) if axes == 2 else (32, 40, 36), PERTURBATIONS.get(name)
    assert one.moves is not None
    spacing = np.array((0.8, 1.1) if axes == 2 else (2.0, 0.9, 1.2))
    places = np.meshgrid(*(np.arange(length) for length in shape), indexing="ij")
    away = sum(((at - 0.45 * length) / (0.2 * length)) ** 2 for at, length in zip(places, shape, strict=True))
    mask = (away <= 1.0).astype(np.float32)
    stack = Stack(torch.from_numpy(mask)[None, None], spacing[None], (7,))
    moved = under(name, stack, SIZES[name])[0][0, 0] >= 0.5
    matrix = one.moves(shape, spacing, SIZES[name], 7)
    outline = ndimage.affine_transform(mask, matrix[:axes, :axes], matrix[:axes, axes], order=0) >= 0.5
    assert 2.0 * (moved & outline).sum() / (moved.sum() + outline.sum()) > 0.97


def test_a_rotation_is_that_of_monai_up_to_its_side() -> None:
    stack = Stack(stack_of(2).pixels, np.ones((3, 2)), stack_of(2).seeds)
    (found,) = under("rotation", stack, 20.0)
    for case in range(3):
        turned = [
            Affine(rotate_params=math.radians(angle), padding_mode="zeros", image_only=True, align_corners=False)(
                stack.pixels[case]
            ).numpy()
            for angle in (20.0, -20.0)
        ]
        assert min(float(np.abs(found[case] - one)[:, 6:-6, 6:-6].max()) for one in turned) < 1e-4


@AXES
def test_a_flip_is_that_of_monai(axes: int) -> None:
    stack = stack_of(axes)
    expected = np.stack([Flip(spatial_axis=axes - 1)(image).numpy() for image in stack.pixels])
    np.testing.assert_array_equal(under("flip", stack, 1.0)[0], expected)


def test_thicker_slices_are_means_of_those_that_they_cover() -> None:
    matrix = coarse(8, 2.0)
    line = np.arange(8, dtype=np.float64)
    np.testing.assert_allclose(matrix.sum(axis=1), 1.0)
    # Means 0.5, 2.5, 4.5, 6.5 at 1, 3, 5, 7: a straight line comes back as one, and is level beyond the last means.
    np.testing.assert_allclose(matrix @ line, [0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 6.5])
    np.testing.assert_array_equal(coarse(8, 0.5), np.eye(8))


def test_a_jpeg_is_that_of_pillow() -> None:
    import io

    stack = stack_of(2)
    (found,) = under("jpeg", stack, 15.0)
    for case in range(3):
        stream = io.BytesIO()
        eight = np.rint(stack.pixels[case, 0].numpy() * 255.0).astype(np.uint8)
        Image.fromarray(eight).save(stream, format="JPEG", quality=15)
        np.testing.assert_allclose(found[case, 0], np.asarray(Image.open(stream)) / 255.0, atol=1e-6)


def test_a_pixelated_image_has_blocks() -> None:
    pixels = torch.rand((1, 1, 32, 32), generator=torch.Generator().manual_seed(1))
    (found,) = under("pixelate", Stack(pixels, np.ones((1, 2)), (1,)), 0.25)
    blocks = pixels.numpy().reshape(8, 4, 8, 4).mean(axis=(1, 3))
    np.testing.assert_allclose(found[0, 0], np.kron(blocks, np.ones((4, 4))), atol=1e-6)


@AXES
def test_what_is_covered_has_the_share_asked(axes: int) -> None:
    shape = (50,) * axes
    stack = Stack(torch.ones((4, 1, *shape)), np.ones((4, axes)), (1, 2, 3, 4))
    (found,) = under("occlusion", stack, 0.3)
    shares = (found == 0.0).mean(axis=tuple(range(1, found.ndim)))
    np.testing.assert_allclose(shares, 0.3, atol=0.02)


def test_stains_are_those_of_scikit_image() -> None:
    """Amounts of stains as ``rgb2hed`` defines them, taken apart and put together in numpy."""
    stack = stack_of(2, channels=3, cases=1)
    (found,) = under("stain", stack, 0.1)
    stains = np.array([[0.65, 0.70, 0.29], [0.07, 0.99, 0.11], [0.27, 0.57, 0.78]])
    from gatekeeper.perturbations.specification import draws

    drawn = 2.0 * draws(stack.seeds[0], 6) - 1.0
    colours = np.moveaxis(stack.pixels[0].numpy().astype(np.float64), 0, -1)
    amounts = np.log(np.maximum(colours, 1e-6)) / np.log(1e-6) @ np.linalg.inv(stains)
    other = amounts * (1.0 + 0.1 * drawn[:3]) + 0.1 * 0.1 * drawn[3:]
    expected = np.exp(np.maximum(other @ stains, 0.0) * np.log(1e-6))
    np.testing.assert_allclose(found[0], np.moveaxis(expected, -1, 0).clip(0.0, 1.0), atol=1e-4)


def test_all_that_is_drawn_is_drawn_evenly() -> None:
    from gatekeeper.perturbations.affine import direction

    sides = np.stack([direction(seed, 3) for seed in range(4_000)])
    np.testing.assert_allclose(np.linalg.norm(sides, axis=1), 1.0)
    np.testing.assert_allclose(sides.mean(axis=0), 0.0, atol=0.04)
    np.testing.assert_allclose((sides**2).mean(axis=0), 1.0 / 3.0, atol=0.03)
