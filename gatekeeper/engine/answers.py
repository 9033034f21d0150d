"""A worker's answers, held against the output contract before anything is made of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gatekeeper.candidate import Contract
from gatekeeper.errors import Code, InvalidRunError, UsageError
from gatekeeper.evidence import Condition
from gatekeeper.testset import LockedTestSet


def read_answers(
    folder: Path, group: Sequence[Condition], contract: Contract, testset: LockedTestSet
) -> dict[str, NDArray[np.float64]]:
    """Return what a worker left for each condition: probabilities of shape (n,), or seconds of its timed calls."""
    answers: dict[str, NDArray[np.float64]] = {}
    for index, condition in enumerate(group):
        timed = condition.timed_calls > 0
        file = folder / f"{'seconds' if timed else 'outputs'}-{index}.npy"
        try:
            with file.open("rb") as stream:
                values = np.lib.format.read_array(stream, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise InvalidRunError(
                Code.WORKER_LOST, f'the worker left no readable answer for condition "{condition.id}"'
            ) from error
        if timed:
            answers[condition.id] = _checked_seconds(values, condition)
        else:
            answers[condition.id] = probabilities(values, contract, testset, condition.id)
    return answers


def _checked_seconds(values: NDArray[np.float64], condition: Condition) -> NDArray[np.float64]:
    if (
        values.dtype != np.float64
        or values.shape != (condition.timed_calls,)
        or not np.all((values > 0) & np.isfinite(values))
    ):
        raise InvalidRunError(Code.WORKER_LOST, f'the worker\'s times for condition "{condition.id}" do not hold')
    return values.astype(np.float64)


def probabilities(
    values: NDArray[np.generic], contract: Contract, testset: LockedTestSet, condition: str
) -> NDArray[np.float64]:
    """Hold raw outputs of shape (n,) or (n, 1) against the output contract; return probabilities of shape (n,).

    Raises UsageError when the shape is another, or a case's output is not a number or outside [0, 1].
    """
    cases = testset.manifest.cases
    expected = len(cases)
    if values.shape not in ((expected,), (expected, 1)) or values.dtype.kind != "f":
        shape = " x ".join(str(length) for length in values.shape) or "of a single number"
        found = shape if values.dtype.kind == "f" else f"{shape} and type {values.dtype}"
        raise UsageError(
            Code.MISMATCH,
            f"the candidate's output has shape {found}, its contract says one real number for each of {expected} cases",
            where=f"condition {condition}",
            mend="mend the network or the output contract in the candidate's YAML",
        )
    raw = values.reshape(expected).astype(np.float64)
    bad = ~np.isfinite(raw)
    if contract.output.kind == "probability":
        bad |= (raw < 0.0) | (raw > 1.0)
    if bad.any():
        first = cases[int(np.flatnonzero(bad)[0])].case_id
        kind = "a number" if contract.output.kind == "logit" else "a probability between 0 and 1"
        raise UsageError(
            Code.MISMATCH,
            f"the candidate's output is not {kind} for {int(bad.sum())} of {expected} cases, first for case {first}",
            where=f"condition {condition}",
            mend="mend the network, or output.kind in the candidate's YAML",
        )
    return raw if contract.output.kind == "probability" else _sigmoid(raw)


def _sigmoid(logit: NDArray[np.float64]) -> NDArray[np.float64]:
    small = np.exp(-np.abs(logit))
    return np.asarray(np.where(logit >= 0, 1.0, small) / (1.0 + small))
