"""Evidence: one row per case x condition x repeat. Arrow in memory, Parquet on disk. It holds no judgement."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from gatekeeper.errors import Code, IntegrityError
from gatekeeper.evidence.outcomes import CaseOutcome

if TYPE_CHECKING:
    import pyarrow as pa

T = TypeVar("T")

ATTRIBUTE_PREFIX = "attribute."
# Answers that are more than one score. ``probability.<class>``: of each class, shape (n, K) together.
# ``measured.<structure>.<what>``: what a mask, or a measuring model, gave for a structure. NaN where it gave nothing.
ANSWER_PREFIXES = ("probability.", "measured.")
# What was told of a timed call besides ``seconds``: ``seconds.<stage>``, and ``peak.host``, ``peak.device`` in MiB.
CLOCK_PREFIXES = ("seconds.", "peak.")
# Findings of a case: their scores, the reference lesion that each hits (-1: none, -2: not counted), and how many
# lesions there are.
FINDING_COLUMNS = {"finding_score": "list<double>", "finding_lesion": "list<int32>", "lesions": "int32"}

# name -> Arrow type; ``score`` is the probability of the positive class, ``seconds`` the time of one forward pass of
# one case (recorded by latency conditions alone), ``fault`` in a few words why an outcome is not ok, ``subject`` the
# case that this one repeats, or itself.
COLUMNS = {
    "case_id": "string",
    "patient": "string",
    "subject": "string",
    "label": "int8",
    "condition": "string",
    "repeat": "int32",
    "outcome": "string",
    "fault": "string",
    "score": "double",
    "seconds": "double",
}


@dataclass(frozen=True)
class Evidence:
    """The rows of a run, and questions to ask of them.

    ``table`` has the columns of ``COLUMNS`` and one string column ``attribute.<name>`` for each attribute of the test
    set; where answers are more than one score, also those of ``ANSWER_PREFIXES`` or ``FINDING_COLUMNS``; where calls
    were timed, those of ``CLOCK_PREFIXES``. Rows are ordered by condition (as planned), then repeat, then case (as in
    the lock). ``costs`` says what each kind of failure
    counts as: ``wrong`` (also when it is not named), ``positive`` or ``negative``.
    """

    table: pa.Table
    costs: Mapping[CaseOutcome, str] = field(default_factory=dict, repr=False, compare=False)
    _under: dict[str, Rows] = field(default_factory=dict, init=False, repr=False, compare=False)
    _groups: dict[tuple[str, str], Evidence] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def from_columns(
        cls,
        columns: Mapping[str, object],
        attributes: Mapping[str, object],
        answers: Mapping[str, object] | None = None,
    ) -> Evidence:
        """Build evidence from sequences of equal length, one for each column, attribute and further answer.

        Without ``fault`` no failure says why.
        """
        import pyarrow as pa

        more = answers or {}
        columns = {"fault": [""] * len(cast("Sequence[object]", columns["outcome"])), **columns}
        names = [*COLUMNS, *(ATTRIBUTE_PREFIX + name for name in attributes), *more]
        types = [pa.type_for_alias(kind) for kind in COLUMNS.values()] + [pa.string()] * len(attributes)
        types += [_answer_type(name) for name in more]
        values = [*(columns[name] for name in COLUMNS), *attributes.values(), *more.values()]
        arrays = [pa.array(value, type=kind) for value, kind in zip(values, types, strict=True)]
        return cls(pa.Table.from_arrays(arrays, names=names))

    @property
    def attributes(self) -> tuple[str, ...]:
        """Names of the attributes by which subgroups can be formed."""
        return tuple(
            name.removeprefix(ATTRIBUTE_PREFIX) for name in self.table.column_names if name.startswith(ATTRIBUTE_PREFIX)
        )

    @cached_property
    def conditions(self) -> tuple[str, ...]:
        """Ids of the conditions that have rows, in the order in which they were run."""
        return tuple(self._coded[0])

    @cached_property
    def _coded(self) -> tuple[list[str], NDArray[np.int32]]:
        """The conditions in the order of their first rows, and which of them each row is of."""
        seen: dict[str, int] = {}
        names = self.table["condition"].to_pylist()
        codes = np.fromiter((seen.setdefault(name, len(seen)) for name in names), dtype=np.int32, count=len(names))
        return list(seen), codes

    def counting(self, costs: Mapping[CaseOutcome, str]) -> Evidence:
        """Return the same rows with failures that count as a policy declares."""
        declared = {outcome: cost for outcome, cost in costs.items() if cost != "wrong"}
        return self if declared == dict(self.costs) else Evidence(self.table, declared)

    def outcomes_under(self, condition: str) -> dict[CaseOutcome, int]:
        """Count the rows of one condition by their outcome."""
        names, codes = self._coded
        chosen = codes == (names.index(condition) if condition in names else -1)
        found = Counter(
            outcome for outcome, here in zip(self.table["outcome"].to_pylist(), chosen, strict=True) if here
        )
        return {outcome: found[outcome.value] for outcome in CaseOutcome}

    def outcomes_of(self, condition: str) -> list[CaseOutcome]:
        """Return the outcome of each row of one condition, in their order."""
        names, codes = self._coded
        rows = np.flatnonzero(codes == names.index(condition)) if condition in names else np.empty(0, dtype=np.intp)
        return [CaseOutcome(outcome) for outcome in self.table["outcome"].take(rows).to_pylist()]

    def failures_under(self, condition: str) -> list[tuple[CaseOutcome, str, str]]:
        """Return outcome, reason in a few words and case id of each row of one condition without an answer."""
        names = ("condition", "outcome", "fault", "case_id")
        rows = zip(*(self.table[name].to_pylist() for name in names), strict=True)
        return [
            (CaseOutcome(outcome), fault, case_id)
            for of, outcome, fault, case_id in rows
            if of == condition and outcome != CaseOutcome.OK.value
        ]

    def under(self, condition: str) -> Rows:
        """Return the rows of one condition; none when it was not run."""
        if condition not in self._under:
            names, codes = self._coded
            rows = (
                np.flatnonzero(codes == names.index(condition)) if condition in names else np.empty(0, dtype=np.int64)
            )
            together = len(rows) > 0 and len(rows) == rows[-1] - rows[0] + 1
            table = self.table.slice(rows[0], len(rows)) if together else self.table.take(rows)
            self._under[condition] = Rows.of(table, self.costs)
        return self._under[condition]

    def of_group(self, attribute: str, group: str) -> Evidence:
        """Return the rows under every condition of cases whose attribute has this value; the same object each time."""
        kept = self._groups.get((attribute, group))
        if kept is None:
            column = self.table[ATTRIBUTE_PREFIX + attribute].to_pylist()
            rows = np.flatnonzero(np.array([value == group for value in column], dtype=np.bool_))
            kept = self._groups[attribute, group] = Evidence(self.table.take(rows), self.costs)
        return kept

    def write(self, path: Path) -> None:
        """Write Parquet, the same bytes for the same rows (one row group, no statistics of the writer's clock)."""
        import pyarrow.parquet as pq

        pq.write_table(self.table, path, compression="zstd", row_group_size=max(1, self.table.num_rows))


@dataclass(frozen=True)
class CaseFindings:
    """Findings of n cases: for each case an array of scores and one of lesions hit; ``lesions``: int64, shape (n,)."""

    scores: NDArray[np.object_]
    hits: NDArray[np.object_]
    lesions: NDArray[np.int64]

    @classmethod
    def of(cls, table: pa.Table) -> CaseFindings:
        """Read the columns of a table; a case without an answer has no findings."""

        def lists(name: str, kind: type[np.generic]) -> NDArray[np.object_]:
            found = np.empty(table.num_rows, dtype=object)
            for row, values in enumerate(table[name].to_pylist()):
                found[row] = np.asarray(values or [], dtype=kind)
            return found

        lesions = np.asarray(table["lesions"].to_pylist(), dtype=np.int64)
        return cls(lists("finding_score", np.float64), lists("finding_lesion", np.int64), lesions)

    def where(self, mask: NDArray[np.bool_]) -> CaseFindings:
        """Return the cases that a mask of length n selects."""
        return CaseFindings(self.scores[mask], self.hits[mask], self.lesions[mask])


@dataclass(frozen=True)
class Rows:
    """Rows of one condition as arrays of one length n.

    ``case``, ``patient``, ``subject``: strings; ``label``: int8, 1 is positive; ``score``: float64 in [0, 1], NaN
    where the outcome is not ``ok``; ``seconds``: float64, NaN where not timed; ``answered``: bool; ``failed_as``:
    int8, what a case without an answer counts as: 1 called, 0 not called, -1 called wrong. ``answers``: the further
    columns of ``ANSWER_PREFIXES``, by name; ``clock``: those of ``CLOCK_PREFIXES``, NaN where not timed. ``findings``:
    scores and lesions of each case's findings as lists.
    """

    case: NDArray[np.object_]
    patient: NDArray[np.object_]
    subject: NDArray[np.object_]
    label: NDArray[np.int8]
    score: NDArray[np.float64]
    seconds: NDArray[np.float64]
    answered: NDArray[np.bool_]
    failed_as: NDArray[np.int8]
    attributes: dict[str, NDArray[np.object_]]
    answers: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    findings: CaseFindings | None = None
    clock: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    _kept: dict[str, object] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def of(cls, table: pa.Table, costs: Mapping[CaseOutcome, str]) -> Rows:
        """Read the columns of a table into arrays."""

        def strings(name: str) -> NDArray[np.object_]:
            return np.asarray(table[name].to_pylist(), dtype=object)

        outcome = strings("outcome")
        failed_as = np.full(len(outcome), -1, dtype=np.int8)
        for failure, cost in costs.items():
            failed_as[outcome == failure.value] = 1 if cost == "positive" else 0
        return cls(
            case=strings("case_id"),
            patient=strings("patient"),
            subject=strings("subject"),
            label=np.asarray(_numbers(table["label"], np.int8), dtype=np.int8),
            score=np.asarray(_numbers(table["score"], np.float64), dtype=np.float64),
            seconds=np.asarray(_numbers(table["seconds"], np.float64), dtype=np.float64),
            answered=np.asarray(outcome == CaseOutcome.OK.value, dtype=np.bool_),
            failed_as=failed_as,
            attributes={
                name.removeprefix(ATTRIBUTE_PREFIX): strings(name)
                for name in table.column_names
                if name.startswith(ATTRIBUTE_PREFIX)
            },
            answers={
                name: np.asarray(_numbers(table[name], np.float64), dtype=np.float64)
                for name in table.column_names
                if name.startswith(ANSWER_PREFIXES)
            },
            findings=CaseFindings.of(table) if set(FINDING_COLUMNS) <= set(table.column_names) else None,
            clock={
                name: np.asarray(_numbers(table[name], np.float64), dtype=np.float64)
                for name in table.column_names
                if name.startswith(CLOCK_PREFIXES)
            },
        )

    def __len__(self) -> int:
        return len(self.case)

    def remembered(self, name: str, make: Callable[[], T]) -> T:
        """Return what was made of these rows under this name, making it the first time."""
        if name not in self._kept:
            self._kept[name] = make()
        return cast(T, self._kept[name])

    def of_group(self, attribute: str, group: str) -> Rows:
        """Return the rows whose attribute has this value; the same object each time."""
        return self.remembered(f"{attribute} = {group}", lambda: self.where(self.attributes[attribute] == group))

    def where(self, mask: NDArray[np.bool_]) -> Rows:
        """Return the rows that a mask of length n selects."""
        return Rows(
            case=self.case[mask],
            patient=self.patient[mask],
            subject=self.subject[mask],
            label=self.label[mask],
            score=self.score[mask],
            seconds=self.seconds[mask],
            answered=self.answered[mask],
            failed_as=self.failed_as[mask],
            attributes={name: values[mask] for name, values in self.attributes.items()},
            answers={name: values[mask] for name, values in self.answers.items()},
            findings=self.findings and self.findings.where(mask),
            clock={name: values[mask] for name, values in self.clock.items()},
        )

    def called(self, operating_point: float) -> NDArray[np.bool_]:
        """Say which cases are called positive: score at or above the operating point.

        A case without an answer counts as called wrong, whatever its label, unless its failure costs otherwise.
        """
        failed = np.where(self.failed_as < 0, self.label == 0, self.failed_as == 1)
        return np.asarray(np.where(self.answered, self.score >= operating_point, failed), dtype=np.bool_)

    def originals(self) -> Rows:
        """Return the rows that are no repeat of another case: the independent units of accuracy."""
        return self.where(self.case == self.subject)


def _numbers(column: pa.ChunkedArray, kind: type[np.generic]) -> NDArray[np.generic]:
    """Copy a column of numbers, NaN for null, from its buffers.

    pyarrow's own ways to numpy import its compute functions, and pandas where that is installed: 0.3 s for nothing.
    """
    array = column.combine_chunks()
    present, data = array.buffers()
    span = slice(array.offset, array.offset + len(array))
    values = np.frombuffer(data, dtype=kind)[span].copy() if len(array) else np.empty(0, dtype=kind)
    if array.null_count:
        values[np.unpackbits(np.frombuffer(present, dtype=np.uint8), bitorder="little")[span] == 0] = np.nan
    return values


def read_evidence(source: Path | bytes) -> Evidence:
    """Read Parquet from a file or from bytes. Raises IntegrityError when it is not evidence of this format."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    place = str(source) if isinstance(source, Path) else "attached evidence"
    try:
        table = pq.ParquetFile(pa.BufferReader(source) if isinstance(source, bytes) else source).read()
        table.validate(full=True)
    except FileNotFoundError as error:
        raise IntegrityError(Code.DIGEST_MISMATCH, "the evidence of this run is missing", where=place) from error
    except (pa.ArrowException, OSError, ValueError) as error:
        raise IntegrityError(Code.DIGEST_MISMATCH, "the evidence cannot be read as Parquet", where=place) from error
    wanted = COLUMNS | {name: "string" for name in table.column_names if name.startswith(ATTRIBUTE_PREFIX)}
    wanted |= {name: "double" for name in table.column_names if name.startswith((*ANSWER_PREFIXES, *CLOCK_PREFIXES))}
    wanted |= FINDING_COLUMNS if set(FINDING_COLUMNS) & set(table.column_names) else {}
    unlike = [name for name, kind in wanted.items() if not _holds(table, name, kind)]
    if unlike:
        raise IntegrityError(
            Code.DIGEST_MISMATCH,
            f"the evidence lacks a column, or has it twice, with gaps or in another type: {', '.join(unlike)}",
            where=place,
        )
    return Evidence(table)


def _holds(table: pa.Table, name: str, kind: str) -> bool:
    places = table.schema.get_all_field_indices(name)
    if len(places) != 1:
        return False
    found = table.schema.field(places[0]).type
    if kind.startswith("list"):  # Arrow and Parquet call the items of a list differently
        column = table.column(places[0])
        whole = column.null_count == 0 and all(chunk.flatten().null_count == 0 for chunk in column.chunks)
        return whole and _is_list(found) and f"list<{found.value_type}>" == kind
    return str(found) == kind and (kind == "double" or table.column(places[0]).null_count == 0)


def _is_list(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_list(kind))


def _answer_type(name: str) -> pa.DataType:
    import pyarrow as pa

    if name.startswith((*ANSWER_PREFIXES, *CLOCK_PREFIXES)):
        return pa.float64()
    kinds = {"list<double>": pa.list_(pa.float64()), "list<int32>": pa.list_(pa.int32()), "int32": pa.int32()}
    return kinds[FINDING_COLUMNS[name]]
