"""What the engine and a candidate's worker say to each other: lines of JSON, and arrays in shared memory.

The engine owns all memory. An input array lies in the slot of its question (``number`` modulo ``SLOTS``), the outputs
in the slot of the same number. Neither side maps what the other could cut short: the engine reads and writes its
slots by position, so that a file which is too short is an error and no signal. Nothing is pickled.
"""

from __future__ import annotations

import math
import os
import select
import time
from collections.abc import Sequence
from typing import Annotated, Literal, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, TypeAdapter, ValidationError

from gatekeeper.candidate.contract import Contract, NumericFormat
from gatekeeper.evidence import Condition, Record

SLOTS = 3
LONGEST_LINE = 64 << 20
LARGEST_ARRAY = 2 << 30
MOST_OUTPUTS = 64
Fault = Literal["refused", "out_of_memory", "crashed"]
Word = Annotated[str, Field(max_length=200)]
Size = Annotated[int, Field(ge=0)]
Bytes = Annotated[int, Field(ge=0, le=1 << 60)]
Seconds = Annotated[float, Field(ge=0.0, le=1e9)]


class Order(Record):
    """How the candidate is run: the first line that a worker gets. ``conditions`` are named by their index."""

    contract: Contract
    folder: str
    device: Literal["auto", "cpu", "cuda"]
    threads: int
    numeric_format: NumericFormat
    channels_last: bool
    compiled: bool
    deterministic: bool
    conditions: tuple[Condition, ...]


class Ready(Record):
    """What a worker says once the candidate is loaded: the walls around it, its device, versions, parameters.

    ``told`` is whether candidate or conditions need more of a case than its pixels; a network does not.
    """

    kind: Literal["ready"] = "ready"
    walls: tuple[Word, ...]
    device: Word
    device_name: Word
    packages: dict[Word, Word]
    deterministic: bool
    parameters: int | None
    told: bool = True


class Declined(Record):
    """Why a worker cannot begin: something that the person who called can mend."""

    kind: Literal["declined"] = "declined"
    what: Annotated[str, Field(max_length=2000)]
    why: Annotated[str, Field(max_length=2000)] | None
    mend: Annotated[str, Field(max_length=2000)] | None


class ArrayAt(Record):
    """An array in a slot: C order, at ``offset`` bytes."""

    name: Word
    offset: Size
    shape: Annotated[tuple[Size, ...], Field(max_length=8)]
    dtype: Literal["bool", "uint8", "int8", "int16", "uint16", "int32", "int64", "float16", "float32", "float64"]

    @property
    def size(self) -> int:
        """Its length in bytes."""
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize


class FileAt(Record):
    """A file of a case, as it was locked, in a slot."""

    name: str
    offset: Size
    length: Size


class Given(Record):
    """What is told of a case besides its pixels; nothing that says which one it is."""

    spacing_mm: tuple[float, ...] | None
    affine: tuple[tuple[float, ...], ...] | None
    modality: str
    files: tuple[FileAt, ...] = ()


class Question(Record):
    """A batch of n cases of one shape, to be answered under some conditions, in their order.

    ``cases`` is what is told of each, or empty where the worker needs nothing (``Ready.told``). ``seeds`` has for each
    condition n numbers from which its perturbation is drawn, or none where nothing is drawn. Of a ``timed`` question
    transfer, forward pass and transfer back are waited for one by one.
    """

    number: Size
    images: ArrayAt
    cases: tuple[Given, ...]
    conditions: tuple[int, ...]
    seeds: tuple[tuple[int, ...], ...]
    timed: bool = False


class Failed(Record):
    """A case that the candidate gave no answer to, and the type of the exception."""

    case: Size
    fault: Fault
    error: Word


class Part(Record):
    """Outputs of some cases of a batch, all of one call; their first axis is the cases."""

    cases: tuple[Size, ...]
    outputs: Annotated[tuple[ArrayAt, ...], Field(max_length=MOST_OUTPUTS)]


class Answer(Record):
    """What became of a question under one condition. Each case is in one part, or failed.

    Of a timed question, ``seconds``: transfer, forward pass, transfer back; ``peak_device`` and ``peak_children``: the
    most bytes held so far on the device, and by a process that was started and is gone; None where nothing tells.
    """

    kind: Literal["answer"] = "answer"
    number: Size
    condition: Size
    parts: tuple[Part, ...]
    failed: tuple[Failed, ...]
    seconds: tuple[Seconds, Seconds, Seconds] | None = None
    peak_device: Bytes | None = None
    peak_children: Bytes | None = None


class DeviceLost(Record):
    """The worker ends because its device cannot be used any more, after this kind of error."""

    kind: Literal["device_lost"] = "device_lost"
    error: Word


Said: TypeAlias = Annotated[Ready | Declined | Answer | DeviceLost, Field(discriminator="kind")]
_SAID: TypeAdapter[Ready | Declined | Answer | DeviceLost] = TypeAdapter(Said)
AnyRecord = TypeVar("AnyRecord", bound=Record)


class Garbled(Exception):
    """The other side said what is no message."""


class Ended(Exception):
    """The other side is gone."""


class Late(Exception):
    """The other side said nothing for as long as it had."""


class Line:
    """One end of the line between engine and worker: whole lines, read with a deadline."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._pending = bytearray()

    def say(self, message: Record) -> None:
        """Send a message. Raises Ended."""
        data = memoryview(message.__pydantic_serializer__.to_json(message) + b"\n")
        try:
            while data:
                data = data[os.write(self.fd, data) :]
        except (BrokenPipeError, ConnectionResetError) as error:
            raise Ended from error

    def hear(self, deadline: float | None = None) -> bytes:
        """Return the next line; ``deadline`` on the monotonic clock. Raises Ended, Late, Garbled."""
        while (end := self._pending.find(b"\n")) < 0:
            if len(self._pending) > LONGEST_LINE:
                raise Garbled
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            if not select.select([self.fd], [], [], left)[0]:
                raise Late
            try:
                piece = os.read(self.fd, 1 << 16)
            except ConnectionResetError as error:
                raise Ended from error
            if not piece:
                raise Ended
            self._pending += piece
        line = bytes(self._pending[:end])
        del self._pending[: end + 1]
        return line

    def hear_as(self, kind: type[AnyRecord]) -> AnyRecord:
        """Return the next line as a record; the worker's side, which trusts the engine."""
        return kind.model_validate_json(self.hear())

    def hear_worker(self, deadline: float) -> Ready | Declined | Answer | DeviceLost:
        """Return what the worker says next, held against what it may say. Raises Ended, Late, Garbled."""
        try:
            return _SAID.validate_json(self.hear(deadline))
        except ValidationError as error:
            raise Garbled from error


def write_arrays(fd: int, arrays: Sequence[tuple[str, NDArray[np.generic]]], start: int = 0) -> tuple[ArrayAt, ...]:
    """Put arrays one after another into a slot, from ``start`` bytes on, and say where they lie."""
    placed, offset = [], start
    for name, array in arrays:
        whole = np.ascontiguousarray(array)
        write_bytes(fd, whole.reshape(-1).view(np.uint8).data, offset)
        placed.append(ArrayAt(name=name, offset=offset, shape=array.shape, dtype=str(array.dtype)))
        offset += -(-whole.nbytes // 64) * 64
    return tuple(placed)


def write_bytes(fd: int, data: memoryview, offset: int) -> None:
    """Put bytes into a slot."""
    while data:
        written = os.pwrite(fd, data, offset)
        data, offset = data[written:], offset + written


def read_array(fd: int, place: ArrayAt) -> NDArray[np.generic]:
    """Copy an array out of a slot. Raises Garbled when the slot ends before it does, or it is over 2 GiB."""
    if place.size and place.offset + place.size > min(os.fstat(fd).st_size, place.offset + LARGEST_ARRAY):
        raise Garbled
    array = np.empty(place.shape, dtype=place.dtype)
    rest, offset = array.reshape(-1).view(np.uint8).data, place.offset
    while rest:
        got = os.preadv(fd, [rest], offset)
        if got == 0:
            raise Garbled
        rest, offset = rest[got:], offset + got
    return array
