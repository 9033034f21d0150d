"""NRRD and MetaImage: the lines of their text headers.

What describes the picture itself (sizes, encoding, space) stands in a list; every other line that is filled is told,
so that a field nobody thought of is not passed over. Sources: the NRRD format, version 5; ITK's MetaIO.
"""

from __future__ import annotations

from collections.abc import Iterator

from gatekeeper.testset.screening.elements import Told
from gatekeeper.testset.screening.texts import is_dummy, plain

_HEAD = 1 << 20
_FORM_OF_NRRD = """
    type dimension space sizes spacings thicknesses kinds endian encoding centers centerings labels units min max number
    spacedimension spacedirections spaceorigin spaceunits measurementframe axismins axismaxs blocksize byteskip lineskip
    oldmin oldmax sampleunits datafile
"""
_FORM_OF_METAIMAGE = """
    objecttype ndims binarydata binarydatabyteordermsb elementbyteordermsb compresseddata compresseddatasize
    compressionlevel transformmatrix offset position origin centerofrotation anatomicalorientation elementspacing
    elementsize dimsize elementtype elementnumberofchannels elementmin elementmax headersize modality orientation
    rotation distanceunits elementdatafile
"""
_NRRD, _METAIMAGE = frozenset(_FORM_OF_NRRD.split()), frozenset(_FORM_OF_METAIMAGE.split())
_BOILERPLATE = (b"# Complete NRRD file format specification at:", b"# http://teem.sourceforge.net/nrrd/format.html")


def is_nrrd(data: bytes) -> bool:
    """Whether the first bytes are those of an NRRD header."""
    return data.startswith(b"NRRD000")


def is_metaimage(data: bytes) -> bool:
    """Whether the text at the beginning is a MetaImage header."""
    return b"ElementDataFile" in data[:_HEAD] and b"NDims" in data[:_HEAD]


def screen_nrrd(data: bytes) -> Iterator[Told]:
    """Give (field, rule) for comments, the field ``content``, key/value pairs and fields that are not known."""
    lines = data[:_HEAD].replace(b"\r\n", b"\n").partition(b"\n\n")[0].split(b"\n")[1:]
    for line in lines:
        if line.startswith(b"#"):
            if line.strip() not in _BOILERPLATE and not is_dummy(plain(line.lstrip(b"#"))):
                yield "comment", "text field"
            continue
        name, _, value = line.partition(b":")
        yield from _told(name, value.removeprefix(b"="), _NRRD, known=not value.startswith(b"="))


def screen_metaimage(data: bytes) -> Iterator[Told]:
    """Give (field, rule) for every field that does not describe the picture itself."""
    for line in data[:_HEAD].split(b"\n"):
        name, _, value = line.partition(b"=")
        yield from _told(name, value, _METAIMAGE, known=True)
        if name.strip() == b"ElementDataFile":
            return


def _told(name: bytes, value: bytes, form: frozenset[str], *, known: bool) -> Iterator[Told]:
    field = plain(name)
    if known and field.replace(" ", "").lower() in form:
        return
    if not is_dummy(plain(value)):
        yield (field if field.isprintable() and len(field) <= 64 else "field"), "text field"
