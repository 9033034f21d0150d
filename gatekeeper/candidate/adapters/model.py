"""What the worker asks of every candidate, whatever its format, and what a candidate is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gatekeeper.candidate.contract import NumericFormat

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Setting:
    """How numbers are computed: numeric format, memory layout of images, whether the network is compiled."""

    numeric_format: NumericFormat = "fp32"
    channels_last: bool = False
    compiled: bool = False


@dataclass(frozen=True)
class CaseFacts:
    """What is told of a case besides its pixels.

    ``spacing_mm`` has one length an axis of the prepared array. ``affine``, 4 x 4, takes an index of it to LPS
    millimetres (of an image with two axes: (0, row, column, 1)). ``modality`` is a DICOM code, or empty. ``files`` are
    the bytes of the original files by name, only where the contract asks for them.
    """

    spacing_mm: tuple[float, ...] | None = None
    affine: NDArray[np.float64] | None = None
    modality: str = ""
    files: Mapping[str, bytes] | None = None


@dataclass(frozen=True, kw_only=True)
class PluginCase(CaseFacts):
    """What a plug-in is called with: a case, and its ``image`` (channels, *axes) of the contract's dtype, writable."""

    image: NDArray[np.generic]


@dataclass(frozen=True)
class Batch:
    """``images`` (n, channels, *axes) of the contract's dtype, perhaps read-only, and the facts of the n cases.

    They are a tensor on the device only for a model that takes such.
    """

    images: NDArray[np.generic] | torch.Tensor
    cases: tuple[CaseFacts, ...]


class Model(Protocol):
    """A candidate that is ready. Its three steps can be timed one by one.

    Each step raises whatever the candidate raises: ``fault_of`` says what became of it.
    """

    @property
    def parameters(self) -> int | None:
        """How many numbers were learnt, or None where the format does not tell."""

    @property
    def takes_tensors(self) -> bool:
        """Whether images can be handed in as a tensor that is on the device already."""

    def stage(self, batch: Batch) -> Any:
        """Bring the images to the device. On CUDA the copy goes on while others work."""

    def forward(self, staged: Any, setting: Setting) -> Any:
        """Return the raw outputs, still on the device."""

    def fetch(self, outputs: Any) -> dict[str, NDArray[np.generic]]:
        """Wait for the device and return arrays whose first axis is the cases.

        The names are those of the outputs, ``0``, ``1``.. of a tuple, ``output`` of a single one; what the contract
        does not ask for is left out. Of ``boxes``: ``boxes`` (n, m, 2, axes), low and high corner, and ``scores``
        (n, m), with m the most that a case has; the rest of a case that has fewer is NaN.
        """

    def synchronize(self) -> None:
        """Wait for the device, so that a clock can be read."""
