"""What a graph says of its input, held against the contract before anything is computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gatekeeper.candidate.contract import Contract
from gatekeeper.errors import Code, UsageError


@dataclass(frozen=True)
class GraphInput:
    """An input of a graph: its dtype by numpy's name, and its shape with None for a length that may vary."""

    dtype: str
    shape: tuple[int | None, ...]


def check_input(inputs: Sequence[GraphInput], contract: Contract) -> None:
    """Raise UsageError unless a graph has one input, and it takes what the contract will give it."""
    if len(inputs) != 1:
        raise _mismatch(f"the graph has {len(inputs)} inputs", "a candidate takes one: an array of images")
    given, declared = inputs[0], contract.input
    if given.dtype != declared.dtype:
        raise _mismatch(
            f"the graph takes {given.dtype}, the contract gives {declared.dtype}", f"set input.dtype: {given.dtype}"
        )
    lengths = declared.sliding_window.size if declared.sliding_window else declared.size
    shape = (None, declared.channels, *(lengths or (None,) * declared.axes))
    if len(given.shape) != len(shape):
        raise _mismatch(
            f"the graph takes an array of {len(given.shape)} axes, the contract gives {len(shape)}",
            "the axes are (n, channels, *axes of the image): check input.size or input.dimensions",
        )
    for of, fixed, length in zip(("channels", *("size",) * declared.axes), given.shape[1:], shape[1:], strict=True):
        if fixed is not None and fixed != length:
            gives = "any length" if length is None else f"{length}"
            raise _mismatch(
                f"the graph takes {_words(given.shape)}, the contract gives {gives} where it takes {fixed}",
                f"check input.{of}",
            )
    _check_batch(given.shape[0], contract)


def _check_batch(fixed: int | None, contract: Contract) -> None:
    window = contract.input.sliding_window
    if window is not None:
        most, key = window.batch_size, "input.sliding_window.batch_size"
    else:
        most, key = contract.batch_size or 0, "batch_size"
    if fixed is None or (fixed == 1 and most == 1):
        return
    raise _mismatch(
        f"the graph takes {fixed} images at once, no more and no fewer",
        f"set {key}: 1" if fixed == 1 else "export it with a first axis that may vary, or for one image",
    )


def _words(shape: tuple[int | None, ...]) -> str:
    return "(" + ", ".join("n" if length is None else str(length) for length in shape) + ")"


def _mismatch(what: str, mend: str) -> UsageError:
    return UsageError(Code.MISMATCH, what, mend=mend)
