"""Evidence: one row per case x condition x repeat. Arrow in memory, Parquet on disk. It holds no judgement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gatekeeper.errors import Code, IntegrityError
from gatekeeper.evidence.outcomes import CaseOutcome

if TYPE_CHECKING:
    import pyarrow as pa

ATTRIBUTE_PREFIX = "attribute."

# name -> Arrow type; ``score`` is the probability of the positive class, ``seconds`` the time of one forward pass of
# one case (recorded by latency conditions alone), ``subject`` the case that this one repeats, or itself.
COLUMNS = {
    "case_id": "string",
    "patient": "string",
    "subject": "string",
    "label": "int8",
    "condition": "string",
    "repeat": "int32",
    "outcome": "string",
    "score": "double",
    "seconds": "double",
}


@dataclass(frozen=True)
class Evidence:
    """The rows of a run, and questions to ask of them.

    ``table`` has the columns of ``COLUMNS`` and one string column ``attribute.<name>`` for each attribute of the test
    set. Rows are ordered by condition (as planned), then case (as in the lock), then repeat.
    """

    table: pa.Table
    _under: dict[str, Rows] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def from_columns(cls, columns: Mapping[str, object], attributes: Mapping[str, object]) -> Evidence:
        """Build evidence from sequences of equal length, one for each column and attribute."""
        import pyarrow as pa

        names = [*COLUMNS, *(ATTRIBUTE_PREFIX + name for name in attributes)]
        types = [pa.type_for_alias(kind) for kind in COLUMNS.values()] + [pa.string()] * len(attributes)
        values = [columns[name] for name in COLUMNS] + list(attributes.values())
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
        return tuple(self.table["condition"].unique().to_pylist())

    def under(self, condition: str) -> Rows:
        """Return the rows of one condition; none when it was not run."""
        import pyarrow.compute as pc

        if condition not in self._under:
            self._under[condition] = Rows.of(self.table.filter(pc.equal(self.table["condition"], condition)))
        return self._under[condition]

    def write(self, path: Path) -> None:
        """Write Parquet, the same bytes for the same rows (one row group, no statistics of the writer's clock)."""
        import pyarrow.parquet as pq

        pq.write_table(self.table, path, compression="zstd", row_group_size=max(1, self.table.num_rows))


@dataclass(frozen=True)
class Rows:
    """Rows of one condition as arrays of one length n.

    ``case``, ``patient``, ``subject``: strings; ``label``: int8, 1 is positive; ``score``: float64 in [0, 1], NaN
    where the outcome is not ``ok``; ``seconds``: float64, NaN where not timed; ``answered``: bool.
    """

    case: NDArray[np.object_]
    patient: NDArray[np.object_]
    subject: NDArray[np.object_]
    label: NDArray[np.int8]
    score: NDArray[np.float64]
    seconds: NDArray[np.float64]
    answered: NDArray[np.bool_]
    attributes: dict[str, NDArray[np.object_]]

    @classmethod
    def of(cls, table: pa.Table) -> Rows:
        """Read the columns of a table into arrays."""

        def strings(name: str) -> NDArray[np.object_]:
            return np.asarray(table[name].to_pylist(), dtype=object)

        def numbers(name: str) -> NDArray[np.float64]:
            return np.asarray(table[name].to_numpy(), dtype=np.float64)

        return cls(
            case=strings("case_id"),
            patient=strings("patient"),
            subject=strings("subject"),
            label=np.asarray(table["label"].to_numpy(), dtype=np.int8),
            score=numbers("score"),
            seconds=numbers("seconds"),
            answered=strings("outcome") == CaseOutcome.OK.value,
            attributes={
                name.removeprefix(ATTRIBUTE_PREFIX): strings(name)
                for name in table.column_names
                if name.startswith(ATTRIBUTE_PREFIX)
            },
        )

    def __len__(self) -> int:
        return len(self.case)

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
            attributes={name: values[mask] for name, values in self.attributes.items()},
        )

    def called(self, operating_point: float) -> NDArray[np.bool_]:
        """Say which cases are called positive: score at or above the operating point.

        A case without an answer counts as called wrong, whatever its label.
        """
        return np.asarray(np.where(self.answered, self.score >= operating_point, self.label == 0), dtype=np.bool_)

    def originals(self) -> Rows:
        """Return the rows that are no repeat of another case: the independent units of accuracy."""
        return self.where(self.case == self.subject)


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
    if len(places) != 1 or str(table.schema.field(places[0]).type) != kind:
        return False
    return kind == "double" or table.column(places[0]).null_count == 0
