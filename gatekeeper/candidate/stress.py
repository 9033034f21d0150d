"""Images under a perturbation, as the candidate gets them.

A perturbation is of the image as it is before the candidate's own normalisation. So what the contract does to a
prepared array at the end is undone first and done again after it. Where the contract has a window, 0 and 1 of a
perturbation are its ends; where it takes values as they are, or in standard deviations, they are the least and the
greatest value of each image.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gatekeeper.candidate.contract import InputContract, Intensity
from gatekeeper.perturbations import PERTURBATIONS, Stack

if TYPE_CHECKING:
    import torch


def perturbed(
    images: NDArray[np.generic],
    spacing_mm: NDArray[np.float64],
    contract: InputContract,
    perturbation: str,
    magnitudes: Sequence[float],
    seeds: Sequence[int],
    device: str,
) -> Iterator[torch.Tensor]:
    """Give a batch at each of some magnitudes of a perturbation.

    Parameters
    ----------
    images : (n, channels, *axes) as prepared for this contract
    spacing_mm : (n, axes)
    seeds : one a case, of this perturbation

    Yields tensors like ``images`` on the device, each of which holds until the next is asked for. Raises as
    ``Perturbation.steps``.
    """
    import torch

    values = torch.from_numpy(np.array(images, dtype=np.float32)).to(device)
    of = PERTURBATIONS.get(perturbation)
    plain = _without_mean(values, contract, as_grey=not of.colour)
    scale = _Scale.of(plain, contract.intensity)
    stack = Stack(scale.to_unit(plain), spacing_mm, tuple(seeds))
    for pixels in of.steps(stack, magnitudes):
        found = _normalised_again(scale.from_unit(pixels), plain, contract.intensity)
        yield _typed(_with_mean(found, contract), images.dtype)


@dataclass(frozen=True)
class _Scale:
    """The values that are 0 and 1 to a perturbation, for each case: shape (n, 1, ...), or None where they are both."""

    zero: torch.Tensor | None
    span: torch.Tensor | None

    @classmethod
    def of(cls, plain: torch.Tensor, intensity: Intensity) -> _Scale:
        if intensity.zero_at is not None or intensity.normalisation in ("min_max", "percentiles"):
            return cls(None, None)
        low, high = _per_case(plain.flatten(1).amin(1), plain), _per_case(plain.flatten(1).amax(1), plain)
        span = high - low
        span[span == 0.0] = 1.0
        return cls(low, span)

    def to_unit(self, values: torch.Tensor) -> torch.Tensor:
        if self.zero is None or self.span is None:
            return values
        return (values - self.zero) / self.span

    def from_unit(self, values: torch.Tensor) -> torch.Tensor:
        if self.zero is None or self.span is None:
            return values
        return values * self.span + self.zero


def _per_case(numbers: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    return numbers.reshape(-1, *(1,) * (like.ndim - 1))


def _without_mean(values: torch.Tensor, contract: InputContract, *, as_grey: bool) -> torch.Tensor:
    """Undo ``mean`` and ``std``; ``as_grey`` keeps one of the channels where all repeat a grey image."""
    mean, std = _mean_and_std(values, contract)
    plain = values if mean is None or std is None else values * std + mean
    if plain.shape[1] > 1 and as_grey:
        apart = (plain[:, 1:] - plain[:, :1]).abs().amax()
        if float(apart) <= 1e-5 * max(1.0, float(plain.abs().amax())):
            return plain[:, :1].contiguous()
    return plain


def _with_mean(values: torch.Tensor, contract: InputContract) -> torch.Tensor:
    mean, std = _mean_and_std(values, contract)
    if mean is not None and std is not None:
        return (values - mean) / std
    if values.shape[1] == contract.channels:
        return values
    return values.expand(-1, contract.channels, *values.shape[2:])


def _mean_and_std(
    values: torch.Tensor, contract: InputContract
) -> tuple[torch.Tensor, torch.Tensor] | tuple[None, None]:
    import torch

    if contract.intensity.mean is None or contract.intensity.std is None:
        return None, None
    each = (1, contract.channels, *(1,) * (values.ndim - 2))
    mean, std = (
        torch.tensor(numbers, dtype=torch.float32, device=values.device).reshape(each)
        for numbers in (contract.intensity.mean, contract.intensity.std)
    )
    return mean, std


def _normalised_again(found: torch.Tensor, plain: torch.Tensor, intensity: Intensity) -> torch.Tensor:
    """Normalise from the image's own values once more: their centre and spread become what they were.

    So a candidate that normalises is as immune to a change of brightness here as it is in use.
    """
    if intensity.normalisation is None:
        return found.clamp(0.0, 1.0) if intensity.clip else found
    centre, spread = _centre_and_spread(found, intensity)
    wanted_centre, wanted_spread = _centre_and_spread(plain, intensity)
    spread[spread == 0.0] = 1.0
    again = (found - centre) / spread * wanted_spread + wanted_centre
    return again.clamp(0.0, 1.0) if intensity.normalisation == "percentiles" else again


def _centre_and_spread(values: torch.Tensor, intensity: Intensity) -> tuple[torch.Tensor, torch.Tensor]:
    import torch

    flat = values.flatten(1)
    if intensity.normalisation == "z_score":
        return _per_case(flat.mean(1), values), _per_case(flat.std(1, correction=0), values)
    if intensity.normalisation == "min_max":
        low, high = flat.amin(1), flat.amax(1)
    else:
        ends = np.percentile(flat.cpu().numpy(), intensity.percentiles, axis=1)
        low, high = torch.from_numpy(ends.astype(np.float32)).to(values.device)
    return _per_case(low, values), _per_case(high - low, values)


def _typed(values: torch.Tensor, dtype: np.dtype[Any]) -> torch.Tensor:
    """Bring values to the type of the contract; whole numbers are rounded, and cut at the ends of their type."""
    import torch

    kind = torch.from_numpy(np.empty(0, dtype=dtype)).dtype
    if dtype.kind != "f":
        ends = np.iinfo(dtype)
        values = values.round().clamp(float(ends.min), float(ends.max))
    return values.to(kind)
