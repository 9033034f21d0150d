"""Noise: distributions against scipy's, one draw at all severities, whatever the memory order. Images are made up."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.transforms.intensity.array import RandRicianNoise
from numpy.typing import NDArray
from scipy import stats

from gatekeeper.perturbations import PERTURBATIONS, Perturbation, Stack
from gatekeeper.perturbations.noise.shot_noise import poisson_quantile

NOISES = [one for one in PERTURBATIONS if one.family == "noise"]
EACH = pytest.mark.parametrize("one", NOISES, ids=lambda one: one.name)
LADDERS = {"shot_noise": (200.0, 60.0, 5.0), "ct_dose": (0.5, 0.25, 0.05)}


def ladder_of(one: Perturbation) -> tuple[float, ...]:
    return LADDERS.get(one.name, (0.04, 0.1, 0.3))


def images(*shape: int) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(1)) * 0.6 + 0.2


def results(one: Perturbation, pixels: torch.Tensor, seeds: tuple[int, ...], *magnitudes: float) -> list[torch.Tensor]:
    spacing = np.ones((len(pixels), pixels.ndim - 2))
    return [step.clone() for step in one.steps(Stack(pixels, spacing, seeds), magnitudes)]


class Given(np.random.RandomState):
    """A source of normal numbers that were drawn before."""

    def __init__(self, draws: list[NDArray[np.float32]]) -> None:
        super().__init__(0)
        self.draws = iter(draws)

    def normal(self, mean: float, std: float, size: object) -> NDArray[np.float32]:  # type: ignore[override]
        """Give the next of them."""
        return np.float32(mean) + np.float32(std) * next(self.draws)


@EACH
@pytest.mark.parametrize("shape", [(3, 1, 20, 24), (3, 2, 6, 12, 10)])
def test_at_neutral_the_image_comes_back_bit_by_bit_even_beyond_the_range(
    one: Perturbation, shape: tuple[int, ...]
) -> None:
    pixels = images(*shape) * 4.0 - 1.0
    (found,) = results(one, pixels, (1, 2, 3), one.neutral)
    assert torch.equal(found, pixels)


@EACH
def test_the_greatest_seeds_are_drawn_from(one: Perturbation) -> None:
    first, last = results(one, images(2, 1, 20, 24)[[0, 0]], (2**64 - 1, 2**64 - 2), ladder_of(one)[-1])[0]
    assert not torch.equal(first, last)


@EACH
@pytest.mark.parametrize("shape", [(3, 2, 20, 24), (3, 1, 6, 12, 10)])
def test_the_order_in_memory_changes_no_draw(one: Perturbation, shape: tuple[int, ...]) -> None:
    pixels = images(*shape)
    turned = torch.from_numpy(np.asfortranarray(pixels.numpy()))
    assert not turned.is_contiguous()
    for found, expected in zip(
        results(one, turned, (1, 2, 3), *ladder_of(one)), results(one, pixels, (1, 2, 3), *ladder_of(one)), strict=True
    ):
        torch.testing.assert_close(found, expected, atol=1e-6, rtol=0.0)


@pytest.mark.parametrize("one", [one for one in NOISES if one.name != "rician_noise"], ids=lambda one: one.name)
def test_values_stay_within_the_range_or_within_that_of_a_wider_image(one: Perturbation) -> None:
    inside, wide = images(1, 1, 40, 40), images(1, 1, 40, 40) * 4.0 - 1.0
    for pixels in (inside, wide):
        low, high = min(0.0, float(pixels.min())), max(1.0, float(pixels.max()))
        for found in results(one, pixels, (5,), *ladder_of(one)):
            assert low <= float(found.min())
            assert float(found.max()) <= high


@pytest.mark.parametrize("one", [one for one in NOISES if one.name != "impulse_noise"], ids=lambda one: one.name)
def test_severities_are_one_draw(one: Perturbation) -> None:
    pixels = images(1, 1, 60, 60) * 0.2 + 0.4  # far enough from both ends that little is clipped
    mild, strong = (0.02, 0.06) if one.name not in LADDERS else ladder_of(one)[:2]
    first, second = ((found - pixels).flatten().numpy() for found in results(one, pixels, (5,), mild, strong))
    assert np.corrcoef(first, second)[0, 1] > 0.95


def test_what_a_mild_impulse_struck_a_stronger_one_strikes_alike() -> None:
    pixels = images(1, 1, 60, 60)
    mild, strong = results(PERTURBATIONS.get("impulse_noise"), pixels, (5,), 0.05, 0.3)
    struck = mild != pixels
    assert struck.any()
    assert torch.equal(strong[struck], mild[struck])


@pytest.mark.parametrize("axes", [2, 3])
def test_rician_noise_of_the_same_draw_is_what_monai_makes_of_it(axes: int) -> None:
    shape = (1, 20, 24) if axes == 2 else (1, 6, 12, 10)
    image, generator = images(1, *shape), torch.Generator().manual_seed(7)
    draws = [torch.randn(shape, generator=generator).numpy() for _ in range(2)]
    theirs = RandRicianNoise(prob=1.0, mean=0.0, std=0.16, sample_std=False)
    theirs.R = Given(draws)
    (found,) = results(PERTURBATIONS.get("rician_noise"), image, (7,), 0.16)
    np.testing.assert_allclose(found[0].numpy(), np.asarray(theirs(image[0])), atol=1e-5)


def test_rician_noise_without_signal_is_rayleigh() -> None:
    """Mean sigma sqrt(pi / 2), variance sigma² (2 - pi / 2): Gudbjartsson & Patz, Magn Reson Med 1995;34:910."""
    (found,) = results(PERTURBATIONS.get("rician_noise"), torch.zeros(1, 1, 200, 200), (5,), 0.1)
    assert float(found.mean()) == pytest.approx(0.1 * np.sqrt(np.pi / 2.0), rel=0.01)
    assert float(found.var()) == pytest.approx(0.01 * (2.0 - np.pi / 2.0), rel=0.03)


@pytest.mark.parametrize("mean", [0.0, 0.05, 0.5, 2.0, 9.9, 10.0, 10.1, 16.0, 60.0, 1000.0])
def test_photons_have_the_rank_of_the_normal_number(mean: float) -> None:
    """Against the percent point function of scipy; above a mean of 10 a few are one off."""
    normal = torch.randn(20_000, generator=torch.Generator().manual_seed(3))
    found = poisson_quantile(torch.full_like(normal, mean), normal).numpy()
    expected = np.maximum(stats.poisson.ppf(stats.norm.cdf(normal.numpy().astype(np.float64)), mean), 0.0)
    assert np.abs(found - expected).max() <= 1.0
    assert (found != expected).mean() <= (1e-3 if mean >= 10.0 else 1e-4)


def test_photons_of_the_farthest_ranks_are_counted() -> None:
    ranks = torch.tensor([-40.0, -8.0, 6.7, 40.0])
    for mean in (0.0, 0.5, 9.9, 1e6):
        found = poisson_quantile(torch.full_like(ranks, mean), ranks)
        assert torch.isfinite(found).all()
        assert (found >= 0.0).all()
        assert (found.diff() >= 0.0).all()


def test_impulses_are_as_often_white_as_black() -> None:
    pixels = torch.full((1, 1, 300, 300), 0.4)
    (found,) = results(PERTURBATIONS.get("impulse_noise"), pixels, (5,), 0.2)
    white, black = int((found == 1.0).sum()), int((found == 0.0).sum())
    assert stats.binomtest(white + black, pixels.numel(), 0.2).pvalue > 1e-3
    assert stats.binomtest(white, white + black, 0.5).pvalue > 1e-3
