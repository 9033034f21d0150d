"""The rows of all conditions as arrays, and how to change some of their columns: the ground that defects are put in."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gatekeeper.evidence import BASELINE, Evidence, Rows
from gatekeeper.metrics.masks import DISTANCES
from gatekeeper.statistics import cluster_index

Floats = NDArray[np.float64]
Chosen = NDArray[np.bool_]
Columns = Mapping[str, "NDArray[np.generic] | Sequence[object]"]

# "quantity" and the two below stand beside what was measured of a mask: see ``suites.structures``.
_BESIDE = ("quantity", "reference", "diagonal")
_MEASURED = re.compile(r"measured\.(.+)\.([a-z][a-z0-9_]*)(@[0-9.e+-]+)?")


@dataclass(frozen=True)
class Change:
    """What is done to evidence, a sentence for each kind of answer; none where nothing can be done, and ``why``."""

    done: tuple[str, ...] = ()
    columns: Columns = field(default_factory=dict)
    operating_point: float | None = None
    why: str = "the evidence holds no answers of a kind that could carry it"


@dataclass(frozen=True)
class Measured:
    """A column of evidence on a structure: its name, the structure, and which value of it."""

    column: str
    structure: str
    what: str


@dataclass(frozen=True)
class Ground:
    """Evidence with all its rows as arrays; ``subject`` codes the subject of each row in the order of their names.

    ``first`` is the row of each subject's original at baseline, -1 where there is none.
    """

    evidence: Evidence
    rows: Rows
    subject: NDArray[np.intp]
    first: NDArray[np.intp]

    @classmethod
    def of(cls, evidence: Evidence) -> Ground:
        """Read evidence once for all defects."""
        rows = Rows.of(evidence.table, {})
        subject, count = cluster_index(rows.subject.tolist())
        at_baseline = np.array([name == BASELINE.id for name in evidence.table["condition"].to_pylist()], dtype=bool)
        originals = np.flatnonzero(at_baseline & (rows.case == rows.subject))
        first = np.full(count, -1, dtype=np.intp)
        first[subject[originals]] = originals
        return cls(evidence, rows, subject, first)

    @cached_property
    def known(self) -> Chosen:
        """Which subjects have an original at baseline, bool, shape (subjects,)."""
        return np.asarray(self.first >= 0)

    @cached_property
    def answered(self) -> Rows:
        """The originals at baseline that have an answer."""
        rows = np.zeros(len(self.rows), dtype=bool)
        rows[self.first[self.known]] = True
        return self.rows.where(rows & self.rows.answered)

    @property
    def times(self) -> dict[str, Floats]:
        """The columns of what timed calls took, as a whole and by stage, shape (rows,) each, NaN where not timed."""
        table = self.evidence.table
        names = [name for name in table.column_names if name == "seconds" or name.startswith("seconds.")]
        return {
            name: np.array([np.nan if value is None else value for value in table[name].to_pylist()], dtype=np.float64)
            for name in names
        }

    @cached_property
    def _subjects(self) -> str:
        return "\n".join(sorted(set(self.rows.subject.tolist())))

    @property
    def scored(self) -> bool:
        """Whether answers are scores of a positive class, and not findings, of which the highest is the score."""
        return self.rows.findings is None and bool(np.isfinite(self.answered.score).any())

    @property
    def classes(self) -> tuple[str, ...]:
        """The columns of the probabilities of several classes, in the order in which they are declared."""
        return tuple(name for name in self.rows.answers if name.startswith("probability."))

    @property
    def measured(self) -> tuple[Measured, ...]:
        """The columns on structures."""
        found = ((name, _MEASURED.fullmatch(name)) for name in self.rows.answers)
        return tuple(Measured(name, match[1], match[2]) for name, match in found if match is not None)

    @property
    def masked(self) -> bool:
        """Whether masks were compared, and not only quantities measured."""
        return any(column.what not in _BESIDE for column in self.measured)

    def beside(self, column: Measured, what: str) -> Floats | None:
        """Return another value of the structure of a column, shape (rows,)."""
        return self.rows.answers.get(f"measured.{column.structure}.{what}")

    def of_subjects(self, values: NDArray[np.generic]) -> NDArray[np.generic]:
        """Return the value of each subject's original at baseline; where there is none, that of the last row."""
        return values[self.first]

    def raw(self, name: str, count: int) -> NDArray[np.uint64]:
        """Draw raw numbers that hang on the name of a defect and on the test set alone.

        The raw stream of PCG64 is the same with every version of numpy, which verification relies on.
        """
        seed = int.from_bytes(hashlib.sha256(f"{name}\n{self._subjects}".encode()).digest()[:16], "big")
        return np.asarray(np.random.PCG64(seed).random_raw(count), dtype=np.uint64)

    def normal(self, name: str, count: int) -> Floats:
        """Draw from a standard normal distribution (Box and Muller, Ann Math Stat 1958;29:610)."""
        raw = self.raw(name, 2 * count) >> np.uint64(11)
        uniform = (raw.astype(np.float64) + 0.5) / 2.0**53
        return np.asarray(np.sqrt(-2.0 * np.log(uniform[:count])) * np.cos(2.0 * np.pi * uniform[count:]))

    def dealt(self, name: str, values: NDArray[np.generic]) -> NDArray[np.generic]:
        """Deal the values of subjects out anew; all rows of a subject get the value of one other."""
        known = np.flatnonzero(self.known)
        by_subject = self.of_subjects(values).copy()
        by_subject[known] = by_subject[known][np.argsort(self.raw(name, len(known)), kind="stable")]
        return np.where(self.known[self.subject], by_subject[self.subject], values)

    def fifth(self, name: str, among: Chosen) -> Chosen:
        """Choose a fifth of these subjects, rounded up; bool, shape (subjects,)."""
        candidates = np.flatnonzero(among & self.known)
        count = -(-len(candidates) // 5)
        drawn = np.argsort(self.raw(name, len(candidates)), kind="stable")[:count]
        chosen = np.zeros(len(self.first), dtype=bool)
        chosen[candidates[drawn]] = True
        return chosen

    def changed(self, columns: Columns) -> Evidence:
        """Return the evidence with other values in some columns; NaN is written as no value."""
        import pyarrow as pa

        table = self.evidence.table
        for name, values in columns.items():
            at = table.schema.get_field_index(name)
            missing = np.isnan(values) if isinstance(values, np.ndarray) and values.dtype.kind == "f" else None
            table = table.set_column(at, name, pa.array(values, type=table.schema.field(at).type, mask=missing))
        return replace(self.evidence, table=table)

    def called_wrong(self, chosen: Chosen) -> dict[str, Floats]:
        """Return probabilities with all of it on the class farthest from its own, in these rows."""
        last, label = len(self.classes) - 1, self.rows.label.astype(np.intp)
        farthest = np.where(label < last - label, last, 0)
        wrong = {name: (farthest == at).astype(np.float64) for at, name in enumerate(self.classes)}
        given = {name: self.rows.answers[name] for name in self.classes}
        return {name: np.where(chosen & np.isfinite(given[name]), wrong[name], given[name]) for name in self.classes}

    def with_findings(self, chosen: Chosen, scores: list[float]) -> dict[str, NDArray[np.generic] | Sequence[object]]:
        """Return the columns of findings with these scores alone, none of which is a hit, in these rows."""
        found = self.rows.findings
        if found is None:
            return {}
        given = zip((chosen & self.rows.answered).tolist(), found.scores, found.hits, strict=True)
        kept = [(scores, [-1] * len(scores)) if here else (own.tolist(), hits.tolist()) for here, own, hits in given]
        changed = [own for own, _ in kept]
        return {"finding_lesion": [hits for _, hits in kept]} | self.scored_as(changed)

    def scored_as(self, findings: Sequence[Sequence[float]]) -> dict[str, NDArray[np.generic] | Sequence[object]]:
        """Return the columns of the scores of findings, and of cases, whose score is that of their highest finding."""
        highest = np.array([max(own, default=0.0) for own in findings], dtype=np.float64)
        score = self.rows.score
        return {"finding_score": findings, "score": np.where(np.isfinite(score), highest, score)}

    def emptied(self, chosen: Chosen) -> dict[str, Floats]:
        """Return the columns on structures with the masks of these rows empty, each at the cost of a missed one."""
        changes = {}
        for column in self.measured:
            values = self.rows.answers[column.column]
            empty = self._if_empty(column)
            if empty is not None:
                changes[column.column] = np.where(chosen & np.isfinite(values), empty, values)
        return changes

    def _if_empty(self, column: Measured) -> Floats | float | None:
        if column.what in ("reference", "diagonal"):
            return None
        if column.what in DISTANCES:
            longest = self.beside(column, "diagonal")
            return self.rows.answers[column.column] if longest is None else longest
        return self.of_volume(column, np.zeros(len(self.rows)))

    def of_volume(self, column: Measured, quantity: Floats) -> Floats | float:
        """Return what a column holds where these volumes were measured; 0 where it holds no difference of volumes."""
        reference = self.beside(column, "reference")
        nothing = np.full(len(self.rows), np.nan)
        reference = nothing if reference is None else reference
        share = np.divide(quantity - reference, reference, out=nothing.copy(), where=reference > 0.0)
        held: dict[str, Floats] = {
            "quantity": quantity,
            "volume_bias": share,
            "relative_volume_difference": np.abs(share),
            "absolute_volume_difference": np.abs(quantity - reference),
        }
        return held.get(column.what, 0.0)


def shuffled(evidence: Evidence, seed: int) -> Evidence:
    """Return the same evidence, its cases in another order and its table in other pieces.

    Conditions stay in their order; all those that run the same cases in the same order are shuffled alike, as what
    stands under them is paired by place.
    """
    import pyarrow as pa

    stream = np.random.PCG64(seed)
    drawn: dict[tuple[str, ...], NDArray[np.intp]] = {}
    order: list[NDArray[np.intp]] = []
    cases = evidence.table["case_id"].to_pylist()
    for start, stop in _blocks(evidence):
        block = tuple(cases[start:stop])
        if block not in drawn:
            drawn[block] = np.argsort(np.asarray(stream.random_raw(stop - start)), kind="stable")
        order.append(start + drawn[block])
    table = evidence.table.take(pa.array(np.concatenate([*order, np.empty(0, dtype=np.intp)])))
    size = max(1, table.num_rows // 7)
    pieces = [table.slice(at, size) for at in range(0, table.num_rows, size)]
    return replace(evidence, table=pa.concat_tables(pieces) if pieces else table)


def _blocks(evidence: Evidence) -> Iterator[tuple[int, int]]:
    """Give where the rows of each condition and repeat begin and end."""
    keys = list(zip(evidence.table["condition"].to_pylist(), evidence.table["repeat"].to_pylist(), strict=True))
    start = 0
    for at in range(1, len(keys) + 1):
        if at == len(keys) or keys[at] != keys[start]:
            yield start, at
            start = at
