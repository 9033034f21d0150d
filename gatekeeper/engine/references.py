"""What is right of a case, for the engine alone: no worker sees any of it."""

from __future__ import annotations

from functools import lru_cache

from gatekeeper.candidate.contract import OutputContract
from gatekeeper.engine.measuring import Asked, Reference, boxes_of, check_place
from gatekeeper.engine.reading import ReadCase, mismatch
from gatekeeper.testset import LockedTestSet
from gatekeeper.testset.readers.image import Unfit
from gatekeeper.testset.readers.mask import read_mask


def reference_of(testset: LockedTestSet, read: ReadCase, output: OutputContract, asked: Asked) -> Reference:
    """Return label, mask and boxes of a case.

    Raises UsageError for a mask that does not fit its image, or an image that does not say what is measured by.
    """
    case = testset.manifest.cases[read.index]
    mask = None
    if testset.manifest.task == "segmentation":
        files = testset.read(case, "mask")
        mask = read_mask(files, read.image, case.case_id) if files else None
    reference = Reference(case.label, mask, boxes_of(case.boxes))
    try:
        check_place(read.prepared.grid, reference, output, asked)
    except Unfit as unfit:
        raise mismatch(case, unfit) from unfit
    return reference


@lru_cache(maxsize=1 << 17)
def lesions_in(boxes: str | None) -> int:
    """Return how many lesions the reference of a case has."""
    return len(boxes_of(boxes))
