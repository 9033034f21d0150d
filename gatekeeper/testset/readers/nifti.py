"""NIfTI-1 and NIfTI-2 in one file, plain or compressed (nifti.nimh.nih.gov; nibabel's rules for sform and qform)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from gatekeeper.testset.readers.image import Image, Limits, Reader, Unfit, single
from gatekeeper.testset.readers.inflate import GZIP_MAGIC, gunzip

_HEADER = 544
_SPARE = 1 << 20  # what may follow the pixels
_REVERSED = [2, 1, 0, 3]
_RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def _recognises(data: bytes, path: PurePosixPath) -> bool:
    head = data[:_HEADER]
    if head.startswith(GZIP_MAGIC):
        head = gunzip(data, _HEADER, whole=False)
    return head[344:348] in (b"n+1\0", b"ni1\0") or head[4:8] in (b"n+2\0", b"ni2\0")


def _read(files: Mapping[str, bytes], limits: Limits) -> Image:
    import nibabel

    data = single(files)
    compressed = data.startswith(GZIP_MAGIC)
    head = gunzip(data, _HEADER, whole=False) if compressed else data[:_HEADER]
    kind = nibabel.Nifti2Image if head[4:8] in (b"n+2\0", b"ni2\0") else nibabel.Nifti1Image
    header = kind.header_class(head[: kind.header_class.template_dtype.itemsize], check=False)
    shape = tuple(int(size) for size in header.get_data_shape())
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    if len(shape) not in (2, 3):
        raise Unfit(f"the image has {len(shape)} dimensions", "a case is one image or one volume", "split it by time")
    limits.check_pixels(*shape)
    stored = header.get_data_dtype()
    if stored.kind not in "iuf":
        raise Unfit("the pixels are no plain numbers", "complex and coloured voxels are not read")
    if compressed:
        size = max(int(header["vox_offset"]), _HEADER) + int(np.prod(shape, dtype=np.int64)) * stored.itemsize
        data = gunzip(data, size + _SPARE)
    image = kind.from_bytes(data)
    pixels = np.asarray(image.dataobj, dtype=np.float32).reshape(shape, order="F").T
    lengths = tuple(float(length) for length in image.header.get_zooms()[: len(shape)])[::-1]
    return Image(
        pixels=np.ascontiguousarray(pixels),
        spacing_mm=lengths if all(length > 0.0 for length in lengths) else None,
        affine=_affine(image.affine, image.header),
    )


def _affine(ras: NDArray[np.float64] | None, header: object) -> NDArray[np.float64] | None:
    """Return the affine of an array index (k, j, i) in LPS; None when neither form says where the image lies."""
    coded = any(int(header[name]) > 0 for name in ("sform_code", "qform_code"))  # type: ignore[index]
    if ras is None or not coded:
        return None
    return np.asarray(_RAS_TO_LPS @ ras, dtype=np.float64)[:, _REVERSED]


NIFTI = Reader(name="nifti", title="NIfTI (.nii, .nii.gz)", recognises=_recognises, read=_read)
