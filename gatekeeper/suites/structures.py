"""Masks and measured quantities against their references, structure by structure: means over cases.

Evidence holds a column ``measured.<structure>.<metric>`` for each metric (``<metric>@<tolerance>`` where it takes one),
as ``metrics.masks.charged`` gives it: a missed structure at its declared cost, NaN where the reference alone leaves the
case without a value. ``measured.<structure>.diagonal`` is that of the volume in mm, ``quantity`` and ``reference`` are
what was measured and what is right.

A case without an answer counts as a structure that was missed, also where there is none to be found (a volume of
nothing has no share: only its relative volumes are left out). Where evidence does not say what that costs, nothing is
measured: a lost case is never left out of a mean.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from gatekeeper.evidence import Reason, Rows
from gatekeeper.metrics.masks import DISTANCES, VALUES
from gatekeeper.metrics.overlap import VOLUME_BIAS
from gatekeeper.policy import Requirement
from gatekeeper.statistics import Undecidable
from gatekeeper.statistics.bland_altman import magnitude
from gatekeeper.statistics.means import clustered_mean_interval
from gatekeeper.suites.clusters import FEWEST_CLUSTERS, SEED, Clusters, Floats
from gatekeeper.suites.measurement import Measurement, measured, undefined
from gatekeeper.suites.quantities import QUANTITY, column_of

MEASURED = tuple(VALUES)
_OF_VOLUMES = ("relative_volume_difference", "volume_bias", "absolute_volume_difference")


def measure(requirement: Requirement, rows: Rows) -> Measurement:
    """Measure the mean over cases of a value of a structure."""
    spec = requirement.spec
    originals = rows.originals()
    values = case_values(requirement, originals)
    if values is None:
        return undefined(Reason.NOT_MEASURED, spec.n_of)
    given = np.isfinite(values)
    n, clusters = int(given.sum()), Clusters.of(originals.patient[given])
    if n == 0:
        reason = Reason.UNDEFINED_METRIC if len(originals) else Reason.TOO_FEW_CASES
        return undefined(reason, spec.n_of)
    lowest, highest = _bounds(requirement, originals)
    try:
        value, interval = clustered_mean_interval(
            values[given], clusters.codes, lowest, highest, requirement.confidence, seed=SEED
        )
    except Undecidable:
        return measured(math.fsum(values[given]) / n, None, n, spec.n_of, clusters.count)
    if spec is VOLUME_BIAS:
        value, interval = magnitude(value, interval)
    enough = not clusters.repeat or clusters.count >= FEWEST_CLUSTERS
    bounded = interval.within(spec.lowest, spec.highest)
    return measured(value, bounded if enough else None, n, spec.n_of, clusters.count)


def case_values(requirement: Requirement, rows: Rows) -> Floats | None:
    """Return the value of each row, shape (n,): a case without an answer at its cost, NaN where there is no value.

    None where the evidence does not hold what it takes.
    """
    found = _values(requirement, rows)
    if found is None or not _costs_are_known(requirement, rows):
        return None
    return np.where(rows.answered, found, _if_missed(requirement, rows))


def _values(requirement: Requirement, rows: Rows) -> Floats | None:
    """Return the value of each case; of volumes also from what was measured and what is right."""
    name, tolerance = requirement.spec.name, requirement.tolerance_mm
    column = column_of(requirement, rows, name if tolerance is None else f"{name}@{tolerance:g}")
    if column is not None:
        return rows.answers[column]
    quantity, reference = (column_of(requirement, rows, what) for what in (QUANTITY, "reference"))
    if name not in _OF_VOLUMES or quantity is None or reference is None:
        return None
    return _of_volumes(name, rows.answers[quantity], rows.answers[reference])


def _of_volumes(name: str, quantity: Floats, reference: Floats) -> Floats:
    apart = quantity - reference
    if name == "absolute_volume_difference":
        return np.abs(apart)
    nothing = np.full(len(reference), np.nan)
    share = np.divide(apart, reference, out=nothing, where=reference != 0.0)
    return np.asarray(np.abs(share) if name == "relative_volume_difference" else share)


def _if_missed(requirement: Requirement, rows: Rows) -> Floats | float:
    """Return what a missed structure counts as."""
    name = requirement.spec.name
    if name in DISTANCES:
        return _column(requirement, rows, "diagonal")
    if name in _OF_VOLUMES:
        reference = _column(requirement, rows, "reference")
        return _of_volumes(name, np.zeros(len(rows)), reference)
    return 0.0


def _costs_are_known(requirement: Requirement, rows: Rows) -> bool:
    """Say whether evidence holds what the cost of each case without an answer is made from."""
    name = requirement.spec.name
    what = "diagonal" if name in DISTANCES else "reference" if name in _OF_VOLUMES else None
    return what is None or bool(np.isfinite(_column(requirement, rows, what)[~rows.answered]).all())


def _bounds(requirement: Requirement, rows: Rows) -> tuple[float, float]:
    """Return the least and the greatest value that a case can have: the longest diagonal for distances."""
    spec = requirement.spec
    if spec.name in DISTANCES:
        longest = float(np.max(_column(requirement, rows, "diagonal"), initial=0.0))
        return 0.0, longest if longest > 0.0 else math.inf
    return -1.0 if spec is VOLUME_BIAS else 0.0, 1.0 if spec.highest == 1.0 else math.inf


def span_of(requirement: Requirement, rows: Rows) -> float:
    """Return how far two values of one case can lie apart."""
    lowest, highest = _bounds(requirement, rows)
    return highest - lowest


def _column(requirement: Requirement, rows: Rows, what: str) -> NDArray[np.float64]:
    column = column_of(requirement, rows, what)
    return np.full(len(rows), np.nan) if column is None else rows.answers[column]
