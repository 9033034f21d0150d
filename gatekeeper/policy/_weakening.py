"""A layer may ask for more than the ones below it. To ask for less, it says why and who decided; it drops nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gatekeeper.canonical import JSON
from gatekeeper.errors import Code, Place, Problem
from gatekeeper.policy._compare import Change, Data, Direction, changes
from gatekeeper.strict_yaml import Document, KeyPath
from gatekeeper.validation import find_place


@dataclass(frozen=True)
class Relaxed:
    """One thing for which a layer asks less than ``below``, with its reason."""

    place: Place
    below: str
    words: str
    why: str
    by: str


@dataclass
class Weakenings:
    """What layers take away: ``relaxed`` with a reason, ``problems`` without one.

    ``data`` is the merged layers with each requirement that a layer dropped put back.
    """

    data: Data = field(default_factory=dict)
    relaxed: list[Relaxed] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def find_weakenings(layers: Sequence[Document]) -> Weakenings:
    """Compare the merge of layers, the lowest first, before and after each one."""
    found = Weakenings()
    for index, layer in enumerate(layers):
        before = found.data
        after = _merged(before, {key: value for key, value in layer.data.items() if key != "defaults"})
        for change in changes(before, after):
            if change.weakens and _is_spoken_of(str(change.path[0]), before):
                _judge(change, layer, layers[:index], found)
        found.problems += _stale_prevalence(before, after, layer)
        found.data = _put_back(before, after)
    return found


def _is_spoken_of(key: str, below: Data) -> bool:
    """Say whether layers below set a key; whoever requires something counts failures as wrong, said or not."""
    return key != "waivers" and (key in below or (key == "failure_costs" and "requirements" in below))


def _judge(change: Change, layer: Document, below: Sequence[Document], found: Weakenings) -> None:
    place, parent = find_place(layer, change.path), _last_with(below, change.path)
    if change.direction is Direction.REMOVED and change.path[0] == "requirements":
        what = f'this layer drops the requirement "{change.path[1]}" of {parent}'
        mend = "remove the line; a release without the requirement needs a waiver, which names who, why and until when"
        found.problems.append(Problem(Code.FORBIDDEN, what, place, mend=mend))
        return
    relaxes = _relaxation(layer, change.path)
    if relaxes is not None:
        found.relaxed.append(Relaxed(place, parent, change.words, *relaxes))
        return
    key = f"requirements.{change.path[1]}" if change.path[0] == "requirements" else "the top"
    found.problems.append(
        Problem(
            Code.FORBIDDEN,
            f"this layer asks for less than {parent}: {change.words}",
            place,
            why="a layer weakens one below it only with a reason that a reviewer can read",
            mend=f'add "relaxes: {{why: ..., by: ...}}" at {key}, or keep what {parent} requires',
        )
    )


def _relaxation(layer: Document, path: KeyPath) -> tuple[str, str] | None:
    holder: JSON = layer.data
    if path[0] == "requirements":
        requirements = layer.data.get("requirements")
        holder = requirements.get(str(path[1])) if isinstance(requirements, dict) else None
    relaxes = holder.get("relaxes") if isinstance(holder, dict) else None
    if not isinstance(relaxes, dict):
        return None
    why, by = relaxes.get("why"), relaxes.get("by")
    return (why, by) if isinstance(why, str) and isinstance(by, str) and why and by else None


def _stale_prevalence(before: Data, after: Data, layer: Document) -> Iterator[Problem]:
    """Refuse another prevalence under the old one's source."""
    old, new = _prevalence(before), _prevalence(after)
    if old is None or new is None or old == new or ("context", "prevalence", "basis", "source") in layer.places:
        return
    yield Problem(
        Code.MISSING_KEY,
        f"the prevalence changes from {old} to {new}, and its basis stays the old one",
        find_place(layer, ("context", "prevalence", "value")),
        mend='add "basis: {source: ..., status: ...}" beside it: where does the new figure come from?',
    )


def _prevalence(data: Data) -> str | None:
    context = data.get("context")
    prevalence = context.get("prevalence") if isinstance(context, dict) else None
    value = prevalence.get("value") if isinstance(prevalence, dict) else None
    return None if value is None else str(value)


def _merged(below: Data, above: Data) -> Data:
    """Merge as Hydra does: mappings key by key, everything else replaced."""
    result = dict(below)
    for key, value in above.items():
        under = result.get(key)
        result[key] = _merged(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return result


def _put_back(before: Data, after: Data) -> Data:
    old, new = before.get("requirements"), after.get("requirements")
    if not isinstance(old, dict):
        return after
    kept = dict(new) if isinstance(new, dict) else {}
    kept |= {id_: requirement for id_, requirement in old.items() if not isinstance(kept.get(id_), dict)}
    return {**after, "requirements": kept}


def _last_with(layers: Sequence[Document], path: KeyPath) -> str:
    """Name the layer that last set a key, as ``defaults`` do: ``base/triage``."""
    for length in range(len(path), 0, -1):
        for layer in reversed(layers):
            if path[:length] in layer.places:
                file = Path(layer.path)
                return f"{file.parent.name}/{file.stem}"
    return "the layer below"
