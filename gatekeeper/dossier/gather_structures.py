"""From evidence to what a dossier tells of structures: values of cases, their means, volumes in pairs."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from gatekeeper.dossier.asking import asking
from gatekeeper.dossier.material import StructureResult, StructureValue, VolumePairs
from gatekeeper.evidence import BASELINE, Evidence, Rows
from gatekeeper.metrics import METRICS, Metric
from gatekeeper.metrics.masks import VALUES
from gatekeeper.policy import Policy, Requirement
from gatekeeper.suites import structures
from gatekeeper.suites.quantities import QUANTITY, Repeated

_PREFIX = "measured."


def structure_results(policy: Policy, evidence: Evidence, axes: int) -> tuple[StructureResult, ...]:
    """Return what evidence holds of every structure, those of the policy first; ``axes`` (2 or 3) gives the unit.

    Values of every column are told, whether or not a requirement asks for them.
    """
    rows = evidence.under(BASELINE.id)
    return tuple(_result(name, rows, unit_of_size(axes)) for name in found_structures(policy, rows))


def found_structures(policy: Policy, rows: Rows) -> tuple[str, ...]:
    """Return the structures of which rows hold anything, those of the policy first."""
    found = [name.removeprefix(_PREFIX).rpartition(".")[0] for name in rows.answers if name.startswith(_PREFIX)]
    return tuple(name for name in dict.fromkeys((*policy.context.structures, *found)) if name in found)


def unit_of_size(axes: int) -> str:
    """Return the unit in which the size of a structure is told, by the number of axes of an image."""
    return "mL" if axes == 3 else "mm²"


def value_columns(structure: str, rows: Rows) -> list[tuple[Metric, str, str]]:
    """Return metric, tolerance in mm ("" where it takes none) and column of each value of a structure."""
    start = f"{_PREFIX}{structure}."
    names = sorted(name.removeprefix(start) for name in rows.answers if _is_of(name, structure))
    return [
        (METRICS.get(metric), name.partition("@")[2], start + name)
        for metric in VALUES
        for name in names
        if name.partition("@")[0] == metric
    ]


def worst_and_best(result: StructureResult, most: int = 4, among: Container[str] | None = None) -> tuple[str, ...]:
    """Return the cases to be shown: the worst ones by the first value, and the best one; at most ``most``.

    Cases without an answer, and those that are not ``among`` some, are left out.
    """
    if not result.values or most < 1:
        return ()
    value = result.values[0]
    marks = np.asarray(value.values) * (1.0 if value.higher_is_better else -1.0)
    given = [at for at in np.lexsort((np.arange(len(marks)), marks)).tolist() if np.isfinite(marks[at])]
    answered = [at for at in given if result.answered[at] and (among is None or result.cases[at] in among)]
    chosen = answered if len(answered) <= most else [*answered[: most - 1], answered[-1]]
    return tuple(result.cases[at] for at in chosen)


def _result(name: str, rows: Rows, unit: str) -> StructureResult:
    originals = rows.originals()
    return StructureResult(
        name=name,
        cases=tuple(originals.case.tolist()),
        answered=tuple(originals.answered.tolist()),
        values=tuple(_values(name, rows, originals)),
        against_reference=_against_reference(name, originals, unit),
        against_repeat=_against_repeat(name, rows, unit),
    )


def _values(structure: str, rows: Rows, originals: Rows) -> Iterator[StructureValue]:
    for spec, tolerance, _ in value_columns(structure, rows):
        asked = _asking(spec, structure, tolerance)
        values = structures.case_values(asked, originals)
        if values is None:
            continue
        measured = structures.measure(asked, rows)
        yield StructureValue(
            metric=spec.name,
            title=titled(spec, tolerance),
            unit=spec.unit,
            higher_is_better=spec.higher_is_better,
            estimate=measured.rounded,
            interval=measured.limits,
            n=measured.n,
            patients=measured.patients,
            values=tuple(values.tolist()),
        )


def titled(spec: Metric, tolerance: str) -> str:
    """Return what a value is called, with its tolerance in mm where it takes one."""
    return spec.title + (f" within {tolerance} mm" if tolerance else "")


def _is_of(column: str, structure: str) -> bool:
    return column.startswith(_PREFIX) and column.removeprefix(_PREFIX).rpartition(".")[0] == structure


def _asking(spec: Metric, structure: str, tolerance: str) -> Requirement:
    options = {"tolerance": f"{tolerance} mm"} if tolerance else {}
    return asking(spec, structure=structure, **options)


def column_of(rows: Rows, structure: str, what: str) -> NDArray[np.float64]:
    """Return a column of a structure, NaN where rows hold none."""
    found = rows.answers.get(f"{_PREFIX}{structure}.{what}")
    return np.full(len(rows), np.nan) if found is None else found


def _against_reference(structure: str, rows: Rows, unit: str) -> VolumePairs:
    first, second = column_of(rows, structure, QUANTITY), column_of(rows, structure, "reference")
    given = rows.answered & np.isfinite(first) & np.isfinite(second)
    return _pairs(rows.case[given].tolist(), first[given], second[given], unit)


def _against_repeat(structure: str, rows: Rows, unit: str) -> VolumePairs:
    column = f"{_PREFIX}{structure}.{QUANTITY}"
    repeated = Repeated.of(rows, column) if column in rows.answers else None
    if repeated is None:
        return VolumePairs((), (), (), unit)
    return _pairs(repeated.names, *repeated.pair, unit)


def _pairs(names: Sequence[str], first: NDArray[np.float64], second: NDArray[np.float64], unit: str) -> VolumePairs:
    return VolumePairs(tuple(names), tuple(first.tolist()), tuple(second.tolist()), unit)
