"""Outlines of the baseline, kept on disk so that those of further runs of the same images are compared with them."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gatekeeper.candidate import Contract
from gatekeeper.candidate.contract import MASKS
from gatekeeper.engine.journal import write_whole
from gatekeeper.errors import Code, InvalidRunError
from gatekeeper.evidence import Condition, Plan
from gatekeeper.metrics.repeatability import BETWEEN_DICE

Masks = Mapping[str, NDArray[np.bool_]]


class BetweenRuns:
    """Masks of every structure of every case at baseline: eight voxels a byte, compressed, a file a case.

    Nothing is kept of a candidate that gives no masks, nor where no condition runs the same images again.
    """

    def __init__(self, folder: Path, plan: Plan, contract: Contract) -> None:
        self._folder = folder
        outlined = contract.output.kind in MASKS
        self._again = {condition.id for condition in plan.conditions if outlined and _runs_again(condition)}

    @property
    def wanted(self) -> bool:
        """Whether the masks of the baseline are to be kept."""
        return bool(self._again)

    def compares(self, condition: Condition) -> bool:
        """Say whether the masks of a condition are to be compared with those of the baseline."""
        return condition.id in self._again

    def keep(self, case: int, masks: Masks) -> None:
        """Keep the masks of a case, some of one shape, by its place in the lock.

        Raises OSError when they cannot be written.
        """
        stream, bits = io.BytesIO(), np.stack([np.packbits(mask) for mask in masks.values()])
        shape = np.array(next(iter(masks.values())).shape)
        np.savez_compressed(stream, names=np.array(list(masks)), shape=shape, bits=bits)
        write_whole(self._path(case), stream.getvalue())

    def dice(self, case: int, masks: Masks) -> dict[str, float]:
        """Return the Dice of each structure with the baseline's, by column; 1 where both are empty.

        None for a case without an answer at baseline. Raises InvalidRunError for a file that does not hold.
        """
        try:
            before = self._read(case)
        except FileNotFoundError:
            return {}
        return {
            f"measured.{name}.{BETWEEN_DICE}": _dice(before[name], mask)
            for name, mask in masks.items()
            if name in before
        }

    def _path(self, case: int) -> Path:
        return self._folder / f"baseline-{case:06}.npz"

    def _read(self, case: int) -> Masks:
        path = self._path(case)
        data = path.read_bytes()
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as parts:
                shape = tuple(int(size) for size in parts["shape"])
                bits = np.unpackbits(parts["bits"], axis=1, count=math.prod(shape)).astype(np.bool_)
                return dict(zip(parts["names"].tolist(), bits.reshape(len(bits), *shape), strict=True))
        except Exception as error:  # whatever zipfile, zlib and numpy raise for bytes that changed
            raise InvalidRunError(
                Code.WORKER_LOST,
                "the masks of the baseline, which a further run is compared with, cannot be read",
                where=str(path),
                mend="start the check anew, without --resume",
            ) from error


def _runs_again(condition: Condition) -> bool:
    """Say whether a condition gives the same images once more: where they were perturbed, outlines may have moved."""
    return condition.suite == "repeatability" and condition.perturbation is None


def _dice(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    both, all_of = int(np.count_nonzero(first & second)), int(np.count_nonzero(first)) + int(np.count_nonzero(second))
    return 2.0 * both / all_of if all_of else 1.0
