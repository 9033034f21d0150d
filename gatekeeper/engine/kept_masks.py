"""Masks that a candidate gave at baseline, kept on disk until the pictures of the dossier are drawn."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gatekeeper.engine.journal import write_whole
from gatekeeper.errors import Code, InvalidRunError
from gatekeeper.testset import LockedCase

# Of larger test sets no mask is kept: a few pictures are not worth the room.
MOST_CASES = 500


class KeptMasks(Mapping[str, NDArray[np.bool_]]):
    """Masks of one structure by case id, on the image's own grid; each is read from disk when it is asked for.

    Eight voxels are one byte, compressed: a file a case below ``folder``. Cases without an answer have none, nor have
    repeats, and without a ``structure``, or of more than ``MOST_CASES``, nothing is kept.
    """

    def __init__(self, folder: Path, cases: Sequence[LockedCase], structure: str | None) -> None:
        self.structure = structure if len(cases) <= MOST_CASES else None
        self._cases = cases
        self._paths = {
            case.case_id: folder / f"mask-{index:06}.npz"
            for index, case in enumerate(cases)
            if self.structure is not None and case.subject == case.case_id
        }

    def keep(self, case: int, mask: NDArray[np.bool_] | None) -> None:
        """Keep the mask of a case by its place in the lock, if it has one. Raises OSError when it cannot be written."""
        path = self._paths.get(self._cases[case].case_id)
        if mask is None or path is None:
            return
        stream = io.BytesIO()
        np.savez_compressed(stream, shape=np.array(mask.shape), bits=np.packbits(mask))
        write_whole(path, stream.getvalue())

    def __getitem__(self, case_id: str) -> NDArray[np.bool_]:
        """Read a mask. Raises KeyError for a case that has none, InvalidRunError when its file does not hold."""
        path = self._paths[case_id]
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise KeyError(case_id) from None
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as parts:
                shape = tuple(int(size) for size in parts["shape"])
                return np.unpackbits(parts["bits"], count=math.prod(shape)).reshape(shape).astype(np.bool_)
        except Exception as error:  # whatever zipfile, zlib and numpy raise for bytes that changed
            raise InvalidRunError(
                Code.WORKER_LOST,
                "a mask that was kept for a picture cannot be read",
                where=str(path),
                mend="start the check anew, without --resume",
            ) from error

    def __contains__(self, case_id: object) -> bool:
        return isinstance(case_id, str) and case_id in self._paths and self._paths[case_id].is_file()

    def __iter__(self) -> Iterator[str]:
        return (case_id for case_id in self._paths if case_id in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)
