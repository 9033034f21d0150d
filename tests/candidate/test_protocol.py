from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from socket import socketpair

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as np_st

from gatekeeper.candidate.protocol import (
    LARGEST_ARRAY,
    Answer,
    ArrayAt,
    DeviceLost,
    Ended,
    Garbled,
    Late,
    Line,
    read_array,
    write_arrays,
)

_DTYPES = ["bool", "uint8", "int16", "uint16", "int32", "int64", "float16", "float32", "float64"]


@contextmanager
def slot() -> Iterator[int]:
    fd = os.memfd_create("slot")
    try:
        yield fd
    finally:
        os.close(fd)


@contextmanager
def both_ends() -> Iterator[tuple[Line, Line]]:
    one, other = socketpair()
    with one, other:
        yield Line(one.fileno()), Line(other.fileno())


_ARRAYS = st.sampled_from(_DTYPES).flatmap(
    lambda dtype: np_st.arrays(dtype, np_st.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
)


@settings(max_examples=60, deadline=None)
@given(arrays=st.lists(_ARRAYS, min_size=1, max_size=4))
def test_what_is_put_into_a_slot_comes_out_bit_for_bit(arrays: list[np.ndarray]) -> None:
    with slot() as fd:
        places = write_arrays(fd, [(str(number), array) for number, array in enumerate(arrays)])
        for place, array in zip(places, arrays, strict=True):
            found = read_array(fd, place)
            assert found.shape == array.shape
            assert found.tobytes() == np.ascontiguousarray(array).tobytes()


@pytest.mark.parametrize("offset", [0, 1 << 40])
@pytest.mark.parametrize("shape", [(5,), (1 << 62,), (1 << 30, 1 << 30), (LARGEST_ARRAY + 1,)])
def test_an_array_that_is_not_there_is_garbled_and_nothing_is_allocated_for_it(
    offset: int, shape: tuple[int, ...]
) -> None:
    with slot() as fd:
        os.pwrite(fd, b"1234", 0)
        with pytest.raises(Garbled):
            read_array(fd, ArrayAt(name="x", offset=offset, shape=shape, dtype="uint8"))


def test_a_slot_cut_short_after_it_was_announced_is_an_error_and_no_signal() -> None:
    with slot() as fd:
        (place,) = write_arrays(fd, [("x", np.zeros(1 << 16))])
        os.ftruncate(fd, 10)
        with pytest.raises(Garbled):
            read_array(fd, place)


@pytest.mark.parametrize(
    "said",
    [
        b"\x80\x04K\x01.",
        b"{}",
        b'{"kind": "answer"}',
        b'{"kind": "device_lost", "error": 5}',
        b'{"kind": "device_lost", "error": "x", "more": 1}',
        b'{"kind": "device_lost", "error": "' + b"x" * 300 + b'"}',
        b'{"kind": "answer", "number": -1, "condition": 0, "parts": [], "failed": []}',
        b'{"kind": "answer", "number": 0, "condition": 0, "parts": [{"cases": [0], "outputs": '
        b'[{"name": "x", "offset": 0, "shape": [1], "dtype": "object"}]}], "failed": []}',
        b'{"kind": "answer", "number": 0, "condition": 0, "parts": [], "failed": [], "seconds": [NaN, 1, 1]}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_message_of_a_worker_is_garbled(said: bytes) -> None:
    with both_ends() as (engine, worker):
        writer = threading.Thread(target=os.write, args=(worker.fd, said + b"\n"))
        writer.start()
        with pytest.raises(Garbled):
            engine.hear_worker(time.monotonic() + 5)
        writer.join()


def test_messages_that_come_in_pieces_are_heard_whole_and_in_order() -> None:
    messages = [DeviceLost(error=f"Error{number}") for number in range(50)]
    data = b"".join(message.model_dump_json().encode() + b"\n" for message in messages)
    with both_ends() as (engine, worker):
        pieces = [data[start : start + 7] for start in range(0, len(data), 7)]
        writer = threading.Thread(target=lambda: [os.write(worker.fd, piece) for piece in pieces])
        writer.start()
        assert [engine.hear_worker(time.monotonic() + 5) for _ in messages] == messages
        writer.join()


def test_silence_is_late_and_a_closed_line_is_the_end() -> None:
    one, other = socketpair()
    with one:
        with other, pytest.raises(Late):
            Line(one.fileno()).hear_worker(time.monotonic() + 0.01)
        with pytest.raises(Ended):
            Line(one.fileno()).hear_worker(time.monotonic() + 5)
        with pytest.raises(Ended):
            Line(one.fileno()).say(Answer(number=0, condition=0, parts=(), failed=()))
