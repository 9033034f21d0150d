"""What became of a call that raised, and which cases were refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gatekeeper.candidate.contract import Refusing

Fault: TypeAlias = Literal["refused", "out_of_memory", "device_lost", "crashed"]

# The output by which adapters of this package hand on that a case was refused; no network can name an output so.
REFUSED = "gatekeeper:refused"

# Texts of torch 2.13 (CPU allocator, CUDA) and onnxruntime 1.32 (CPU arena, CUDA arena).
_MEMORY = (
    "can't allocate memory",
    "cannot allocate memory",
    "out of memory",
    "not enough memory",
    "failed to allocate memory",
    "bfcarena::allocaterawinternal",
    "bad allocation",
    "std::bad_alloc",
    "_status_alloc_failed",
)
# A CUDA context that met one of these answers nothing any more.
_DEVICE = (
    "cuda error:",
    "cuda failure",
    "cudnn_status_execution_failed",
    "cudnn_status_mapping_error",
    "cublas_status_execution_failed",
    "device-side assert",
    "illegal memory access",
    "unspecified launch failure",
    "uncorrectable ecc error",
)


class Refused(Exception):
    """The candidate declined its input in the way that its contract declares."""


class NoDeterministicImplementation(RuntimeError):
    """The network uses an operation that has no deterministic implementation on this device."""


def fault_of(error: BaseException, refusing: Refusing) -> Fault:
    """Tell what an exception means.

    ``refused`` needs the very type that the contract names, with its module or without: a subclass may be anything.
    Memory and device come first, since both are RuntimeError in torch. Only the text of errors that torch and
    onnxruntime raise is looked at.
    """
    kind = type(error)
    text = str(error).lower() if isinstance(error, RuntimeError) or _of_a_library(kind) else ""
    if isinstance(error, MemoryError) or kind.__name__ == "OutOfMemoryError" or any(word in text for word in _MEMORY):
        return "out_of_memory"
    if kind.__name__ == "AcceleratorError" or any(word in text for word in _DEVICE):
        return "device_lost"
    if isinstance(error, Refused) or {kind.__name__, f"{kind.__module__}.{kind.__qualname__}"} & {*refusing.exceptions}:
        return "refused"
    return "crashed"


def _of_a_library(kind: type[BaseException]) -> bool:
    return kind.__module__.partition(".")[0] in ("torch", "onnxruntime")


def declined(outputs: Mapping[str, NDArray[np.generic]], refusing: Refusing, n: int) -> NDArray[np.bool_]:
    """Return which of ``n`` cases were refused: shape (n,).

    The flag has one number a case, shape (n,) or (n, 1), and refuses where it is not 0. A flag of another shape, or
    one that is not there, refuses nothing: a candidate cannot get rid of a case by a broken answer.
    """
    refused = np.zeros(n, dtype=np.bool_)
    if REFUSED not in outputs and refusing.flag not in outputs:
        return refused
    for name in (REFUSED, refusing.flag):
        flag = None if name is None else outputs.get(name)
        if flag is not None and flag.shape in ((n,), (n, 1)) and flag.dtype.kind in "biuf":
            with np.errstate(invalid="ignore"):
                # NaN is no answer, and no refusal.
                refused |= (flag.reshape(n) != 0) & (flag.reshape(n) == flag.reshape(n))
    return refused
