"""JPEG segments, TIFF tags and the EXIF that both (and PNG) carry.

What describes the picture itself (sizes, compression, colours, resolution) stands in a list; every other tag that is
filled is told, so that a tag nobody thought of is not passed over.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

from gatekeeper.testset.screening.elements import Told
from gatekeeper.testset.screening.texts import is_dummy, plain, told_by

if TYPE_CHECKING:
    from PIL.Image import Exif

# TIFF 6.0 and Exif 3.0: tags of the picture's form and of how the camera was set.
_FORM_OF_TIFF = (
    *(*range(254, 260), *range(262, 267), 273, 274, *range(277, 285), *range(288, 294), 296, 297, 301),
    *(*range(317, 326), 332, 334, 336, *range(338, 342), 347, *range(512, 516), *range(517, 522), *range(529, 533)),
    *(32997, 34665, 34675),
)
_FORM_OF_EXIF = (
    *(33434, 33437, 34850, 34855, 34864, 36864, 37121, 37122, *range(37377, 37387), *range(40960, 40964), 40965),
    *(41486, 41487, 41488, 41495, 41728, 41729, *range(41985, 41995), 41996, 42034),
)
_FORM = frozenset((*_FORM_OF_TIFF, *_FORM_OF_EXIF))
_MAKE_MODEL_SOFTWARE = frozenset({271, 272, 305, 42035, 42036})
_GPS, _EXIF = 34853, 34665
_RULES = {
    "date": frozenset({306, 36867, 36868, 36880, 36881, 36882, 37520, 37521, 37522}),
    "name": frozenset({315, 33432, 40093, 42032, 42039}),
    "device": frozenset({42033, 42037, 316}),
    "place": frozenset({_GPS}),
}
_THUMBNAIL = 1
_MOST_PAGES = 4096


def told_by_exif(exif: Exif) -> Iterator[Told]:
    """Give (tag, rule) for an EXIF block: owner, dates, serial numbers, place, thumbnail, and what is not known."""
    yield from _told_by_tags(dict(exif))
    yield from _told_by_tags(exif.get_ifd(_EXIF))
    if exif.get_ifd(_THUMBNAIL):
        yield "thumbnail", "small picture"


def screen_jpeg(data: bytes) -> Iterator[Told]:
    """Give (segment, rule): comments, EXIF, and any application segment but JFIF, ICC and Adobe's colour transform."""
    from PIL import JpegImagePlugin

    image = JpegImagePlugin.JpegImageFile(io.BytesIO(data))
    for marker, content in image.applist:
        if marker == "COM":
            if not is_dummy(plain(content)):
                yield "COM", "text field"
        elif content.startswith(b"Exif\0"):
            yield from told_by_exif(image.getexif())
        elif not content.startswith((b"JFIF\0", b"ICC_PROFILE\0", b"Adobe")):
            yield marker, "text field"
    if not data.rstrip(b"\0").endswith(b"\xff\xd9"):
        yield "after EOI", "trailing data"


def screen_tiff(data: bytes) -> Iterator[Told]:
    """Give (tag, rule) over all pages."""
    from PIL import TiffImagePlugin

    image = TiffImagePlugin.TiffImageFile(io.BytesIO(data))
    for page in range(_MOST_PAGES + 1):
        try:
            image.seek(page)
        except EOFError:
            return
        yield from _told_by_tags(dict(image.tag_v2))
        if _EXIF in image.tag_v2:
            yield from _told_by_tags(image.getexif().get_ifd(_EXIF))
    raise ValueError("too many pages")


def _told_by_tags(tags: dict[int, object]) -> Iterator[Told]:
    from PIL import ExifTags, TiffTags

    for tag, value in tags.items():
        if tag in _FORM or _is_empty(value):
            continue
        where = TiffTags.lookup(tag).name
        where = ExifTags.TAGS.get(tag, f"tag {tag}") if where == "unknown" else where
        rule = next((rule for rule, those in _RULES.items() if tag in those), None)
        if rule is not None:
            yield where, rule
        elif tag in _MAKE_MODEL_SOFTWARE:
            yield from ((where, found) for found in told_by(str(value)) if found != "web address in text")
        else:
            yield where, "text field" if isinstance(value, str | bytes) else "unknown element"


def _is_empty(value: object) -> bool:
    if isinstance(value, bytes):
        return is_dummy(plain(value.removeprefix(b"ASCII\0\0\0")))
    return value is None or (isinstance(value, str) and is_dummy(value))
