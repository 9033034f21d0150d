"""The files embedded in a PDF, by the names that a viewer shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyhanko.pdf_utils.generic import ArrayObject, DictionaryObject
    from pyhanko.pdf_utils.reader import PdfFileReader

LARGEST_BYTES = 256 << 20
MOST_ATTACHMENTS = 64
_DEEPEST = 8


def read_attachments(reader: PdfFileReader) -> dict[str, bytes]:
    """Return the embedded files by name.

    Raises ValueError, in one sentence, for more than 64 files, one over 256 MiB, a name that occurs twice, or an
    entry whose names differ from one another. A broken structure may raise anything: it is read from hostile input.
    """
    found: dict[str, bytes] = {}
    if "/Names" not in reader.root or "/EmbeddedFiles" not in reader.root["/Names"]:
        return found
    for name, specification in _entries(reader.root["/Names"]["/EmbeddedFiles"], _DEEPEST):
        if name in found:
            raise ValueError("two attachments have the same name")
        if len(found) == MOST_ATTACHMENTS:
            raise ValueError(f"it has more than {MOST_ATTACHMENTS} attachments")
        if {name} != {str(specification[key]) for key in ("/UF", "/F") if key in specification}:
            raise ValueError("an attachment has two different names")
        found[name] = _content(specification)
    return found


def _entries(node: DictionaryObject, depth: int) -> Iterator[tuple[str, DictionaryObject]]:
    if depth == 0:
        raise ValueError("its list of attachments is nested too deeply")
    listed = _array(node, "/Names")
    for index in range(0, len(listed), 2):
        yield str(listed[index]), listed[index + 1]
    kids = _array(node, "/Kids")
    for index in range(len(kids)):
        yield from _entries(kids[index], depth - 1)


def _array(node: DictionaryObject, key: str) -> ArrayObject | tuple[()]:
    # Only [] looks an indirect object up in a dictionary or array: get() and iteration give the bare reference.
    if key not in node:
        return ()
    array: ArrayObject = node[key]
    return array


def _content(specification: DictionaryObject) -> bytes:
    from pyhanko.pdf_utils.misc import PdfDecodeLimitError

    files = specification["/EF"]
    streams = {files.raw_get(key).reference for key in files}
    if len(streams) != 1:
        raise ValueError("an attachment has two different contents")
    try:
        data = bytes(streams.pop().get_object().data)
    except PdfDecodeLimitError as error:
        raise ValueError(_too_large()) from error
    if len(data) > LARGEST_BYTES:
        raise ValueError(_too_large())
    return data


def _too_large() -> str:
    return f"an attachment is larger than {LARGEST_BYTES >> 20} MiB"
