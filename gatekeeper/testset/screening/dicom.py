"""DICOM headers: file meta, every element, nested sequences, and what stands after the pixels.

The whole file is read, pixels included but not decoded: signatures, trailing padding and private groups stand after
them, and reading on costs a copy in memory. Values are looked at as they are stored, so that a malformed number in an
attribute that nobody asks for does not make a file unreadable.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gatekeeper.testset.readers.inflate import inflated_size
from gatekeeper.testset.screening.elements import Told, told_by_element
from gatekeeper.testset.screening.rules import is_block, rule_of_sequence
from gatekeeper.testset.screening.texts import plain

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_PREAMBLE = 128
_DEFLATED = b"1.2.840.10008.1.2.1.99"
_META = 4096
_MOST_INFLATED_BYTES = 1 << 28
_NO_LENGTH = 0xFFFFFFFF
_PIXELS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
_BINARY = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN", "OB or OW", "US or OW", "US or SS or OW"})
# Pictures of these kinds usually have text drawn into them by the machine or the program that made them.
_OFTEN_WRITTEN_ON = frozenset({"US", "IVUS", "ES", "XC", "OT"})
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


@dataclass(frozen=True)
class _Claims:
    """What the file says of itself."""

    removed: bool
    moved: bool


def screen_dicom(data: bytes) -> Iterator[Told]:
    """Give (place, rule) for all that could identify somebody. Raises any exception for what cannot be parsed."""
    from pydicom import dcmread

    check_inflated(data)
    dataset = dcmread(io.BytesIO(data))
    if any(data[:_PREAMBLE]):
        yield "FilePreamble", "preamble"
    removed = _said(dataset, "PatientIdentityRemoved") == "YES"
    moved = removed and _said(dataset, "LongitudinalTemporalInformationModified") == "MODIFIED"
    claims = _Claims(removed, moved)
    yield from _walk(dataset.file_meta, "", claims)
    yield from _walk(dataset, "", claims)
    yield from _told_by_pixels(dataset)


def check_inflated(data: bytes) -> None:
    """Raise Unfit for a deflated file of over 256 MiB, before anybody inflates it at once."""
    if _DEFLATED not in data[:_META]:
        return
    start = _PREAMBLE + 16 + int.from_bytes(data[_PREAMBLE + 12 : _PREAMBLE + 16], "little")
    inflated_size(data[start:], _MOST_INFLATED_BYTES)


def _walk(dataset: Dataset, path: str, claims: _Claims) -> Iterator[Told]:
    from pydicom.datadict import dictionary_VR, keyword_for_tag

    for tag in sorted(dataset.keys()):
        if tag in _PIXELS or tag.element == 0:
            continue
        _check_whole(dataset, tag)
        if tag.is_private:
            if not tag.is_private_creator and _is_filled(dataset, tag):
                yield f"{path}{tag.group:04X},{tag.element >> 8:02X}xx", "private tag"
            continue
        keyword = keyword_for_tag(tag)
        if not keyword:
            if _is_filled(dataset, tag):
                yield f"{path}{tag.group:04X},{tag.element:04X}", "unknown element"
            continue
        where = path + keyword
        kind = str(dataset.get_item(tag).VR or "UN")
        kind = dictionary_VR(tag) if kind == "UN" else kind
        if kind == "SQ":
            yield from _told_by_sequence(dataset, tag, keyword, where, claims)
        elif tag.group & 0xFF00 in (0x5000, 0x6000) and kind in _BINARY:
            if _is_filled(dataset, tag):
                yield where, "overlay"
        elif is_block(keyword):
            if _is_filled(dataset, tag):
                yield where, "embedded document"
        elif kind not in _BINARY:
            for rule in told_by_element(keyword, kind, _text(dataset, tag), dataset, claims.removed, claims.moved):
                yield where, rule


def _check_whole(dataset: Dataset, tag: int) -> None:
    """Refuse a value that is shorter than the file says: pydicom takes what is there without a word."""
    element = dataset.get_item(tag)
    length = getattr(element, "length", 0)
    if isinstance(element.value, bytes) and len(element.value) < length != _NO_LENGTH:
        raise EOFError("a value is cut off")


def _told_by_sequence(dataset: Dataset, tag: int, keyword: str, where: str, claims: _Claims) -> Iterator[Told]:
    items = dataset[tag].value or ()
    if isinstance(items, bytes):
        yield where, "unknown element"
        return
    rule = rule_of_sequence(keyword)
    if rule is not None:
        if any(len(item) for item in items):
            yield where, rule
        return
    for item in items:
        yield from _walk(item, where + ".", claims)


def _told_by_pixels(dataset: Dataset) -> Iterator[Told]:
    written = _said(dataset, "BurnedInAnnotation")
    captured = _said(dataset, "SOPClassUID").startswith(_SECONDARY_CAPTURE) or _said(dataset, "ConversionType") != ""
    if written not in ("YES", "NO"):
        written = "YES" if captured or _said(dataset, "Modality") in _OFTEN_WRITTEN_ON else "NO"
    if written == "YES":
        yield "BurnedInAnnotation", "burned-in annotation"
    if _said(dataset, "RecognizableVisualFeatures") == "YES":
        yield "RecognizableVisualFeatures", "recognisable face"


def _said(dataset: Dataset, keyword: str) -> str:
    from pydicom.datadict import tag_for_keyword

    tag = tag_for_keyword(keyword)
    return _text(dataset, tag).upper() if tag is not None and tag in dataset else ""


def _is_filled(dataset: Dataset, tag: int) -> bool:
    value = dataset.get_item(tag).value
    return bool(value.strip(b" \0")) if isinstance(value, bytes) else value is not None and str(value) not in ("", "[]")


def _text(dataset: Dataset, tag: int) -> str:
    value = dataset.get_item(tag).value
    if isinstance(value, bytes):
        return plain(value)
    several = not isinstance(value, str) and hasattr(value, "__iter__")
    return "\\".join(str(one) for one in value) if several else "" if value is None else str(value).strip()
