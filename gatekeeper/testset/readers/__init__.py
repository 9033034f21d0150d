"""From bytes to pixels: one file a format, listed here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import TypeVar

from gatekeeper.catalogue import Catalogue
from gatekeeper.errors import Code, UsageError
from gatekeeper.testset.readers.dicom import DICOM
from gatekeeper.testset.readers.image import Image, Limits, Orientation, Reader, Unfit, checked
from gatekeeper.testset.readers.itk import METAIMAGE, NRRD
from gatekeeper.testset.readers.nifti import NIFTI
from gatekeeper.testset.readers.raster import RASTER
from gatekeeper.testset.silence import silenced

READERS: Catalogue[Reader] = Catalogue("reader", [DICOM, NIFTI, NRRD, METAIMAGE, RASTER])

_Result = TypeVar("_Result")


def read_image(files: Mapping[str, bytes], case_id: str, limits: Limits | None = None) -> Image:
    """Decode the image of a case from its files, by path; a DICOM series is many.

    Raises UsageError that names the case and the file, and no value of a header.
    """
    return explained(lambda: _read(files, limits or Limits()), files, case_id)


def explained(work: Callable[[], _Result], files: Mapping[str, bytes], case_id: str) -> _Result:
    """Do some reading. Whatever fails, raise UsageError that names the case; the messages of libraries are not told."""
    try:
        with silenced():
            return work()
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # decoders written in Rust panic with what is no Exception
        unfit = error if isinstance(error, Unfit) else Unfit("the file cannot be decoded", type(error).__name__)
        raise UsageError(
            Code.BAD_IMAGE,
            unfit.what,
            where=f"{_named(files)} (case {case_id})",
            why=unfit.why,
            mend=unfit.mend or "replace the file, or drop the case",
        ) from error


def _read(files: Mapping[str, bytes], limits: Limits) -> Image:
    if not files:
        raise Unfit("the case has no file")
    limits.check_files(sum(map(len, files.values())))
    path, data = next(iter(files.items()))
    for reader in READERS:
        if reader.recognises(data, PurePosixPath(path)):
            return checked(reader.read(files, limits))
    known = ", ".join(reader.title for reader in READERS)
    raise Unfit("no reader recognises this file", mend=f"readable: {known}")


def _named(files: Mapping[str, bytes]) -> str:
    first = next(iter(files), "no file")
    return first if len(files) < 2 else f"{PurePosixPath(first).parent.as_posix()}, {len(files):,} files"


__all__ = ["READERS", "Image", "Limits", "Orientation", "Reader", "explained", "read_image"]
