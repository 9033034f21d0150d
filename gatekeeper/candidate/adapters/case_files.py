"""A case as files for a command. Names are numbers: nothing of them says which case it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gatekeeper.candidate.adapters.model import CaseFacts

# What a file may keep of its name. Longest first: ".nii.gz" is not ".gz".
_ENDINGS = (".nii.gz", ".dcm", ".nii", ".png", ".nrrd", ".nhdr", ".mha", ".mhd", ".raw", ".jpg", ".tif", ".tiff")
_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def case_name(index: int) -> str:
    """Return the name of a case by its place in the batch, from 0: ``case-0001``."""
    return f"case-{index + 1:04}"


def write_case(
    folder: Path,
    name: str,
    image: NDArray[np.generic],
    facts: CaseFacts,
    gives: Literal["array", "nifti", "original"],
) -> None:
    """Write one case into ``folder``.

    ``array``: NAME.npy (channels, *axes). ``nifti``: NAME.nii.gz, axes (x, y, z) as in the array, channels last where
    there are three, with its place in RAS millimetres. ``original``: a folder NAME with the files, renamed 0001.dcm
    and so on in the order of their names. Always NAME.json: spacing_mm, affine (LPS millimetres), modality.
    """
    described = {
        "spacing_mm": facts.spacing_mm,
        "affine": None if facts.affine is None else facts.affine.tolist(),
        "modality": facts.modality,
    }
    (folder / f"{name}.json").write_text(json.dumps(described))
    if gives == "array":
        np.save(folder / f"{name}.npy", image, allow_pickle=False)
    elif gives == "nifti":
        _write_nifti(folder / f"{name}.nii.gz", image, facts)
    else:
        below = folder / name
        below.mkdir()
        files = facts.files or {}
        for number, original in enumerate(sorted(files), 1):
            ending = next((end for end in _ENDINGS if original.lower().endswith(end)), "")
            (below / f"{number:04}{ending}").write_bytes(files[original])


def _write_nifti(path: Path, image: NDArray[np.generic], facts: CaseFacts) -> None:
    from nibabel import Nifti1Image

    voxels = image[0] if len(image) == 1 else np.moveaxis(image, 0, -1)
    if image.ndim == 3:
        voxels = voxels[np.newaxis]
    if voxels.dtype == np.float16:  # NIfTI has none
        voxels = voxels.astype(np.float32)
    nifti = Nifti1Image(voxels, ras_affine(facts, image.ndim - 1), dtype=voxels.dtype)
    nifti.to_filename(path)


def ras_affine(facts: CaseFacts, axes: int) -> NDArray[np.float64]:
    """Return the 4 x 4 matrix from an index to RAS millimetres; by spacing alone, at 0, where no place is known."""
    if facts.affine is not None:
        return _LPS_TO_RAS @ facts.affine
    spacing = (*(1.0,) * (3 - axes), *(facts.spacing_mm or (1.0,) * axes))
    return np.diag([*spacing, 1.0])
