"""PNG, JPEG and TIFF, by Pillow. They say nothing of space, and nothing of modality."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import PurePosixPath

import numpy as np

from gatekeeper.testset.readers.image import Image, Limits, Reader, Unfit, single

_MAGICS = {b"\x89PNG\r\n\x1a\n": "PNG", b"\xff\xd8\xff": "JPEG", b"II*\0": "TIFF", b"MM\0*": "TIFF"}
_lock = threading.Lock()
_GREY = frozenset({"L", "I", "F", "I;16", "I;16B", "I;16L", "I;16N"})


def _format(data: bytes) -> str | None:
    return next((name for magic, name in _MAGICS.items() if data.startswith(magic)), None)


def _recognises(data: bytes, path: PurePosixPath) -> bool:
    return _format(data) is not None


@contextmanager
def _whole_files_only() -> Iterator[None]:
    """Have Pillow refuse files that are cut, for the while: other libraries tell it, for all, to fill them up."""
    from PIL import ImageFile

    with _lock:
        kept, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, False
        try:
            yield
        finally:
            ImageFile.LOAD_TRUNCATED_IMAGES = kept


def _read(files: Mapping[str, bytes], limits: Limits) -> Image:
    from PIL import Image as pillow
    from PIL import ImageOps

    data = single(files)
    with _whole_files_only(), pillow.open(io.BytesIO(data), formats=[_format(data) or "PNG"]) as opened:
        limits.check_pixels(*opened.size, len(opened.getbands()))
        if getattr(opened, "n_frames", 1) != 1:
            raise Unfit("the file has several pages", "a case is one image")
        opened.load()
        upright = ImageOps.exif_transpose(opened)
        if upright.mode in _GREY:
            return Image(np.asarray(upright).astype(np.float32))
        if upright.mode == "1":
            return Image(np.asarray(upright.convert("L")).astype(np.float32))
        if upright.mode in ("RGB", "P") and "transparency" not in upright.info:
            return Image(np.asarray(upright.convert("RGB")).astype(np.float32), colour=True)
        raise Unfit(
            f"the image is of the kind {upright.mode}",
            "grey, RGB and indexed colours without transparency are read",
            "save it as grey or RGB",
        )


RASTER = Reader(name="raster", title="PNG, JPEG, TIFF", recognises=_recognises, read=_read)
