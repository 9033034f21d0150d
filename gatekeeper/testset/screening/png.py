"""PNG: chunk by chunk (W3C PNG specification, third edition), without decoding the picture."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from gatekeeper.testset.screening.elements import Told
from gatekeeper.testset.screening.texts import is_dummy, plain, told_by

_SIGNATURE = 8
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
_PICTURE = frozenset(
    b"IHDR PLTE IDAT IEND tRNS cHRM gAMA iCCP sBIT sRGB cICP mDCV cLLI bKGD hIST pHYs sPLT acTL fcTL fdAT".split()
)
# A keyword that is not registered is a text like any other, and is not repeated.
_KEYWORDS = frozenset(
    {"Author", "Collection", "Comment", "Copyright", "Creation Time", "Description", "Disclaimer", "Software", "Source"}
    | {"Title", "Warning", "XML:com.adobe.xmp"}
)
_MOST_TEXT_BYTES = 1 << 20


def screen_png(data: bytes) -> Iterator[Told]:
    """Give (chunk, rule): every text but the name of a program, times, EXIF, unknown chunks, bytes after the end."""
    at, kind = _SIGNATURE, b""
    while kind != b"IEND":
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        content = data[at + 8 : at + 8 + size]
        if len(kind) < 4 or len(content) < size:
            raise ValueError("a chunk is cut off")
        at += size + 12
        if kind in _TEXTS:
            yield from _told_by_text(kind, content)
        elif kind == b"tIME":
            yield "tIME", "date"
        elif kind == b"eXIf":
            yield from _told_by_exif(content)
        elif kind not in _PICTURE and content:
            yield f"chunk {kind.decode()}" if kind.isalpha() and kind.isascii() else "chunk", "unknown element"
    if data[at:]:
        yield "after IEND", "trailing data"


def _told_by_text(kind: bytes, content: bytes) -> Iterator[Told]:
    name, _, rest = content.partition(b"\0")
    keyword = plain(name)
    where = f"{kind.decode()} {keyword if keyword in _KEYWORDS else '(keyword not registered)'}"
    if keyword == "Software":
        text = plain(_inflated(kind, rest))
        # Programs sign with their own web address.
        yield from ((where, rule) for rule in told_by(text) if rule != "web address in text")
    elif not is_dummy(plain(rest)):
        yield where, "text field"


def _inflated(kind: bytes, rest: bytes) -> bytes:
    if kind == b"tEXt":
        return rest
    compressed = kind == b"zTXt" or rest[:1] == b"\1"
    body = rest[1:] if kind == b"zTXt" else rest[2:].split(b"\0", 2)[-1]
    return zlib.decompressobj().decompress(body, _MOST_TEXT_BYTES) if compressed else body


def _told_by_exif(content: bytes) -> Iterator[Told]:
    from PIL import Image

    from gatekeeper.testset.screening.raster import told_by_exif

    exif = Image.Exif()
    exif.load(content)
    yield from told_by_exif(exif)
