"""Fitting the demonstration's network, the same weights bit for bit each time.

One thread, deterministic algorithms, and one generator for everything drawn: with the same build of torch on the same
kind of processor, the order of every addition is fixed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gatekeeper.candidate.architectures import NODULE_CNN
from gatekeeper.demo.lidc import Nodule
from gatekeeper.demo.masks import PIXEL_MM
from gatekeeper.perturbations import PERTURBATIONS

if TYPE_CHECKING:
    import torch

EPOCHS = 12
FOLDS = 5
_SEED = 20260101
_BATCH = 64
_LEARNING_RATE = 3e-3
_LARGEST_SHIFT = 3
# How far another reader's contour may lie inside or outside of this one: the edge of a mask moves by one pixel.
_REDRAWN_MM = 0.5
_SHARE_REDRAWN = 0.5


@dataclass(frozen=True, eq=False)
class Samples:
    """Readings as arrays of one length n: ``masks`` float32 (n, 64, 64), ``label`` 0 or 1, ``nodule``, ``patient``.

    ``first`` marks the first reading of each nodule; ``weight`` is one over the number of readings of its nodule, so
    that each nodule counts once.
    """

    masks: NDArray[np.float32]
    label: NDArray[np.int8]
    nodule: NDArray[np.intp]
    patient: NDArray[np.object_]
    first: NDArray[np.bool_]
    weight: NDArray[np.float32]

    @classmethod
    def of(cls, nodules: Sequence[Nodule]) -> Samples:
        """List the readings of some nodules, in order."""
        pairs = [(nodule, reading) for nodule in nodules for reading in nodule.readings]
        return cls(
            masks=np.stack([reading.mask for _, reading in pairs]).astype(np.float32),
            label=np.array([nodule.label for nodule, _ in pairs], dtype=np.int8),
            nodule=np.array([nodule.number for nodule, _ in pairs], dtype=np.intp),
            patient=np.array([nodule.patient for nodule, _ in pairs], dtype=object),
            first=np.array([reading is nodule.readings[0] for nodule, reading in pairs]),
            weight=np.array([1 / len(nodule.readings) for nodule, _ in pairs], dtype=np.float32),
        )

    def where(self, mask: NDArray[np.bool_]) -> Samples:
        """Return the samples that a mask of length n selects."""
        return Samples(
            self.masks[mask],
            self.label[mask],
            self.nodule[mask],
            self.patient[mask],
            self.first[mask],
            self.weight[mask],
        )


def fit(samples: Samples, epochs: int = EPOCHS) -> torch.nn.Module:
    """Return a network trained on some samples, in evaluation mode.

    Each sample is flipped, turned by a quarter, shifted by up to 3 pixels, and half of the time redrawn 0.5 mm tighter
    or wider, as another reader might. Weighted binary cross-entropy, AdamW, one learning-rate cycle.
    """
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits

    with _reproducible():
        generator = torch.Generator().manual_seed(_SEED)
        model = NODULE_CNN.build()
        variants = _variants(samples)
        label = torch.from_numpy(samples.label.astype(np.float32))
        weight = torch.from_numpy(samples.weight)
        steps = epochs * -(-len(label) // _BATCH)
        optimiser = torch.optim.AdamW(model.parameters(), lr=_LEARNING_RATE, weight_decay=1e-3)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, _LEARNING_RATE, total_steps=steps)
        for _ in range(epochs):
            for batch in torch.split(torch.randperm(len(label), generator=generator), _BATCH):
                logits = model(_augmented(variants, batch, generator))[:, 0]
                losses = binary_cross_entropy_with_logits(logits, label[batch], reduction="none")
                optimiser.zero_grad()
                torch.autograd.backward((losses * weight[batch]).sum() / weight[batch].sum())
                optimiser.step()
                schedule.step()
    return model.eval()


def predict(model: torch.nn.Module, masks: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the probability of malignancy for masks of shape (n, 64, 64)."""
    import torch

    with _reproducible(), torch.inference_mode():
        logits = model(torch.from_numpy(masks[:, np.newaxis]))[:, 0]
        return np.asarray(torch.sigmoid(logits.double()).numpy())


def cross_validated(samples: Samples, epochs: int = EPOCHS) -> NDArray[np.float64]:
    """Return for each sample the probability by a network that saw no nodule of its patient (five folds)."""
    fold = np.array([_fold(patient) for patient in samples.patient])
    scores = np.full(len(fold), np.nan)
    for held_out in range(FOLDS):
        apart = fold == held_out
        scores[apart] = predict(fit(samples.where(~apart), epochs), samples.masks[apart])
    return scores


def _fold(patient: str) -> int:
    return int.from_bytes(hashlib.sha256(f"fold {patient}".encode()).digest()[:8], "big") % FOLDS


def _variants(samples: Samples) -> torch.Tensor:
    """Return masks as drawn, tighter, and wider, shape (3, n, 1, 64, 64); a mask that vanishes stays as drawn."""
    import torch

    count = len(samples.masks)
    spacing, seeds = np.full((count, 2), PIXEL_MM), np.zeros(count, dtype=np.uint64)
    tighter = PERTURBATIONS.get("contour_erosion").apply(samples.masks, spacing, _REDRAWN_MM, seeds)
    wider = PERTURBATIONS.get("contour_dilation").apply(samples.masks, spacing, _REDRAWN_MM, seeds)
    vanished = ~tighter.any(axis=(1, 2))
    tighter[vanished] = samples.masks[vanished]
    return torch.from_numpy(np.stack([samples.masks, tighter, wider])[:, :, np.newaxis])


def _augmented(variants: torch.Tensor, batch: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Draw one version of each sample of a batch; the batch shares its flip, turn and shift."""
    import torch

    draw = torch.rand(len(batch), generator=generator)
    chosen = (draw < _SHARE_REDRAWN / 2).long() + 2 * (draw > 1 - _SHARE_REDRAWN / 2).long()
    images = variants[chosen, batch]
    down, across = torch.randint(-_LARGEST_SHIFT, _LARGEST_SHIFT + 1, (2,), generator=generator).tolist()
    turns, flip = torch.randint(8, (1,), generator=generator).item() // 2, torch.rand(1, generator=generator) < 0.5
    images = torch.rot90(images.roll((down, across), (2, 3)), int(turns), (2, 3))
    return images.flip(3) if flip else images


@contextmanager
def _reproducible() -> Iterator[None]:
    """Use one thread, deterministic algorithms and a fixed seed of torch; put back what was there before."""
    import torch

    threads, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_SEED)
        torch.set_num_threads(1)
        torch.use_deterministic_algorithms(True)
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(strict)
            torch.set_num_threads(threads)
