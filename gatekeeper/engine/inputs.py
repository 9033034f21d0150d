"""From a locked test set to the array that a candidate takes, each image held against the input contract."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gatekeeper.candidate import Contract
from gatekeeper.errors import Code, UsageError
from gatekeeper.testset import LockedCase, LockedTestSet
from gatekeeper.testset.files import in_threads
from gatekeeper.testset.readers import Image, read_image

_SPACING_TOLERANCE_MM = 1e-3
# Codes that scanners set for one and the same region.
_REGIONS = (
    {"HEAD", "BRAIN", "SKULL", "HEADNECK"},
    {"CHEST", "THORAX", "LUNG", "HEART", "CARDIAC", "PULMONARY"},
    {"BREAST", "LBREAST", "RBREAST", "MAMMARY"},
    {"EYE", "RETINA", "FUNDUS", "OPHTHALMIC"},
)


@dataclass(frozen=True)
class Inputs:
    """``images`` float32 (n, 1, rows, columns) after the contract's intensity mapping; ``spacing`` mm (n, 2)."""

    images: NDArray[np.float32]
    spacing: NDArray[np.float64]


@dataclass(frozen=True)
class Kind:
    """Of which modality and body part the images must be (DICOM codes); what an image does not say is not held."""

    modality: str
    body_part: str


def read_inputs(testset: LockedTestSet, contract: Contract, kind: Kind, progress: Callable[[int], None]) -> Inputs:
    """Read, check and map every image of a test set, in the order of its lock.

    Raises UsageError that names the case whose image cannot be decoded, is of another modality or body part than the
    policy's, or does not fit the candidate's contract; IntegrityError when a file changed since the lock was verified.
    """
    cases = testset.manifest.cases
    rows, columns = contract.input.size
    images = np.empty((len(cases), 1, rows, columns), dtype=np.float32)
    spacing = np.ones((len(cases), 2), dtype=np.float64)
    zero, one = contract.input.intensity.zero_at, contract.input.intensity.one_at
    decoded = in_threads(lambda case: read_image(testset.read(case), case.case_id), cases)
    for index, (case, image) in enumerate(zip(cases, decoded, strict=True)):
        _check(image, case, contract, kind)
        images[index, 0] = (image.pixels - np.float32(zero)) / np.float32(one - zero)
        if image.spacing_mm is not None:
            spacing[index] = image.spacing_mm
        progress(index + 1)
    return Inputs(images, spacing)


def _check(image: Image, case: LockedCase, contract: Contract, kind: Kind) -> None:
    def mismatch(what: str, mend: str) -> UsageError:
        return UsageError(Code.MISMATCH, what, where=f"{case.files[0].path} (case {case.case_id})", mend=mend)

    if image.modality and image.modality != kind.modality:
        raise mismatch(
            f"the image's modality is not {kind.modality}, which the policy speaks of",
            "choose a policy for this modality, or another test set",
        )
    if image.body_part and not _same_region(image.body_part, kind.body_part):
        raise mismatch(
            f"the image's body part is not {kind.body_part}, which the policy speaks of",
            "choose a policy for this body part, or another test set",
        )
    if image.pixels.shape != tuple(contract.input.size):
        found = " x ".join(map(str, image.pixels.shape))
        wanted = " x ".join(map(str, contract.input.size))
        raise mismatch(
            f"the image has {found} pixels, the candidate takes {wanted}", "mend input.size of the candidate"
        )
    declared = contract.input.spacing_mm
    if declared is None:
        return
    if image.spacing_mm is None or not np.allclose(image.spacing_mm, declared, atol=_SPACING_TOLERANCE_MM):
        found = "no pixel spacing" if image.spacing_mm is None else f"a pixel spacing of {image.spacing_mm} mm"
        raise mismatch(
            f"the image has {found}, the candidate takes {declared} mm", "resample the images, or mend spacing_mm"
        )


def _same_region(found: str, wanted: str) -> bool:
    codes = {found.strip().upper(), wanted.strip().upper()}
    return len(codes) == 1 or any(codes <= region for region in _REGIONS)
