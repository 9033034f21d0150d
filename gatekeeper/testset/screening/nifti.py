"""NIfTI-1 and NIfTI-2: the free fields of the header, its extensions, and the name inside a gzip wrapper.

Decided: ``db_name`` and ``aux_file`` are told whenever they hold more than a dummy, since converters put patients,
comments and paths there; ``descrip``, ``intent_name`` and ``data_type`` when a pattern finds something in them. An
extension of the header is told whatever it holds: DICOM, AFNI and XML extensions carry whole headers and histories.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator

from gatekeeper.testset.screening.elements import Told
from gatekeeper.testset.screening.texts import is_dummy, plain, told_by

_NIFTI_1, _NIFTI_2 = 348, 540
_MAGIC_AT = {_NIFTI_1: 344, _NIFTI_2: 4}
_MAGICS = {_NIFTI_1: (b"n+1\0", b"ni1\0"), _NIFTI_2: (b"n+2\0", b"ni2\0")}
_READ_FREELY = ("descrip", "intent_name", "data_type")
_TOLD_IF_FILLED = ("db_name", "aux_file")
_MOST_HEADER_BYTES = 1 << 24
_PIECE = 1 << 14


def is_nifti(data: bytes) -> bool:
    """Whether the first bytes are those of a NIfTI header, in either order of bytes."""
    return _kind(data) is not None


def screen_nifti(data: bytes) -> Iterator[Told]:
    """Give (field, rule) for a header that may be cut off behind its extensions."""
    import nibabel

    kind = nibabel.Nifti1Header if _kind(data) == _NIFTI_1 else nibabel.Nifti2Header
    header = kind.from_fileobj(io.BytesIO(data), check=False)
    fields = set(header.keys())
    for field in _READ_FREELY:
        if field in fields:
            yield from ((field, rule) for rule in told_by(plain(bytes(header[field]))))
    for field in _TOLD_IF_FILLED:
        if field in fields and not is_dummy(plain(bytes(header[field]))):
            yield field, "comment"
    for extension in header.extensions:
        yield f"extension {extension.get_code()}", "header extension"


def screen_gzip(data: bytes) -> Iterator[Told]:
    """Give what the wrapper's own name and comment say, then what the NIfTI header inside says.

    What is inside and no NIfTI is not screened. At most 16 MiB are inflated.
    """
    for place, text in _wrapper_texts(data):
        yield from ((place, rule) for rule in told_by(text))
    inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)
    inside = inflater.decompress(data[:_PIECE], _PIECE)
    if not is_nifti(inside):
        yield "gzip content", "not screened"
        return
    needed = _header_bytes(inside)
    if needed > _MOST_HEADER_BYTES:
        raise ValueError("the header is too large")
    if needed > len(inside):
        inside = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(data, needed)
    yield from screen_nifti(inside)


def _kind(data: bytes) -> int | None:
    size = {int.from_bytes(data[:4], "little"), int.from_bytes(data[:4], "big")}
    for kind, at in _MAGIC_AT.items():
        if kind in size and data[at : at + 4] in _MAGICS[kind]:
            return kind
    return None


def _header_bytes(data: bytes) -> int:
    """Return where the voxels begin, by the header; the length of the header where it does not say."""
    import nibabel

    kind = nibabel.Nifti1Header if _kind(data) == _NIFTI_1 else nibabel.Nifti2Header
    header = kind(data[: kind.template_dtype.itemsize], check=False)  # type: ignore[no-untyped-call]
    return max(int(header["vox_offset"]), kind.template_dtype.itemsize + 4)


def _wrapper_texts(data: bytes) -> Iterator[tuple[str, str]]:
    """Give the optional file name and comment of a gzip member (RFC 1952, section 2.3)."""
    flags, at = data[3], 10
    if flags & 4:
        at += 2 + int.from_bytes(data[at : at + 2], "little")
    for flag, place in ((8, "gzip file name"), (16, "gzip comment")):
        if flags & flag:
            end = data.index(b"\0", at)
            yield place, plain(data[at:end])
            at = end + 1
