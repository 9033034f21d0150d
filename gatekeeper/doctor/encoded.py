"""One small image in each way in which DICOM encodes pixels: eight by eight, grey, value 4 x its number.

Made with imagecodecs 2026 (libjpeg-turbo, CharLS, OpenJPEG, OpenJPH); in 12 bits it is 60 x the number.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

_BASELINE = (
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAIBAQEBAQIBAQECAgICAgQDAgICAgUEBAMEBgUGBgYFBgYGBwkIBgcJBwYGCAsICQoKCgoKBggL"
    "DAsKDAkKCgr/wAALCAAIAAgBAREA/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQIDAAQR"
    "BRIhMUEGE1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4"
    "eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/9oACAEB"
    "AAA/AK/w2/4NuP8AV/8AFBen/Lt/9av/2Q=="
)
_EXTENDED = (
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAIBAQEBAQIBAQECAgICAgQDAgICAgUEBAMEBgUGBgYFBgYGBwkIBgcJBwYGCAsICQoKCgoKBggL"
    "DAsKDAkKCgr/wQALDAAIAAgBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAACv/EABwQAAAGAwAAAAAAAAAAAAAAAAALDio2SFRkcf/aAAgBAQAA"
    "PwAw5dyndSDMbMau3NUf/9k="
)
_LOSSLESS = (
    "/9j/4AAQSkZJRgABAQAAAQABAAD/wwALCAAIAAgBAREA/8QAFgABAQEAAAAAAAAAAAAAAAAAAwYI/9oACAEBAAEAAM/oiIiJQIiIiJQIiIiJ"
    "QIiIiJQIiIiJQIiIiJQIiIiJQIiIiJ//2Q=="
)
_LS = (
    "/9j/6AAgU1BJRkYAAgAAAQAAAAgAAAAICggGAQAAASwAAAEs/+gACAAAAAH/2P/3AAsIAAgACAEBEQD/2gAIAQEAAAAAnd1/cAAIRk2xAAAk"
    "qpn1XR5/nX+cf5t/AP/Z"
)
_LS_NEAR = (
    "/9j/6AAgU1BJRkYAAgAAAQAAAAgAAAAICggGAQAAASwAAAEs/+gACAAAAAH/2P/3AAsIAAgACAEBEQD/2gAIAQEAAgAAvl4CSSlAVSlAitrD"
    "zsP7P7P4/9k="
)
_J2K = (
    "/0//UQApAAAAAAAIAAAACAAAAAAAAAAAAAAACAAAAAgAAAAAAAAAAAABBwEB/1IADAAAAAEAAAQEAAH/XAAEQED/ZAAlAAFDcmVhdGVkIGJ5"
    "IE9wZW5KUEVHIHZlcnNpb24gMi41LjT/kAAKAAAAAAA7AAH/k9+BUBIrAwsLE+S5L4U/OFCCoRT/VnHDc30kzjC9vXJjPurEavNMOjl9iy72"
    "V//Z"
)
_J2K_LOSSY = (
    "/0//UQApAAAAAAAIAAAACAAAAAAAAAAAAAAACAAAAAgAAAAAAAAAAAABBwEB/1IADQECAAEAAAQEAACI/1wABUJAAP9kACUAAUNyZWF0ZWQg"
    "YnkgT3BlbkpQRUcgdmVyc2lvbiAyLjUuNP+QAAoAAAAAADEAAf+T30IAEisDCwsT5LkvhT84UIKhFP9WccNzfSTOML29cmM+6sT/2Q=="
)
_HT = (
    "/0//UQApQAAAAAAIAAAACAAAAAAAAAAAAAAACAAAAAgAAAAAAAAAAAABBwEB/1AACAACAAAAAv9SAAwAAgABAAUEBEAB/1wAEyBIUFBQUFBQ"
    "UFBQUFBQSEhI/2QAFwABT3BlbkpQSCBWZXIgMC4yNi4zLv+QAAoAAAAAAEkAAf+TwCXbAId0AAAAwBLAEoDiAAd0ACIBh3QAwBLAEwAAAMJ0"
    "AI6OAENUAMAlgFSAqqnidAC+9/7AAAHstgD/2Q=="
)


@dataclass(frozen=True)
class Encoded:
    """A transfer syntax by its name and UID, the coded frame (None: as it is), and how far a decoder may round."""

    name: str
    uid: str
    frame: bytes | None
    tolerance: int = 0
    bits: int = 8


PIXELS = bytes(range(0, 256, 4))


def _run_lengths() -> bytes:
    """One segment, which is one literal run (PS3.5, annex G)."""
    header = b"".join(number.to_bytes(4, "little") for number in (1, 64, *[0] * 14))
    return header + bytes([len(PIXELS) - 1]) + PIXELS + b"\0"


def _coded(text: str) -> bytes:
    return base64.b64decode(text)


_UID = "1.2.840.10008.1.2"
ENCODED = (
    Encoded("Implicit VR Little Endian", _UID, None),
    Encoded("Explicit VR Little Endian", f"{_UID}.1", None),
    Encoded("Deflated", f"{_UID}.1.99", None),
    Encoded("Explicit VR Big Endian", f"{_UID}.2", None),
    Encoded("RLE", f"{_UID}.5", _run_lengths()),
    Encoded("JPEG baseline", f"{_UID}.4.50", _coded(_BASELINE), 12),
    Encoded("JPEG extended, 12 bits", f"{_UID}.4.51", _coded(_EXTENDED), 120, 12),
    Encoded("JPEG lossless", f"{_UID}.4.57", _coded(_LOSSLESS)),
    Encoded("JPEG lossless, first-order", f"{_UID}.4.70", _coded(_LOSSLESS)),
    Encoded("JPEG-LS", f"{_UID}.4.80", _coded(_LS)),
    Encoded("JPEG-LS, near-lossless", f"{_UID}.4.81", _coded(_LS_NEAR), 2),
    Encoded("JPEG 2000 lossless", f"{_UID}.4.90", _coded(_J2K)),
    Encoded("JPEG 2000", f"{_UID}.4.91", _coded(_J2K_LOSSY), 12),
    Encoded("HTJ2K lossless", f"{_UID}.4.201", _coded(_HT)),
    Encoded("HTJ2K lossless, RPCL", f"{_UID}.4.202", _coded(_HT)),
    Encoded("HTJ2K", f"{_UID}.4.203", _coded(_HT)),
)
