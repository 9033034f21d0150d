"""Two real heads with masks of their brains, from installed packages, as a test set on disk.

``colin27``: the average of 27 T1 scans of one man, whole head, with the mask that BET gave (Debian's mricron-data).
``mni152``: the average of 152 people, nonlinearly aligned, from which the skull was taken off before it was published
(nilearn); its mask is where the published volume is not 0. An outline of that one is easy.

No mask was drawn by an expert: agreement with them is agreement with other programs. mricron-data holds the first man's
brain once more, at 0.5 mm and without its skull (ch2better). It is left out: it is made of the same scans, so it is no
second patient, and no rescan either.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gatekeeper.demo.writing import written_below
from gatekeeper.errors import Code, Problem, UsageError

TABLE = "cases.csv"
COLUMNS = ("case_id", "patient_id", "image", "mask", "skull", "reference", "must_refuse")
_MRICRON = Path("/usr/share/mricron/templates")
_MNI152 = "mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz"


@dataclass(frozen=True)
class Head:
    """A head: the file of its image, that of what is left when all but the brain is 0, and what is told of it.

    ``patient`` numbers heads here; nobody else calls them so.
    """

    case_id: str
    patient: str
    image: Path
    stripped: Path
    skull: str
    reference: str


def find_heads(mricron: Path = _MRICRON) -> tuple[Head, ...]:
    """Return both heads. Raises UsageError, with what to install, for the packages that are missing."""
    nilearn = find_spec("nilearn")
    data = Path(nilearn.origin).parent / "datasets" / "data" if nilearn and nilearn.origin else Path()
    heads = (
        Head("colin27", "001", mricron / "ch2.nii.gz", mricron / "ch2bet.nii.gz", "on", "BET"),
        Head("mni152", "002", data / _MNI152, data / _MNI152, "taken off before", "the template's own"),
    )
    missing = list(_missing(heads))
    if missing:
        raise UsageError.of(missing)
    return heads


def find_macaque(mricron: Path = _MRICRON) -> Path | None:
    """Return the brain of a macaque (INIA19), which an extraction of human brains should decline, where it is."""
    found = mricron / "inia19-t1-brain.nii.gz"
    return found if found.is_file() else None


def _missing(heads: tuple[Head, ...]) -> Iterator[Problem]:
    how = {
        "colin27": ("mricron-data, a package of Debian and Ubuntu", "apt-get install mricron-data"),
        "mni152": ("nilearn", "pip install --no-deps nilearn==0.14.1"),
    }
    for head in heads:
        if not (head.image.is_file() and head.stripped.is_file()):
            package, mend = how[head.case_id]
            yield Problem(Code.MISSING_PACKAGE, f"the demonstration needs a head that is in {package}", mend=mend)


def write_heads(folder: Path, heads: tuple[Head, ...], macaque: Path | None = None) -> Path:
    """Write images, masks and ``cases.csv`` below ``folder``; return the table's path. The same bytes each time.

    A macaque has a row that must be refused.

    Headers are written anew: those of the packages hold paths of their makers. Raises UsageError when the folder cannot
    be written.
    """
    table = folder / TABLE
    with written_below(folder, "test set"):
        for part in ("images", "masks"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        with table.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(COLUMNS)
            for head in heads:
                writer.writerow(_write_head(folder, head))
            if macaque is not None:
                writer.writerow(_write_macaque(folder, macaque))
    return table


def _write_head(folder: Path, head: Head) -> tuple[str, ...]:
    image, affine = _read(head.image)
    stripped, of_mask = _read(head.stripped)
    if stripped.shape != image.shape or not np.allclose(affine, of_mask):
        raise UsageError(
            Code.BAD_IMAGE,
            "a head and its mask do not lie on one grid",
            where=str(head.stripped),
            mend="install the package again",
        )
    paths = f"images/{head.case_id}.nii.gz", f"masks/{head.case_id}.nii.gz"
    for path, voxels in zip(paths, (image, (stripped > 0).astype(np.uint8)), strict=True):
        (folder / path).write_bytes(_nifti(voxels, affine))
    return head.case_id, head.patient, *paths, head.skull, head.reference, ""


def _write_macaque(folder: Path, file: Path) -> tuple[str, ...]:
    import nibabel

    image = nibabel.Nifti1Image.from_filename(file)
    voxels = np.asarray(image.dataobj, dtype=np.float32)
    scaled = np.rint(voxels * (255.0 / max(1.0, float(voxels.max())))).astype(np.uint8)
    path = "images/macaque.nii.gz"
    (folder / path).write_bytes(_nifti(scaled, np.asarray(image.affine)))
    return "macaque", "003", path, "", "taken off before", "", "another_species"


def _read(file: Path) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    import nibabel

    image = nibabel.Nifti1Image.from_filename(file)
    return np.asarray(image.dataobj).astype(np.uint8), np.asarray(image.affine)


def _nifti(voxels: NDArray[np.uint8], affine: NDArray[np.float64]) -> bytes:
    """Return a NIfTI file whose place in space is coded as aligned, and whose wrapper bears no name and no time."""
    import nibabel

    image = nibabel.Nifti1Image(voxels, affine)
    image.header.set_xyzt_units("mm")
    image.header.set_sform(affine, code="aligned")
    image.header.set_qform(affine, code="aligned")
    return gzip.compress(image.to_bytes(), compresslevel=6, mtime=0)
