"""Cases of a locked test set, read, checked and prepared ahead of need, and put together in batches of one shape.

The make-up of batches depends on the order of the lock and the shapes of its images alone, never on time: a run that
is resumed asks the same questions.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TypeVar

import numpy as np

from gatekeeper.candidate import Contract
from gatekeeper.candidate.protocol import Given
from gatekeeper.engine.crew import Batch
from gatekeeper.engine.preparation import Prepared, prepare
from gatekeeper.errors import Code, UsageError
from gatekeeper.testset import LockedCase, LockedTestSet
from gatekeeper.testset.readers import Image, read_image
from gatekeeper.testset.readers.image import Unfit

Item = TypeVar("Item")
Result = TypeVar("Result")

# Codes that scanners set for one and the same region.
_REGIONS = (
    {"HEAD", "BRAIN", "SKULL", "HEADNECK"},
    {"CHEST", "THORAX", "LUNG", "HEART", "CARDIAC", "PULMONARY"},
    {"BREAST", "LBREAST", "RBREAST", "MAMMARY"},
    {"EYE", "RETINA", "FUNDUS", "OPHTHALMIC"},
)


@dataclass(frozen=True)
class Kind:
    """Of which modality and body part the images must be (DICOM codes); what an image does not say is not held."""

    modality: str
    body_part: str


@dataclass(frozen=True)
class ReadCase:
    """A case as the candidate gets it: its place in the lock, its image without pixels, the prepared array.

    ``image`` keeps shape, spacing and place in space; its pixels are one zero, seen many times.
    """

    index: int
    image: Image
    prepared: Prepared
    files: Mapping[str, bytes] = field(default_factory=dict)


def ahead(work: Callable[[Item], Result], items: Sequence[Item], threads: int, most: int) -> Iterator[Result]:
    """Give the results of work on many items in their order, begun in threads for at most ``most`` items ahead."""
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[Result]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) > most:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


@dataclass
class Reader:
    """Reads the cases of a test set for a candidate; keeps prepared ones while they fit in ``memory`` bytes.

    Raises UsageError that names the case whose image cannot be decoded, is of another modality or body part than the
    policy's, or does not fit the candidate's contract; IntegrityError when a file changed since the lock was verified.
    """

    testset: LockedTestSet
    contract: Contract
    kind: Kind
    memory: int
    threads: int
    _kept: dict[int, ReadCase] = field(default_factory=dict)
    _kept_bytes: int = 0

    def read(self, index: int) -> ReadCase:
        """Read and prepare one case."""
        found = self._kept.get(index)
        if found is not None:
            return found
        read, _ = self.read_afresh(index)
        size = read.prepared.array.nbytes + sum(map(len, read.files.values()))
        if self._kept_bytes + size <= self.memory // 2:
            self._kept[index] = read
            self._kept_bytes += size
        return read

    def read_afresh(self, index: int) -> tuple[ReadCase, dict[str, float]]:
        """Read and prepare one case from its files, and tell the seconds of ``read``, ``decode``, ``preprocess``.

        Nothing is taken from what this reader keeps; the system may have the files in its cache. Reading takes their
        digests as well.
        """
        case = self.testset.manifest.cases[index]
        clock = [time.perf_counter()]
        files = self.testset.read(case)
        clock.append(time.perf_counter())
        image = read_image(files, case.case_id)
        clock.append(time.perf_counter())
        try:
            _check(image, self.kind)
            prepared = prepare(image, self.contract.input)
        except Unfit as unfit:
            raise mismatch(case, unfit) from unfit
        clock.append(time.perf_counter())
        handed = files if self.contract.input.gives == "original" else {}
        nothing = np.broadcast_to(np.float32(0), image.pixels.shape)
        took = (after - before for before, after in pairwise(clock))
        steps = dict(zip(("read", "decode", "preprocess"), took, strict=True))
        return ReadCase(index, replace(image, pixels=nothing), prepared, handed), steps

    def batches(self, parts: Sequence[Sequence[int]], size: int) -> Iterator[list[ReadCase]]:
        """Give the cases of each part in batches of one shape and at most ``size``, or fewer where memory is short."""
        order = [index for part in parts for index in part]
        ends = {part[-1] for part in parts}
        waiting: dict[tuple[int, ...], list[ReadCase]] = {}
        held, most = 0, max(1, self.memory // 8)
        lookahead = 2 * self.threads if self.contract.input.axes == 2 else self.threads
        for case in ahead(self.read, order, self.threads, lookahead):
            shape, nbytes = case.prepared.array.shape, case.prepared.array.nbytes
            bucket = waiting.setdefault(shape, [])
            bucket.append(case)
            held += nbytes
            if len(bucket) == size or len(bucket) * nbytes > most:
                held -= len(bucket) * nbytes
                yield waiting.pop(shape)
            if case.index in ends or held > most:
                yield from waiting.values()
                waiting, held = {}, 0


def batch_of(cases: Sequence[ReadCase]) -> Batch:
    """Put the prepared arrays of some cases of one shape together, with what the candidate is told of each."""
    images = cases[0].prepared.array[np.newaxis] if len(cases) == 1 else np.stack([one.prepared.array for one in cases])
    given = tuple(_given(case) for case in cases)
    files = tuple(_renamed(case.files) for case in cases) if cases[0].files else ()
    return Batch(tuple(case.index for case in cases), images, given, files)


def _given(case: ReadCase) -> Given:
    prepared = case.prepared
    affine = None if prepared.affine is None else tuple(tuple(map(float, row)) for row in prepared.affine)
    return Given(spacing_mm=prepared.spacing_mm, affine=affine, modality=case.image.modality)


def _renamed(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Number the files of a case in their order: their names may tell what the case is."""
    return {f"{number:05}{_suffix(path)}": data for number, (path, data) in enumerate(files.items(), start=1)}


def _suffix(path: str) -> str:
    name = path.rpartition("/")[2].lower()
    return next((end for end in (".nii.gz", ".nii", ".dcm", ".nrrd", ".mha", ".png", ".jpg") if name.endswith(end)), "")


def mismatch(case: LockedCase, unfit: Unfit) -> UsageError:
    """Return the error of a case that cannot be given to the candidate, or measured."""
    where = f"{case.files[0].path} (case {case.case_id})"
    mend = unfit.mend or "mend the input of the candidate"
    return UsageError(Code.MISMATCH, unfit.what, where=where, why=unfit.why, mend=mend)


def _check(image: Image, kind: Kind) -> None:
    if image.modality and image.modality != kind.modality:
        raise Unfit(
            f"the image's modality is not {kind.modality}, which the policy speaks of",
            mend="choose a policy for this modality, or another test set",
        )
    if image.body_part and not _same_region(image.body_part, kind.body_part):
        raise Unfit(
            f"the image's body part is not {kind.body_part}, which the policy speaks of",
            mend="choose a policy for this body part, or another test set",
        )


def _same_region(found: str, wanted: str) -> bool:
    codes = {found.strip().upper(), wanted.strip().upper()}
    return len(codes) == 1 or any(codes <= region for region in _REGIONS)
