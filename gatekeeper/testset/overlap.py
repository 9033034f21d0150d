"""What two sets of cases share: patients, files, and images that look the same.

The fingerprint is ImageHash's ``phash`` with ``hash_size=16``: the signs, against their median, of the 16 x 16 lowest
coefficients of a DCT of the image at 64 x 64; 256 bits a slice. Two images are near-identical when at most a tenth of
the bits differ, 25 of 256. Measured on 29 unlike images among pydicom's test files, and on LIDC-IDRI masks:

- Unlike images: none of 406 pairs; the nearest pair is 96 bits apart. By the difference, average and wavelet hashes of
  256 bits the nearest are 46, 27 and 34 apart, which a harmless change of one image can cost too.
- Changed copies found, of 29: scaled values, 8 bits, blur (sigma 1) and JPEG at quality 50 all 29; gamma 0.7 and 2 %
  noise 28; 5 % noise and 1 % cropped 27; half the size 26; values clipped to the 10th-95th percentile 23; moved by one
  pixel 23; 4 % cropped 6.
- Not found: turned, mirrored or inverted copies, and copies moved by 2 %. Images that are their own mirror image, such
  as a symmetrical template, are found less often: half of their coefficients are noise about zero.
- Slices of one volume look alike: those of MNI152 10 mm apart come as near as 22 bits. That is one patient, told twice.
- Small binary masks look alike too: of 36,580 pairs of LIDC-IDRI nodules of different patients (64 x 64, centred) 1.2 %
  count as near-identical and 0.14 % have the same fingerprint. Over sets of masks only patients and files are telling.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from gatekeeper.evidence import Record

NEAR = 0.1
MOST_LISTED = 1000

_SIDE = 16
_BITS = _SIDE * _SIDE
_METHOD = "phash16"
_BLOCK = 256
_AT = (3 / 8, 1 / 2, 5 / 8)
Key = TypeVar("Key", bound=Hashable)


class Item(Record):
    """A case to compare: its patient as HMAC, the digests of its files, and its fingerprint ("" when it has none)."""

    case_id: str
    patient: str
    digests: tuple[str, ...]
    fingerprint: str = ""


class Pair(Record):
    """A case of the first set and one of the second; ``distance`` is the share of bits that differ, 0 to 0.1."""

    first: str
    second: str
    distance: float = Field(ge=0, le=1)


class Overlap(Record):
    """What two sets share. ``patients`` are HMACs; the pairs are the first 1,000 of as many as ``..._pairs`` says.

    Images of pairs that share a file are not told again. ``without_fingerprint`` counts cases of either set whose image
    could not be compared: their likeness is unknown, not absent.
    """

    patients: tuple[str, ...]
    files: tuple[Pair, ...]
    file_pairs: int = Field(ge=0)
    images: tuple[Pair, ...]
    image_pairs: int = Field(ge=0)
    without_fingerprint: int = Field(ge=0)

    @property
    def nothing(self) -> bool:
        """Whether no patient, no file and no near-identical image is shared, and all images could be compared."""
        return not (self.patients or self.file_pairs or self.image_pairs or self.without_fingerprint)


def fingerprint(pixels: NDArray[np.floating]) -> str:
    """Return a perceptual hash of a grey image (rows, columns) or volume (slices, rows, columns).

    Of a volume the slices at 3/8, 1/2 and 5/8 of the first axis are taken. Each slice is scaled to 8 bits between its
    1st and 99th percentile, so that units, windows and bit depths do not matter. The result names its method,
    ``phash16:<64 hex digits>`` or ``phash16x3:<192 hex digits>``: only those of one method are compared. An image whose
    every slice is of one value looks like nothing and has none (""). Raises ValueError for other shapes, or for pixels
    that are no numbers.
    """
    if pixels.ndim not in (2, 3) or 0 in pixels.shape:
        raise ValueError("a fingerprint is made of an image (rows, columns) or a volume (slices, rows, columns)")
    slices = [pixels] if pixels.ndim == 2 else [pixels[int(len(pixels) * at)] for at in _AT]
    if not all(np.isfinite(one).all() for one in slices):
        raise ValueError("the image has pixels that are no numbers")
    grey = [_grey(one) for one in slices]
    if not any(one.any() for one in grey):
        return ""
    method = _METHOD if len(slices) == 1 else f"{_METHOD}x{len(slices)}"
    return f"{method}:{''.join(_hash(one) for one in grey)}"


def shared(first: Sequence[Item], second: Sequence[Item], *, same_secret: bool) -> Overlap:
    """Compare every case of one set with every case of another.

    ``same_secret`` says whether one secret keyed the HMACs of both sets: under different secrets the same patient has
    different HMACs, so patients are then not compared at all and ``patients`` is empty, which says nothing. Files are
    identical when a digest is; a pair that shares several is told once.
    """
    common = {item.patient for item in first} & {item.patient for item in second} if same_secret else set()
    files = _pairs_of_files(first, second)
    images, many = _near(first, second, set(files))
    return Overlap(
        patients=tuple(sorted(common)),
        files=tuple(Pair(first=one, second=other, distance=0.0) for one, other in files[:MOST_LISTED]),
        file_pairs=len(files),
        images=tuple(images),
        image_pairs=many,
        without_fingerprint=sum(not item.fingerprint for item in (*first, *second)),
    )


def _grey(pixels: NDArray[np.floating]) -> NDArray[np.uint8]:
    low, high = (float(value) for value in np.percentile(pixels, (1, 99)))
    if high <= low:
        low, high = float(pixels.min()), float(pixels.max())
    if high <= low:
        return np.zeros(pixels.shape, dtype=np.uint8)
    scaled = np.clip((pixels.astype(np.float64) - low) / (high - low), 0.0, 1.0)
    return (scaled * 255).astype(np.uint8)


def _hash(grey: NDArray[np.uint8]) -> str:
    import imagehash
    from PIL import Image

    bits: NDArray[np.bool_] = imagehash.phash(Image.fromarray(grey), hash_size=_SIDE).hash
    return np.packbits(bits.ravel()).tobytes().hex()


def _pairs_of_files(first: Sequence[Item], second: Sequence[Item]) -> list[tuple[str, str]]:
    where = _grouped(second, lambda item: item.digests)
    pairs = {
        (item.case_id, other.case_id): None
        for item in first
        for digest in item.digests
        for other in where.get(digest, ())
    }
    return list(pairs)


def _near(first: Sequence[Item], second: Sequence[Item], told: set[tuple[str, str]]) -> tuple[list[Pair], int]:
    """Return the first pairs of near-identical images that are not ``told``, and how many there are in all."""
    kinds = _grouped(first, _method_of), _grouped(second, _method_of)
    found: list[Pair] = []
    many = 0
    for method in sorted(set(kinds[0]) & set(kinds[1])):
        theirs = kinds[1][method]
        packed, column_of = _packed(theirs), {item.case_id: column for column, item in enumerate(theirs)}
        bits = packed.shape[1] * 64
        for start in range(0, len(kinds[0][method]), _BLOCK):
            block = kinds[0][method][start : start + _BLOCK]
            distances = _distances(_packed(block), packed)
            near = distances <= int(bits * NEAR)
            row_of = {item.case_id: row for row, item in enumerate(block)}
            for one, other in told:
                if one in row_of and other in column_of:
                    near[row_of[one], column_of[other]] = False
            many += int(near.sum())
            for place in np.flatnonzero(near)[: MOST_LISTED - len(found)].tolist():
                row, column = divmod(place, len(theirs))
                share = float(distances[row, column]) / bits
                found.append(Pair(first=block[row].case_id, second=theirs[column].case_id, distance=share))
    return found, many


def _method_of(item: Item) -> tuple[str, ...]:
    return (item.fingerprint.partition(":")[0],) if item.fingerprint else ()


def _packed(items: Sequence[Item]) -> NDArray[np.uint64]:
    rows = [np.frombuffer(bytes.fromhex(item.fingerprint.partition(":")[2]), dtype=np.uint64) for item in items]
    return np.stack(rows)


def _distances(ours: NDArray[np.uint64], theirs: NDArray[np.uint64]) -> NDArray[np.uint16]:
    """Return how many bits differ, shape (ours, theirs), one word of 64 bits after the other to stay in the cache."""
    total = np.zeros((len(ours), len(theirs)), dtype=np.uint16)
    for word in range(ours.shape[1]):
        total += np.bitwise_count(ours[:, word, None] ^ theirs[None, :, word])
    return total


def _grouped(items: Sequence[Item], keys: Callable[[Item], Iterable[Key]]) -> dict[Key, list[Item]]:
    groups: dict[Key, list[Item]] = defaultdict(list)
    for item in items:
        for key in keys(item):
            groups[key].append(item)
    return groups
