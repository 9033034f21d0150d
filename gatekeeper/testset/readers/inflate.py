"""Decompression that stops at a cap: a small file can grow to any size."""

from __future__ import annotations

from gatekeeper.testset.readers.image import Unfit

GZIP_MAGIC = b"\x1f\x8b"
_RAW, _GZIP = -15, 31
_PIECE = 1 << 20


def gunzip(data: bytes, most: int, *, whole: bool = True) -> bytes:
    """Return the content of a gzip file, of one member or several, up to ``most`` bytes.

    Raises Unfit when there is more, or the stream is broken or cut; with ``whole`` False the beginning is enough.
    """
    from isal import isal_zlib

    parts: list[bytes] = []
    size, rest = 0, data
    try:
        while rest and size < most:
            stream = isal_zlib.decompressobj(_GZIP)
            part = stream.decompress(rest, most - size)
            parts.append(part)
            size += len(part)
            if not stream.eof:
                break
            # What follows a member is another one, or padding that gzip itself ignores.
            rest = stream.unused_data if stream.unused_data.startswith(GZIP_MAGIC) else b""
        if whole and not stream.eof:
            raise Unfit(*(_TOO_LARGE if size >= most else _CUT))
    except isal_zlib.IsalError as error:  # type: ignore[misc]
        if whole:
            raise Unfit(*_CUT) from error
    return b"".join(parts)


def inflated_size(data: bytes, most: int) -> int:
    """Return how large a raw deflate stream is, keeping none of it. Raises Unfit beyond ``most`` bytes."""
    from isal import isal_zlib

    stream = isal_zlib.decompressobj(_RAW)
    size, rest = 0, data
    while not stream.eof:
        part = stream.decompress(rest, _PIECE)
        size, rest = size + len(part), stream.unconsumed_tail
        if size > most:
            raise Unfit(*_TOO_LARGE)
        if not part and not rest:
            break
    return size


_TOO_LARGE = ("the file is larger than is read once it is decompressed", None, "crop or split it")
_CUT = ("the compressed file is damaged or cut", None, None)
