"""What a command wrote is hostile: sizes are bounded, links refused, JSON strict, nothing is unpickled."""

from __future__ import annotations

import io
import json
import os
import stat
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from gatekeeper.candidate.adapters.case_files import case_name, ras_affine
from gatekeeper.candidate.adapters.faults import REFUSED
from gatekeeper.candidate.adapters.model import Batch, CaseFacts
from gatekeeper.candidate.adapters.outputs import padded_boxes
from gatekeeper.candidate.contract import Contract, OutputContract
from gatekeeper.evidence import Record

_LARGEST_JSON = 4 << 20
_MOST_BOXES = 10_000
_HEADERS = 1 << 16
# A voxel of a mask takes at most this many bytes, one of a file at most one more for what compression adds.
_LARGEST_VOXEL = 8
_MOST_CHANNELS = 1024


class Box(Record):
    """A finding: low and high corner in pixels of the prepared array, in the order of its axes, and its score."""

    low: tuple[float, ...] = Field(min_length=2, max_length=3)
    high: tuple[float, ...] = Field(min_length=2, max_length=3)
    score: float


class CaseJson(Record):
    """``NAME.json`` of one case. Which key is needed depends on the kind of output."""

    probability: float | None = None
    logit: float | None = None
    probabilities: dict[str, float] | None = Field(default=None, max_length=10_000)
    logits: dict[str, float] | None = Field(default=None, max_length=10_000)
    boxes: tuple[Box, ...] | None = Field(default=None, max_length=_MOST_BOXES)
    refused: bool = False


class _Unreadable(Exception):
    """A file that is not there, or is not what it must be."""


def read_answers(folder: Path, batch: Batch, contract: Contract) -> dict[str, NDArray[np.generic]]:
    """Return the answers of a batch of n cases, first axis n.

    ``probability`` or ``logit`` (n,); ``probabilities`` or ``logits`` (n, classes) in the order of the contract;
    ``mask`` (n, *axes) or (n, channels, *axes); ``boxes`` and ``scores``. A case whose answer is missing or
    cannot be read is NaN throughout; of boxes, it has one finding whose corners and score are NaN. Which cases the
    command refused stands under ``REFUSED``.
    """
    try:
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        opened = -1
    try:
        given = [_json(opened, case_name(index)) for index in range(len(batch.cases))]
        refused = np.array([answer is not None and answer.refused for answer in given], dtype=np.bool_)
        kind = contract.output.kind
        outputs: dict[str, NDArray[np.generic]]
        if kind in ("probability", "logit"):
            outputs = {kind: np.array([_number(answer, kind) for answer in given])}
        elif kind in ("softmax", "logits"):
            key = "probabilities" if kind == "softmax" else "logits"
            outputs = {key: np.array([_of_classes(answer, key, contract.output) for answer in given])}
        elif kind == "boxes":
            outputs = dict(padded_boxes([_boxes(answer, contract) for answer in given], contract.input.axes))
        else:
            outputs = {"mask": _masks(opened, batch, contract)}
        return {**outputs, REFUSED: refused}
    finally:
        if opened >= 0:
            os.close(opened)


def _json(folder: int, name: str) -> CaseJson | None:
    try:
        text = _bytes(folder, f"{name}.json", _LARGEST_JSON)
        # pydantic takes a key that stands twice, and the last value of it.
        json.loads(text, object_pairs_hook=_each_once)
        return CaseJson.model_validate_json(text)
    except (_Unreadable, ValidationError, ValueError, RecursionError):
        return None


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError
    return dict(pairs)


def _bytes(folder: int, name: str, most: int) -> bytes:
    """Read a regular file of at most ``most`` bytes. Raises _Unreadable for links, pipes and longer ones."""
    if folder < 0:
        raise _Unreadable
    try:
        fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError:
        raise _Unreadable from None
    with open(fd, "rb") as stream:
        facts = os.fstat(fd)
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > most:
            raise _Unreadable
        data = stream.read(most + 1)
    if len(data) > most:
        raise _Unreadable
    return data


def _number(answer: CaseJson | None, key: str) -> float:
    value = None if answer is None else getattr(answer, key)
    return float("nan") if value is None else float(value)


def _of_classes(answer: CaseJson | None, key: str, output: OutputContract) -> list[float]:
    values: dict[str, float] | None = None if answer is None else getattr(answer, key)
    if values is None or set(values) != set(output.classes):
        return [float("nan")] * len(output.classes)
    return [values[name] for name in output.classes]


def _boxes(answer: CaseJson | None, contract: Contract) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    axes = contract.input.axes
    found = None if answer is None else answer.boxes
    if found is None or any(len(box.low) != axes or len(box.high) != axes for box in found):
        if answer is not None and answer.refused:
            return np.empty((0, 2, axes)), np.empty(0)
        return np.full((1, 2, axes), np.nan), np.full(1, np.nan)
    corners = np.array([(box.low, box.high) for box in found], dtype=np.float64).reshape(-1, 2, axes)
    return corners, np.array([box.score for box in found], dtype=np.float64)


def _masks(folder: int, batch: Batch, contract: Contract) -> NDArray[np.generic]:
    """Return masks of one shape; a case without one is NaN, and so is every case of another shape than the first."""
    axes = batch.images.shape[2:]
    read: list[NDArray[np.generic] | None] = []
    for index, facts in enumerate(batch.cases):
        try:
            read.append(_mask(folder, case_name(index), axes, facts))
        except Exception:  # parsers of hostile files fail in their own ways
            read.append(None)
    there = [mask for mask in read if mask is not None]
    if not there:
        return np.full((len(read), *axes), np.nan, dtype=np.float32)
    shape = there[0].shape
    if all(mask is not None and mask.shape == shape for mask in read):
        return np.stack(there)
    fitting = np.result_type(np.float32, *{mask.dtype for mask in there})
    blank = np.full(shape, np.nan, dtype=fitting)
    return np.stack([mask if mask is not None and mask.shape == shape else blank for mask in read])


def _mask(folder: int, name: str, axes: tuple[int, ...], facts: CaseFacts) -> NDArray[np.generic]:
    voxels = int(np.prod(axes, dtype=object))
    most = voxels * _LARGEST_VOXEL * _MOST_CHANNELS
    try:
        mask = _npy(_bytes(folder, f"{name}.npy", min(most, 1 << 31) + _HEADERS))
    except _Unreadable:
        packed = _bytes(folder, f"{name}.nii.gz", voxels * _LARGEST_VOXEL + 2 * _HEADERS)
        mask = _nifti(packed, axes, facts)
    if mask.shape[-len(axes) :] != axes or mask.ndim > len(axes) + 1 or mask.dtype.kind not in "biuf":
        raise _Unreadable
    return mask


def _npy(data: bytes) -> NDArray[np.generic]:
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
    shape, by_columns, dtype = read(stream, max_header_size=10_000)
    rest = memoryview(data)[stream.tell() :]
    if dtype.hasobject or dtype.itemsize * int(np.prod(shape, dtype=object)) != len(rest):
        raise _Unreadable
    flat = np.frombuffer(rest, dtype=dtype)
    return flat.reshape(shape, order="F" if by_columns else "C").astype(dtype.newbyteorder("="), copy=False)


def _nifti(packed: bytes, axes: tuple[int, ...], facts: CaseFacts) -> NDArray[np.generic]:
    """Read a NIfTI mask whose voxels are those of the array, in whatever order of axes it was written."""
    from nibabel import Nifti1Image
    from nibabel.orientations import apply_orientation, inv_ornt_aff, io_orientation

    most = int(np.prod(axes, dtype=object)) * _LARGEST_VOXEL + _HEADERS
    inflating = zlib.decompressobj(wbits=31)
    data = inflating.decompress(packed, most)
    if not inflating.eof:
        raise _Unreadable
    image = Nifti1Image.from_bytes(data)
    grid = (*(1,) * (3 - len(axes)), *axes)
    if sorted(image.shape) != sorted(grid) or image.affine is None:
        raise _Unreadable
    # From an index of the mask to an index of the array: a permutation with flips, or it is another grid.
    between = np.linalg.inv(ras_affine(facts, len(axes))) @ image.affine
    ways = io_orientation(between)
    mask = apply_orientation(np.asanyarray(image.dataobj), ways)
    left = between @ inv_ornt_aff(ways, image.shape)
    if mask.shape != grid or not np.allclose(left, np.eye(4), atol=0.01):
        raise _Unreadable
    return np.ascontiguousarray(mask.reshape(axes))
