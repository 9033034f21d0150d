"""Defects planted in evidence: what a candidate, or whoever ran it, could have got wrong, one at a time.

Each is made from the evidence of a run alone, the same cases of a test set each time. In what evidence does not hold,
such as the masks themselves, nothing is planted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gatekeeper.evidence import CaseOutcome, Evidence
from gatekeeper.policy import Policy
from gatekeeper.verdict.broken_groups import subgroups_broken
from gatekeeper.verdict.planting import Change, Chosen, Floats, Ground

_LEAST = 1e-6  # scores are kept from 0 and 1 by so much, as their logits are infinite
_VOLUME_NOISE = 0.1


@dataclass(frozen=True)
class Planted:
    """Evidence with one defect, to be judged at ``operating_point``; None where it cannot carry the defect.

    ``done`` says what was planted, or why it cannot be.
    """

    id: str
    done: str
    evidence: Evidence | None
    operating_point: float


def planted(policy: Policy, evidence: Evidence, operating_point: float) -> Iterator[Planted]:
    """Give the evidence with each defect in turn, always all of them and in this order.

    A broken subgroup is planted for each attribute by which the policy asks for subgroups; where it asks for none, for
    the attribute of which the fewest cases need be wrong.
    """
    ground = Ground.of(evidence)
    makers: list[tuple[str, Callable[[], Change]]] = [
        ("labels_shuffled", lambda: _labels_shuffled(ground)),
        ("constant_scores", lambda: _constant_scores(ground, operating_point)),
        ("operating_point_moved", lambda: _operating_point_moved(ground, operating_point)),
        ("positives_lost", lambda: _positives_lost(ground, operating_point)),
        *subgroups_broken(ground, policy),
        ("latency_tripled", lambda: _latency_tripled(ground)),
        ("noisy_scores", lambda: _noisy_scores(ground)),
        ("unanswered", lambda: _unanswered(ground)),
    ]
    for id_, make in makers:
        change = make()
        if not change.done:
            yield Planted(id_, change.why, None, operating_point)
            continue
        moved = operating_point if change.operating_point is None else change.operating_point
        yield Planted(id_, "; ".join(change.done), ground.changed(change.columns), moved)


def _labels_shuffled(ground: Ground) -> Change:
    name, rows = "labels_shuffled", ground.rows
    done: list[str] = []
    columns: dict[str, NDArray[np.generic] | Sequence[object]] = {}
    if ground.scored or ground.classes:
        if len(np.unique(ground.answered.label)) < 2:
            return Change(why="all cases have one label")
        columns["label"] = ground.dealt(name, rows.label)
        done.append("the labels are dealt out anew among the cases")
    if rows.findings is not None:
        columns["label"] = ground.dealt(name, rows.label)
        columns["lesions"] = ground.dealt(name, rows.findings.lesions)
        columns["finding_lesion"] = [np.where(hits >= 0, -1, hits).tolist() for hits in rows.findings.hits]
        done.append("every case has the lesions of another, of which it hits none")
    if ground.masked and not done:
        return Change(why="the evidence holds how far each mask agrees with its own reference, and not the masks")
    if ground.measured and not ground.masked:
        for column in ground.measured:
            if column.what == "reference":
                columns[column.column] = ground.dealt(name, rows.answers[column.column])
                done.append(f"the references of {column.structure} are dealt out anew among the cases")
    return Change(tuple(done), columns)


def _constant_scores(ground: Ground, operating_point: float) -> Change:
    rows = ground.rows
    done: list[str] = []
    columns: dict[str, NDArray[np.generic] | Sequence[object]] = {}
    constant = float(np.clip(operating_point, 0.0, 1.0))
    if ground.scored:
        columns["score"] = np.where(np.isfinite(rows.score), constant, rows.score)
        done.append(f"every score is {constant:.4g}, so that every case gets an alarm")
    if ground.classes:
        for name in ground.classes:
            columns[name] = _all_alike(rows.answers[name], ground.answered.answers[name])
        done.append("every case has the mean of all probabilities")
    if rows.findings is not None:
        columns |= ground.scored_as([[constant] * len(scores) for scores in rows.findings.scores])
        done.append(f"every finding is scored {constant:.4g}")
    if ground.masked and not done:
        return Change(why="masks have no scores")
    if ground.measured and not ground.masked:
        for column in ground.measured:
            if column.what == "quantity":
                given = ground.answered.answers[column.column]
                columns[column.column] = _all_alike(rows.answers[column.column], given)
                done.append(f"every case has the mean quantity of {column.structure}")
    return Change(tuple(done), columns)


def _operating_point_moved(ground: Ground, operating_point: float) -> Change:
    """Move the point above the scores of half of what was found: half of the sensitivity is left, or less with ties."""
    rows = ground.answered
    if rows.findings is not None:
        pairs = zip(rows.findings.scores, rows.findings.hits, strict=True)
        scores, what = np.concatenate([np.empty(0), *(values[hits >= 0] for values, hits in pairs)]), "lesions"
    elif ground.scored:
        scores, what = rows.score[rows.label == 1], "positive cases"
    else:
        return Change(why="no answer hangs on an operating point")
    found = np.sort(scores[scores >= operating_point])
    if len(found) == 0:
        return Change(why=f"none of the {what} is found as it is")
    left = len(found) // 2
    moved = float(np.nextafter(found[len(found) - left - 1], np.inf))
    kept = int((found >= moved).sum())
    told = f"the operating point is moved from {operating_point:.4g} to {moved:.4g}"
    return Change((f"{told}, where {kept:,} instead of {len(found):,} {what} are found",), {}, moved)


def _positives_lost(ground: Ground, operating_point: float) -> Change:
    name, rows = "positives_lost", ground.rows
    done: list[str] = []
    columns: dict[str, NDArray[np.generic] | Sequence[object]] = {}

    def lost(among: Chosen, what: str) -> Chosen:
        chosen = ground.fifth(name, among)
        if chosen.any():
            done.append(f"{int(chosen.sum()):,} of {int((among & ground.known).sum()):,} {what}")
        return np.asarray(chosen[ground.subject])

    if ground.scored and operating_point > 0.0:
        chosen = lost(ground.of_subjects(rows.label == 1).astype(bool), "positive cases get a score of 0")
        columns["score"] = np.where(chosen & np.isfinite(rows.score), 0.0, rows.score)
    if ground.classes:
        chosen = lost(ground.known, "cases are called the class farthest from their own")
        columns |= ground.called_wrong(chosen)
    if rows.findings is not None:
        chosen = lost(ground.of_subjects(rows.findings.lesions > 0).astype(bool), "cases with lesions get no finding")
        columns |= ground.with_findings(chosen, [])
    if ground.measured:
        present = np.zeros(len(rows), dtype=bool)
        references = [rows.answers[item.column] for item in ground.measured if item.what == "reference"]
        for reference in references:
            present |= reference > 0.0
        among = ground.of_subjects(present if references else np.ones(len(rows), dtype=bool))
        what = "cases get empty masks" if ground.masked else "cases are measured as 0"
        columns |= ground.emptied(lost(np.asarray(among, dtype=bool), what))
    return Change(tuple(done), columns, why="there is no positive case that could be lost")


def _latency_tripled(ground: Ground) -> Change:
    times = ground.times
    calls = int(np.isfinite(times["seconds"]).sum())
    if calls == 0:
        return Change(why="no call was timed")
    return Change((f"each of {calls:,} timed calls takes 3 times as long",), {at: 3.0 * times[at] for at in times})


def _noisy_scores(ground: Ground) -> Change:
    """Add noise that is another in every row: also where the same case is run again."""
    name, rows = "noisy_scores", ground.rows
    done: list[str] = []
    columns: dict[str, NDArray[np.generic] | Sequence[object]] = {}
    if ground.scored:
        columns["score"] = _noisy(rows.score, ground.normal(name, len(rows)))
    if ground.classes:
        noise = ground.normal(name, len(rows) * len(ground.classes)).reshape(len(rows), -1)
        given = np.stack([rows.answers[column] for column in ground.classes], axis=1)
        odds = np.maximum(given, _LEAST) * np.exp(noise)
        odds /= odds.sum(axis=1, keepdims=True)
        columns |= {column: odds[:, at] for at, column in enumerate(ground.classes)}
    if rows.findings is not None:
        ends = np.cumsum([len(scores) for scores in rows.findings.scores])
        noise = ground.normal(name, int(ends[-1]) if len(ends) else 0)
        parts = zip(rows.findings.scores, np.split(noise, ends[:-1]), strict=True)
        columns |= ground.scored_as([_noisy(scores, part).tolist() for scores, part in parts])
    if columns:
        done.append("noise of SD 1 is added to the logit of every score, anew each time that a case is run")
    for structure in sorted({column.structure for column in ground.measured}):
        of_it = [column for column in ground.measured if column.structure == structure]
        quantity = next((rows.answers[column.column] for column in of_it if column.what == "quantity"), None)
        if quantity is None:
            continue
        noisy = quantity * np.exp(_VOLUME_NOISE * ground.normal(f"{name} {structure}", len(rows)))
        for column in of_it:
            moved = ground.of_volume(column, noisy)
            if isinstance(moved, np.ndarray):
                values = rows.answers[column.column]
                columns[column.column] = np.where(np.isfinite(values), moved, values)
        left = ", while overlaps and distances stay" if ground.masked else ""
        done.append(f"the size of {structure} varies by an SD of 10 %, anew each time that a case is run{left}")
    return Change(tuple(done), columns, why="the evidence holds neither scores nor quantities")


def _unanswered(ground: Ground) -> Change:
    rows = ground.rows
    lost = ground.fifth("unanswered", ground.known)
    if not lost.any():
        return Change(why="there is no case")
    chosen = lost[ground.subject]
    table = ground.evidence.table
    columns: dict[str, NDArray[np.generic] | Sequence[object]] = {
        "outcome": _replaced(table["outcome"].to_pylist(), chosen, CaseOutcome.CRASHED.value),
        "fault": _replaced(table["fault"].to_pylist(), chosen, "planted by the self-test"),
    }
    columns |= {name: np.where(chosen, np.nan, values) for name, values in ground.times.items()}
    kept = {item.column for item in ground.measured if item.what in ("reference", "diagonal")}
    for name, values in rows.answers.items():
        if name not in kept:
            columns[name] = np.where(chosen, np.nan, values)
    if rows.findings is not None:
        columns |= ground.with_findings(chosen, [])
    columns["score"] = np.where(chosen, np.nan, rows.score)
    told = f"{int(lost.sum()):,} of {int(ground.known.sum()):,} cases crash in every condition"
    return Change((told,), columns)


def _all_alike(values: Floats, given: Floats) -> Floats:
    """Return the values, each the mean of what was given at baseline."""
    finite = given[np.isfinite(given)]
    return np.where(np.isfinite(values), finite.mean() if len(finite) else 0.0, values)


def _replaced(values: Sequence[str], chosen: Chosen, other: str) -> list[str]:
    return [other if here else value for value, here in zip(values, chosen.tolist(), strict=True)]


def _noisy(scores: Floats, noise: Floats) -> Floats:
    kept = np.clip(scores, _LEAST, 1.0 - _LEAST)
    odds = kept / (1.0 - kept) * np.exp(noise)
    return np.asarray(odds / (1.0 + odds))
