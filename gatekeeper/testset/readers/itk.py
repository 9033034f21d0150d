"""NRRD and MetaImage, by SimpleITK, which reads files only: each is put into a private folder for the while."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gatekeeper.testset.readers.image import Image, Limits, Reader, Unfit, single

if TYPE_CHECKING:
    import SimpleITK

_HEAD = 65_536
_COLOURS = 3


def _is_nrrd(data: bytes, path: PurePosixPath) -> bool:
    return data.startswith(b"NRRD000")


def _is_metaimage(data: bytes, path: PurePosixPath) -> bool:
    return b"ElementDataFile" in data[:_HEAD] and b"NDims" in data[:_HEAD]


def _head(data: bytes, end: bytes) -> list[tuple[str, str]]:
    """Return the fields of a text header, names in small letters."""
    lines = data[:_HEAD].partition(end)[0].decode("latin-1").splitlines()
    pairs = (line.replace("=", ":", 1).partition(":") for line in lines)
    return [(name.strip().lower(), value.strip()) for name, _, value in pairs]


def _read_nrrd(files: Mapping[str, bytes], limits: Limits) -> Image:
    data = single(files)
    if any(name in ("data file", "datafile") for name, _ in _head(data, b"\n\n")):
        raise Unfit("the pixels lie in another file", "only headers with their pixels are read", "attach the pixels")
    return _read(data, ".nrrd", limits)


def _read_metaimage(files: Mapping[str, bytes], limits: Limits) -> Image:
    data = single(files)
    lines = data[:_HEAD].split(b"ElementDataFile", 1)
    if lines[1].split(b"\n", 1)[0].strip(b" =\r\t") != b"LOCAL":
        raise Unfit("the pixels lie in another file", "only headers with their pixels are read", "write it as .mha")
    return _read(data, ".mha", limits)


def _read(data: bytes, suffix: str, limits: Limits) -> Image:
    import SimpleITK as sitk

    with tempfile.TemporaryDirectory(prefix="gatekeeper-") as folder:
        file = Path(folder) / f"image{suffix}"
        file.write_bytes(data)
        reader = sitk.ImageFileReader()
        reader.SetFileName(str(file))
        reader.ReadImageInformation()
        size, components = reader.GetSize(), reader.GetNumberOfComponents()
        while len(size) > 3 and size[-1] == 1:
            size = size[:-1]
        if len(size) not in (2, 3):
            raise Unfit(f"the image has {len(size)} dimensions", "a case is one image or one volume")
        if components not in (1, _COLOURS):
            raise Unfit(f"the pixels have {components} components")
        limits.check_pixels(*size, components)
        image = reader.Execute()
    return _converted(image, components)


def _converted(image: SimpleITK.Image, components: int) -> Image:
    import SimpleITK as sitk

    pixels = np.asarray(sitk.GetArrayViewFromImage(image))
    if pixels.dtype.kind not in "iuf":
        raise Unfit("the pixels are no plain numbers")
    axes = pixels.ndim - (components > 1)
    if axes > 3:
        pixels = pixels.reshape(pixels.shape[axes - 3 :])
        axes = 3
    spacing = tuple(float(length) for length in image.GetSpacing()[:axes])[::-1]
    return Image(
        pixels=pixels.astype(np.float32),
        spacing_mm=spacing,
        affine=_affine(image) if image.GetDimension() == 3 else None,
        colour=components > 1,
    )


def _affine(image: SimpleITK.Image) -> NDArray[np.float64]:
    axes = np.array(image.GetDirection(), dtype=np.float64).reshape(3, 3) * np.array(image.GetSpacing())
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = axes[:, ::-1], image.GetOrigin()
    return affine


NRRD = Reader(name="nrrd", title="NRRD (.nrrd)", recognises=_is_nrrd, read=_read_nrrd)
METAIMAGE = Reader(name="metaimage", title="MetaImage (.mha)", recognises=_is_metaimage, read=_read_metaimage)
