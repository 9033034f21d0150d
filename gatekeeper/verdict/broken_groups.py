"""A subgroup on which every answer is wrong: which one, and what becomes of its rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from gatekeeper.policy import Policy
from gatekeeper.policy.schema import Subgroups
from gatekeeper.verdict.planting import Change, Ground

_FEWEST: int = Subgroups.model_fields["min_cases"].default


def subgroups_broken(ground: Ground, policy: Policy) -> list[tuple[str, Callable[[], Change]]]:
    """Choose a group of each attribute that is asked, or one group where none is.

    Of the groups that are large enough to be judged, the smallest: a large one that is broken is seen in the whole
    test set, where no policy need ask for subgroups. Where an attribute that is asked has none, its largest group.
    """
    name, asked = "subgroup_broken", policy.subgroups
    fewest = asked.min_cases if asked else _FEWEST
    attributes = sorted(ground.rows.attributes)
    if asked is None:
        choices = [(attribute, _group(ground, attribute, fewest, largest=False)) for attribute in attributes]
        sizes = {attribute: _size(ground, attribute, group) for attribute, group in choices if group is not None}
        if not sizes:
            why = f"no attribute of the test set divides off a group of {fewest} cases of each kind"
            return [(name, lambda: Change(why=why))]
        attributes = [min(sizes, key=lambda attribute: (sizes[attribute], attribute))]
    else:
        attributes = list(asked.by)
    return [(f"{name}[{attribute}]", _breaking(ground, attribute, fewest)) for attribute in attributes]


def _breaking(ground: Ground, attribute: str, fewest: int) -> Callable[[], Change]:
    def make() -> Change:
        if attribute not in ground.rows.attributes:
            return Change(why="the test set has no such attribute")
        group = _group(ground, attribute, fewest, largest=True)
        if group is None:
            return Change(why="all cases are of one group")
        return _group_broken(ground, attribute, group)

    return make


def _group(ground: Ground, attribute: str, fewest: int, *, largest: bool) -> str | None:
    """Return the smallest group that can be judged; without any the largest, if ``largest``; None for no group."""
    sizes = Counter(_groups(ground, attribute))
    if len(sizes) < 2:
        return None
    counted = [sizes]
    if ground.scored:
        labels = ground.of_subjects(ground.rows.label)[ground.known].tolist()
        pairs = Counter(zip(_groups(ground, attribute), labels, strict=True))
        counted = [Counter({group: pairs[group, kind] for group in sizes}) for kind in (0, 1)]
    able = [group for group in sizes if all(kind[group] >= fewest for kind in counted)]
    if able:
        return min(able, key=lambda group: (sizes[group], group))
    return max(sizes, key=lambda group: (sizes[group], group)) if largest else None


def _groups(ground: Ground, attribute: str) -> list[str]:
    """Return the group of each subject."""
    return [str(group) for group in ground.of_subjects(ground.rows.attributes[attribute])[ground.known]]


def _size(ground: Ground, attribute: str, group: str) -> int:
    return _groups(ground, attribute).count(group)


def _group_broken(ground: Ground, attribute: str, group: str) -> Change:
    rows = ground.rows
    chosen = np.asarray(rows.attributes[attribute] == group, dtype=bool)
    columns: dict[str, NDArray[np.generic] | Sequence[object]] = {}
    if ground.scored:
        wrong = np.asarray(rows.label == 0, dtype=np.float64)
        columns["score"] = np.where(chosen & np.isfinite(rows.score), wrong, rows.score)
    columns |= ground.called_wrong(chosen)
    if rows.findings is not None:
        columns |= ground.with_findings(chosen, [1.0])
    columns |= ground.emptied(chosen)
    if not columns:
        return Change()
    of_it, total = _size(ground, attribute, group), int(ground.known.sum())
    shown = group or "not given"
    return Change((f"every answer is wrong where {attribute} is {shown}: {of_it:,} of {total:,} cases",), columns)
