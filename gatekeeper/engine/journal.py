"""What a run has found so far, on disk: parts that are whole or not there, so that a killed run can go on.

A part holds the rows of some cases under the conditions of one pass, as an Arrow file that was written beside and
renamed. Parts are read back by name; nothing else says what was done.
"""

from __future__ import annotations

import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gatekeeper.candidate.protocol import Ready
from gatekeeper.engine.outputs import CaseAnswer
from gatekeeper.errors import Code, InvalidRunError
from gatekeeper.evidence import CaseOutcome, Clock

if TYPE_CHECKING:
    import pyarrow as pa

_ANSWERS = "answers."
_READY = "ready.json"


@dataclass
class Found:
    """Rows: case and condition by index, repeat, outcome; a score or seconds, further answers, findings."""

    case: list[int] = field(default_factory=list)
    condition: list[int] = field(default_factory=list)
    repeat: list[int] = field(default_factory=list)
    outcome: list[str] = field(default_factory=list)
    fault: list[str] = field(default_factory=list)
    score: list[float | None] = field(default_factory=list)
    seconds: list[float | None] = field(default_factory=list)
    answers: dict[str, list[float | None]] = field(default_factory=dict)
    finding_score: list[list[float] | None] = field(default_factory=list)
    finding_lesion: list[list[int] | None] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.case)

    def add(
        self,
        case: int,
        condition: int,
        outcome: CaseOutcome,
        *,
        repeat: int = 0,
        fault: str = "",
        score: float | None = None,
        seconds: float | None = None,
        answers: Mapping[str, float] | None = None,
        findings: tuple[Sequence[float], Sequence[int]] | None = None,
    ) -> None:
        """Add a row."""
        rows = len(self)
        self.case.append(case)
        self.condition.append(condition)
        self.repeat.append(repeat)
        self.outcome.append(outcome.value)
        self.fault.append(fault)
        self.score.append(score)
        self.seconds.append(seconds)
        for name, value in (answers or {}).items():
            self.answers.setdefault(name, [None] * rows).append(value)
        for values in self.answers.values():
            if len(values) == rows:
                values.append(None)
        self.finding_score.append(list(findings[0]) if findings else None)
        self.finding_lesion.append([int(lesion) for lesion in findings[1]] if findings else None)

    def add_answer(self, case: int, condition: int, answer: CaseAnswer) -> None:
        """Add the row of an answer that was held against the contract."""
        self.add(
            case,
            condition,
            answer.outcome,
            fault=answer.fault.value if answer.fault else "",
            score=answer.score,
            answers=answer.answers,
            findings=answer.findings,
        )

    def add_scores(self, cases: Sequence[int], condition: int, scores: Sequence[float]) -> None:
        """Add a row for each of some cases that were answered by a score alone."""
        rows = len(cases)
        self.case.extend(cases)
        self.condition.extend([condition] * rows)
        self.repeat.extend([0] * rows)
        self.outcome.extend([CaseOutcome.OK.value] * rows)
        self.fault.extend([""] * rows)
        self.score.extend(scores)
        nothing = [None] * rows
        for column in (self.seconds, *self.answers.values()):
            column.extend(nothing)
        self.finding_score.extend(nothing)
        self.finding_lesion.extend(nothing)

    def extend(self, other: Found) -> None:
        """Add the rows of another."""
        before, more = len(self), len(other)
        for name in ("case", "condition", "repeat", "outcome", "fault", "score", "seconds"):
            getattr(self, name).extend(getattr(other, name))
        self.finding_score.extend(other.finding_score)
        self.finding_lesion.extend(other.finding_lesion)
        for name in {*self.answers, *other.answers}:
            self.answers.setdefault(name, [None] * before).extend(other.answers.get(name) or [None] * more)


class Journal:
    """The parts of a run in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def has(self, part: str) -> bool:
        """Say whether a part is there."""
        return (self.folder / f"{part}.arrow").is_file()

    def keep_ready(self, ready: Ready) -> None:
        """Keep what the worker said of itself."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / _READY).write_text(ready.model_dump_json(), encoding="utf-8")

    def ready(self) -> Ready | None:
        """Return what the worker of an earlier attempt said of itself."""
        path = self.folder / _READY
        return Ready.model_validate_json(path.read_bytes()) if path.is_file() else None

    def keep_clock(self, part: str, clock: Clock) -> None:
        """Keep how steady the machine was while the calls of a part were timed."""
        write_whole(self.folder / f"{part}.clock.json", clock.model_dump_json().encode())

    def clock(self, part: str) -> Clock | None:
        """Return how steady the machine was while a part was timed; None of a part that was not."""
        path = self.folder / f"{part}.clock.json"
        return Clock.model_validate_json(path.read_bytes()) if path.is_file() else None

    def write(self, part: str, found: Found) -> None:
        """Keep a part. Raises OSError when it cannot be written."""
        import pyarrow as pa

        table, stream = _table(found), io.BytesIO()
        with pa.ipc.new_file(stream, table.schema) as writer:
            writer.write_table(table)
        write_whole(self.folder / f"{part}.arrow", stream.getvalue())

    def read(self, part: str) -> Found:
        """Read a part back. Raises InvalidRunError when it does not hold."""
        import pyarrow as pa

        path = self.folder / f"{part}.arrow"
        try:
            columns = pa.ipc.open_file(pa.BufferReader(path.read_bytes())).read_all().to_pydict()
            answers = {
                name.removeprefix(_ANSWERS): columns.pop(name) for name in list(columns) if name.startswith(_ANSWERS)
            }
            return Found(**columns, answers=answers)
        except (OSError, ValueError, TypeError, pa.ArrowException) as error:
            raise InvalidRunError(
                Code.WORKER_LOST,
                "a part of the run that is to be resumed cannot be read",
                where=str(path),
                mend="start the check anew, without --resume",
            ) from error


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that is whole or not there, whatever happens. Raises OSError when it cannot be written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.stem}.partial")
    with beside.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    beside.rename(path)


def _table(found: Found) -> pa.Table:
    import pyarrow as pa

    kinds = {
        "case": pa.int32(),
        "condition": pa.int32(),
        "repeat": pa.int32(),
        "outcome": pa.string(),
        "fault": pa.string(),
        "score": pa.float64(),
        "seconds": pa.float64(),
        "finding_score": pa.list_(pa.float64()),
        "finding_lesion": pa.list_(pa.int32()),
    }
    columns = {name: pa.array(getattr(found, name), type=kind) for name, kind in kinds.items()}
    columns |= {_ANSWERS + name: pa.array(values, type=pa.float64()) for name, values in found.answers.items()}
    return pa.table(columns)
