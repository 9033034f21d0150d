"""Raw outputs of a candidate as probabilities and labels, of cases and of voxels; each raises ``Invalid``.

Of cases all is computed in float64, of voxels in the type of the output (float16: in float32).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatekeeper.candidate.contract import OutputContract
from gatekeeper.engine.output_faults import OutputFault, require

Floats = NDArray[np.float64]

_SUM_TOLERANCE = 1e-3
_MOST_LABEL = 65_535


def positive_probabilities(raw: Floats, output: OutputContract) -> list[float]:
    """Return the calibrated probability of the positive class of n cases, each as it is alone.

    ``raw``: the outputs of that class, shape (n, 1), or those of a pair, (n, 2). Raises when any of them does not hold.
    """
    from scipy.special import expit

    _check(raw, output)
    at = output.classes.index(str(output.positive)) if raw.shape[1] == 2 else 0
    if output.kind in ("probability", "softmax") and output.calibration is None:
        return [float(value) for value in raw[:, at]]
    with np.errstate(all="ignore"):  # certainty has infinite odds
        odds = _log_odds(raw, at, output)
        if output.calibration is not None:
            odds = output.calibration.slope * odds + output.calibration.intercept
        return _number(expit(odds))


def class_probabilities(raw: Floats, output: OutputContract) -> list[float]:
    """Return the calibrated probabilities of K > 2 classes of their raw outputs, shape (K,).

    A calibration's intercept is added to every log alike and so changes nothing.
    """
    from scipy.special import softmax

    _check(raw, output)
    if output.kind == "softmax" and output.calibration is None:
        return [float(value) for value in raw]
    with np.errstate(all="ignore"):
        logs = np.log(raw) if output.kind == "softmax" else raw
        if output.calibration is not None:
            logs = output.calibration.slope * logs
        return _number(softmax(logs))


def _check(raw: Floats, output: OutputContract) -> None:
    require(bool(np.isfinite(raw).all()), OutputFault.NOT_FINITE)
    if output.kind in ("probability", "softmax"):
        require(bool(((raw >= 0.0) & (raw <= 1.0)).all()), OutputFault.NO_PROBABILITY)
    if output.kind == "softmax":
        require(bool((np.abs(raw.sum(axis=-1) - 1.0) <= _SUM_TOLERANCE).all()), OutputFault.NO_SUM)


def _log_odds(raw: Floats, at: int, output: OutputContract) -> Floats:
    """Return the log-odds of the class ``at``, shape (n,)."""
    if output.kind == "logit":
        return raw[:, 0]
    if output.kind == "probability":
        return np.asarray(np.log(raw[:, 0]) - np.log1p(-raw[:, 0]))
    logs = np.log(raw) if output.kind == "softmax" else raw
    return np.asarray(logs[:, at] - logs[:, 1 - at])


def _number(values: Floats) -> list[float]:
    """See that a calibration has not made what is no number: of an endless slope, say."""
    require(bool(np.isfinite(values).all()), OutputFault.NOT_FINITE)
    return [float(value) for value in values]


def declared_labels(values: NDArray[Any], output: OutputContract) -> NDArray[np.uint16]:
    """Return a mask's labels, of any type of number; all are declared, or background."""
    least, greatest = float(values.min()), float(values.max())  # NaN is handed on by both
    require(bool(np.isfinite(least) and np.isfinite(greatest)), OutputFault.NOT_FINITE)
    require(bool(least >= 0 and greatest <= _MOST_LABEL), OutputFault.NO_LABEL)
    labels = values.astype(np.uint16)
    if values.dtype.kind == "f":
        require(np.array_equal(labels, values), OutputFault.NO_LABEL)
    known = np.zeros(_MOST_LABEL + 1, dtype=np.bool_)
    known[[0, *output.structures.values()]] = True
    require(bool(known[labels].all()), OutputFault.NO_LABEL)
    return labels


def voxel_probabilities(values: NDArray[Any], output: OutputContract) -> NDArray[Any]:
    """Return the probabilities of the channels of ``mask_probability``, ``mask_logit`` or ``mask_softmax``."""
    if values.dtype == np.float16:
        values = values.astype(np.float32)
    least, greatest = float(values.min()), float(values.max())
    require(bool(np.isfinite(least) and np.isfinite(greatest)), OutputFault.NOT_FINITE)
    if output.kind == "mask_logit":
        from scipy.special import expit

        return np.asarray(expit(values))
    require(bool(least >= 0.0 and greatest <= 1.0), OutputFault.NO_PROBABILITY)
    if output.kind == "mask_softmax":
        apart = values.sum(axis=0)
        apart -= 1.0
        require(bool(max(-apart.min(), apart.max()) <= _SUM_TOLERANCE), OutputFault.NO_SUM)
    return values


def highest(probabilities: NDArray[Any]) -> NDArray[np.uint16]:
    """Return the channel of the highest value, the first where some are equal; five times faster than argmax."""
    labels = np.zeros(probabilities.shape[1:], dtype=np.uint16)
    best = probabilities[0].copy()
    for channel in range(1, len(probabilities)):
        labels[probabilities[channel] > best] = channel
        np.maximum(best, probabilities[channel], out=best)
    return labels
