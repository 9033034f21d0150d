"""What a failed call is called, and which cases count as refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from gatekeeper.candidate.adapters import declined, fault_of
from gatekeeper.candidate.adapters.faults import REFUSED, Refused
from gatekeeper.candidate.contract import Refusing


class OutsideDomain(ValueError):
    """Made up: how a candidate says that it declines."""


NAMED = Refusing(exceptions=("ValueError", f"{__name__}.OutsideDomain"), flag="unfit", status=3)


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (ValueError("no brain here"), "refused"),
        (OutsideDomain(), "refused"),
        (Refused(), "refused"),
        (UnicodeError("a subclass of ValueError may be a defect"), "crashed"),
        (KeyError("x"), "crashed"),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), "crashed"),
        (MemoryError(), "out_of_memory"),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"), "out_of_memory"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"), "out_of_memory"),
        (RuntimeError("CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"), "out_of_memory"),
        (RuntimeError("CUDA error: device-side assert triggered"), "device_lost"),
        (torch.AcceleratorError("an illegal memory access was encountered"), "device_lost"),
        (KeyError("CUDA error: in the words of a candidate"), "crashed"),
    ],
)
def test_a_fault_is_named_by_type_and_by_known_texts(error: BaseException, fault: str) -> None:
    assert fault_of(error, NAMED) == fault


def test_faults_of_onnxruntime_are_known() -> None:
    from onnxruntime.capi.onnxruntime_pybind11_state import Fail, RuntimeException

    allocation = RuntimeException("[ONNXRuntimeError] : 6 : bad allocation")
    device = Fail("CUDA failure 700: an illegal memory access was encountered")
    assert fault_of(allocation, Refusing()) == "out_of_memory"
    assert fault_of(device, Refusing()) == "device_lost"
    assert fault_of(Fail("Non-zero status code returned while running Conv"), Refusing()) == "crashed"


def test_nothing_is_refused_without_a_declaration() -> None:
    assert fault_of(ValueError(), Refusing()) == "crashed"
    assert not declined({"unfit": np.ones(3)}, Refusing(), 3).any()


@pytest.mark.parametrize(
    ("flag", "expected"),
    [
        (np.array([0, 1, 0]), [False, True, False]),
        (np.array([[True], [False], [True]]), [True, False, True]),
        (np.array([0.0, np.nan, 0.2], dtype=np.float32), [False, False, True]),
        (np.ones(2), [False] * 3),
        (np.ones((3, 2)), [False] * 3),
        (np.array(["a", "b", "c"]), [False] * 3),
    ],
)
def test_a_flag_refuses_case_by_case(flag: NDArray[np.generic], expected: list[bool]) -> None:
    outputs = {"unfit": flag, "other": np.ones(3)}
    assert declined(outputs, NAMED, 3).tolist() == expected


@given(st.lists(st.booleans(), min_size=1, max_size=9), st.lists(st.booleans(), min_size=9, max_size=9))
def test_a_case_is_refused_by_either_way(own: list[bool], flagged: list[bool]) -> None:
    outputs: dict[str, NDArray[np.generic]] = {REFUSED: np.array(own), "unfit": np.array(flagged[: len(own)])}
    expected = [mine or theirs for mine, theirs in zip(own, flagged, strict=False)]
    assert declined(outputs, NAMED, len(own)).tolist() == expected
