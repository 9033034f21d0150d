"""From evidence to a few wrong calls: those nearest to the operating point, and those farthest from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from gatekeeper.dossier.curves import Example, Kind
from gatekeeper.evidence import BASELINE, Evidence, Rows
from gatekeeper.policy import Policy

MOST = 4  # of each kind


def examples(policy: Policy, evidence: Evidence, operating_point: float) -> tuple[Example, ...]:
    """Return false alarms, then misses, of answered originals at baseline, each from the nearest to the farthest one.

    Of findings: false ones at or above the operating point, and lesions that no finding at or above it hits, a lesion
    that none hits at all last.
    """
    originals = evidence.under(BASELINE.id).originals()
    rows = originals.where(originals.answered)
    groups = policy.subgroups.by if policy.subgroups else ()
    found = list(
        _of_findings(rows, groups, operating_point) if rows.findings else _of_cases(rows, groups, operating_point)
    )
    return tuple(
        example
        for kind in ("false alarm", "miss")
        for example in _chosen([example for example in found if example.kind == kind])
    )


def _chosen(of_kind: Sequence[Example]) -> Sequence[Example]:
    ordered = sorted(of_kind, key=lambda one: (np.inf if one.distance is None else one.distance, one.case, one.what))
    return ordered if len(ordered) <= MOST else [*ordered[: MOST // 2], *ordered[-(MOST - MOST // 2) :]]


def _of_cases(rows: Rows, groups: Sequence[str], cut: float) -> Iterator[Example]:
    called = rows.called(cut)
    for at in np.flatnonzero((called != (rows.label == 1)) & np.isfinite(rows.score)).tolist():
        score = float(rows.score[at])
        kind: Kind = "false alarm" if called[at] else "miss"
        yield Example(kind, str(rows.case[at]), score, abs(score - cut), _groups(rows, groups, at))


def _of_findings(rows: Rows, groups: Sequence[str], cut: float) -> Iterator[Example]:
    if rows.findings is None:
        return
    given = zip(rows.findings.scores, rows.findings.hits, rows.findings.lesions.tolist(), strict=True)
    for at, (scores, hits, lesions) in enumerate(given):
        case, told = str(rows.case[at]), _groups(rows, groups, at)
        for score in scores[(hits == -1) & (scores >= cut)].tolist():
            yield Example("false alarm", case, score, score - cut, told)
        for lesion in range(lesions):
            best = max(scores[hits == lesion].tolist(), default=None)
            if best is None or best < cut:
                distance = None if best is None else cut - best
                yield Example("miss", case, best, distance, told, f"lesion {lesion + 1} of {lesions}")


def _groups(rows: Rows, groups: Sequence[str], at: int) -> tuple[tuple[str, str], ...]:
    return tuple((name, str(rows.attributes[name][at])) for name in groups if name in rows.attributes)
