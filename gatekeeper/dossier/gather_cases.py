"""From evidence to the table of every case: what became of it, what was answered, and to which groups it belongs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from gatekeeper.candidate import Contract
from gatekeeper.dossier.cases import MOST_CASES, CaseColumn, CaseTable, Numbers, Words
from gatekeeper.dossier.gather_structures import column_of, found_structures, titled, unit_of_size, value_columns
from gatekeeper.dossier.wording import plain_name
from gatekeeper.evidence import BASELINE, CaseOutcome, Evidence, Rows
from gatekeeper.metrics import Metric
from gatekeeper.policy import Policy
from gatekeeper.suites.quantities import QUANTITY

_PROBABILITY = "probability."
_MOST_ON_STRUCTURES = 24  # columns
_DIGITS = {"1": 3, "mm": 2}
_DIGITS_OF_SCORES, _DIGITS_OF_SIZES = 4, 2
_NONE = "–"


def case_table(policy: Policy, evidence: Evidence, contract: Contract, most: int = MOST_CASES) -> CaseTable:
    """Return one row for each case of the baseline, repeats included, in the order of the lock; ``most`` at the most.

    No patient is named, and nothing is told of a case but its id in the lock, what was measured, and the attributes by
    which the policy asks for subgroups.
    """
    rows = evidence.under(BASELINE.id)
    chosen = np.arange(len(rows)) < most
    kept = rows.where(chosen)
    on_structures = list(_structures(policy, kept, contract.input.axes))
    columns = (
        Words("Case", tuple(kept.case.tolist())),
        *_repeats(kept),
        *_outcomes(evidence, len(kept)),
        *_answers(kept, contract),
        *on_structures[:_MOST_ON_STRUCTURES],
        *_attributes(policy, kept),
    )
    return CaseTable(columns, len(rows), max(0, len(on_structures) - _MOST_ON_STRUCTURES))


def _repeats(rows: Rows) -> Iterator[CaseColumn]:
    repeats = rows.case != rows.subject
    if repeats.any():
        yield Words("Repeat of", tuple(np.where(repeats, rows.subject, _NONE).tolist()))


def _outcomes(evidence: Evidence, most: int) -> Iterator[CaseColumn]:
    outcomes = evidence.outcomes_of(BASELINE.id)[:most]
    yield Words("Outcome", tuple(plain_name(outcome.value) for outcome in outcomes), narrows=True)
    reasons = iter([why for _, why, _ in evidence.failures_under(BASELINE.id)])
    told = tuple(_NONE if outcome is CaseOutcome.OK else next(reasons) or _NONE for outcome in outcomes)
    if any(why != _NONE for why in told):
        yield Words("Why", told)


def _answers(rows: Rows, contract: Contract) -> Iterator[CaseColumn]:
    if rows.findings is not None:
        yield from _of_findings(rows, contract.operating_point)
    elif any(name.startswith(_PROBABILITY) for name in rows.answers):
        yield from _of_classes(rows)
    elif contract.output.positive is not None:
        yield from _of_scores(rows, contract)


def _of_scores(rows: Rows, contract: Contract) -> Iterator[CaseColumn]:
    positive = str(contract.output.positive)
    negative = next((name for name in contract.output.classes if name != positive), f"not {positive}")
    called = rows.called(contract.operating_point)
    yield _words("Truth", np.where(rows.label == 1, positive, negative), narrows=True)
    yield _numbers(f"Score of “{positive}”", rows.score, _DIGITS_OF_SCORES)
    calls = np.where(called, "called positive", "not called")
    yield _words("Call", np.where(rows.answered, calls, _NONE), narrows=True)
    yield _results(called == (rows.label == 1), rows.answered)


def _of_classes(rows: Rows) -> Iterator[CaseColumn]:
    """Tell of several classes; a case without an answer counts as called wrong (``suites.classes``)."""
    given = ((name, values) for name, values in rows.answers.items() if name.startswith(_PROBABILITY))
    columns = {name.removeprefix(_PROBABILITY): values for name, values in given}
    names, probabilities = np.asarray(list(columns), dtype=object), np.stack(list(columns.values()), axis=1)
    called = np.where(rows.answered[:, None], probabilities, 0.0).argmax(axis=1)
    yield _words("Truth", names[rows.label.astype(np.intp)], narrows=True)
    yield _words("Call", np.where(rows.answered, names[called], _NONE), narrows=True)
    for name, values in columns.items():
        yield _numbers(f"Probability of “{name}”", values, _DIGITS_OF_SCORES)
    yield _results((called == rows.label) & rows.answered, rows.answered)


def _of_findings(rows: Rows, cut: float) -> Iterator[CaseColumn]:
    """Count the findings of each case at or above the operating point by what they hit."""
    if rows.findings is None:
        return
    found, false = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
    for row in np.flatnonzero(rows.answered):
        hits = rows.findings.hits[row][rows.findings.scores[row] >= cut]
        found[row], false[row] = len(np.unique(hits[hits >= 0])), (hits == -1).sum()
    yield _numbers("Lesions", rows.findings.lesions.astype(np.float64), 0)
    yield _numbers("Lesions found", found, 0)
    yield _numbers("False findings", false, 0)


def _results(right: NDArray[np.bool_], answered: NDArray[np.bool_]) -> Words:
    told = np.where(right, "right", "wrong").astype(object)
    return _words("Result", np.where(answered, told, "counts as " + told), narrows=True)


def _structures(policy: Policy, rows: Rows, axes: int) -> Iterator[CaseColumn]:
    """Tell for each structure what the policy asks of it, else the usual values, and what was measured there."""
    for structure in found_structures(policy, rows):
        columns = value_columns(structure, rows)
        asked = [column for column in columns if _is_asked(policy, structure, column[0], column[1])]
        usual = [column for column in columns if column[0].name in ("dice", "hausdorff_95")]
        name = plain_name(structure)
        for spec, tolerance, column in asked or usual:
            unit = "" if spec.unit == "1" else f", {spec.unit}"
            digits = _DIGITS.get(spec.unit, _DIGITS_OF_SIZES)
            yield _numbers(f"{name}: {titled(spec, tolerance)}{unit}", _answered(rows, rows.answers[column]), digits)
        for who, what in (("candidate", QUANTITY), ("reference", "reference")):
            values = column_of(rows, structure, what)
            if np.isfinite(values).any():
                yield _numbers(f"{name}: {who}, {unit_of_size(axes)}", values, _DIGITS_OF_SIZES)


def _is_asked(policy: Policy, structure: str, spec: Metric, tolerance: str) -> bool:
    return any(
        item.spec.name == spec.name
        and item.structure in (None, structure)
        and (not tolerance or item.tolerance_mm == float(tolerance))
        for item in policy.requirements.values()
    )


def _answered(rows: Rows, values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(rows.answered, values, np.nan)


def _attributes(policy: Policy, rows: Rows) -> Iterator[CaseColumn]:
    for name in policy.subgroups.by if policy.subgroups else ():
        if name in rows.attributes:
            values = tuple(value or "not given" for value in rows.attributes[name].tolist())
            yield Words(plain_name(name).capitalize(), values, narrows=True)


def _words(heading: str, values: NDArray[np.generic], *, narrows: bool = False) -> Words:
    return Words(heading, tuple(values.tolist()), narrows)


def _numbers(heading: str, values: NDArray[np.float64], digits: int) -> Numbers:
    """Round to what is shown, so that order and print agree; None for what is no number."""
    rounded: Sequence[float] = np.round(values, digits).tolist()
    return Numbers(heading, tuple(value if np.isfinite(value) else None for value in rounded), digits)
