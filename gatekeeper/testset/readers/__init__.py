"""From bytes to pixels: one file a format, listed here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from gatekeeper.catalogue import Catalogue
from gatekeeper.errors import Code, UsageError
from gatekeeper.testset.readers.dicom import DICOM
from gatekeeper.testset.readers.image import Image, Reader

READERS: Catalogue[Reader] = Catalogue("reader", [DICOM])


def read_image(files: Mapping[str, bytes], case_id: str) -> Image:
    """Decode the image of a case from its files, by path. Raises UsageError that names the case."""
    ((path, data),) = files.items()
    for reader in READERS:
        if reader.recognises(data, PurePosixPath(path)):
            return reader.read(data, path, case_id)
    known = ", ".join(reader.title for reader in READERS)
    raise UsageError(
        Code.BAD_IMAGE, "no reader recognises this file", where=f"{path} (case {case_id})", mend=f"readable: {known}"
    )


__all__ = ["READERS", "Image", "Reader", "read_image"]
