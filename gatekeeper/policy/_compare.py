"""What became stricter, looser or otherwise different between two policies, or two layers of one, in words.

Policies are compared as plain data, so that layers which are not whole, or not sound, can be compared as well: what
cannot be read is left to the validation that follows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from gatekeeper.canonical import JSON
from gatekeeper.metrics import METRICS, Metric
from gatekeeper.perturbations import PERTURBATIONS
from gatekeeper.policy._meaning import ENDS, OPTIONS
from gatekeeper.quantities import parse_quantity
from gatekeeper.strict_yaml import KeyPath

Data = dict[str, JSON]

# option -> (unit, whether more of it asks for more)
_OPTION_SCALES = {
    "at_sensitivity": ("1", True),
    "at_specificity": ("1", True),
    "at_false_positives_per_case": ("count", False),
    "tolerance": ("mm", False),
    "percentile": ("1", True),
    "severity": ("1", True),
}
_PLAIN = (
    *("id", "version", "title", "context", "latency", "order", "multiplicity", "monitoring", "dossier", "relaxes"),
    "notes",
)
_LONGEST_QUOTED = 60
_UNITS = ("1", "s", "mm", "degree", "MiB", "cases/s")
_WITHIN = ("inference", "read", "decode", "preprocess", "transfer", "forward", "postprocess")  # of end_to_end
_IN_USE = {"precision": False, "npv": True}  # whether a higher prevalence asks for more


class Direction(StrEnum):
    """Which way a change goes."""

    STRICTER = "stricter"
    LOOSER = "looser"
    CHANGED = "changed"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True)
class Change:
    """One difference: at which key, which way it goes, and what it is, in words.

    ``weakens`` says that what was required before may no longer be: the change is looser, a removal, or of a kind that
    cannot be compared.
    """

    path: KeyPath
    direction: Direction
    words: str
    weakens: bool = False


def changes(before: Data, after: Data) -> Iterator[Change]:
    """Compare two policies key by key: requirements first, then what is tried, then how it is judged."""
    old, new = _data(before.get("requirements")), _data(after.get("requirements"))
    for id_, requirement in old.items():
        path: KeyPath = ("requirements", id_)
        if not isinstance(new.get(id_), dict):
            yield Change(path, Direction.REMOVED, f"{id_} is no longer required", weakens=True)
        elif isinstance(requirement, dict):
            yield from _requirement_changes(id_, requirement, _data(new[id_]))
    for id_ in new:
        if id_ not in old:
            yield Change(("requirements", id_), Direction.ADDED, f"{id_} is required")
    yield from _ladder_changes(_data(before.get("robustness")), _data(after.get("robustness")))
    yield from _repeat_changes(_data(before.get("repeatability")), _data(after.get("repeatability")))
    yield from _list_changes(("refusals",), before, after, "refusal of {} inputs is tried")
    yield from _number_change(("refusal_tries",), "unusable inputs tried of each kind", before, after, 40)
    yield from _subgroup_changes(before.get("subgroups"), after.get("subgroups"))
    yield from _cost_changes(_data(before.get("failure_costs")), _data(after.get("failure_costs")))
    yield from _use_changes(before, after)
    yield from _margin_changes(before, after)
    yield from _waiver_changes(before, after)
    for key in _PLAIN:
        yield from _plain_changes((key,), before.get(key), after.get(key))


def _requirement_changes(id_: str, old: Data, new: Data) -> Iterator[Change]:
    path: KeyPath = ("requirements", id_)
    spec, now = _metric(old), _metric(new)
    if spec is not None and now is not None and spec.name != now.name:
        words = f"{id_} measures {now.name} instead of {spec.name}"
        yield Change((*path, "metric"), Direction.CHANGED, words, weakens=True)
        return
    another_level = old.get("level") != new.get("level")  # told once, with the numeric format that belongs to it
    for option in OPTIONS:
        if option == "numeric_format" and another_level:
            continue
        if not _same(_given(old, option), _given(new, option)):
            yield _option_change(id_, option, old, new, spec)
    if spec is not None:
        yield from _threshold_changes(id_, old, new, spec)
    yield from _number_change((*path, "confidence"), f"{id_}: confidence", old, new, 0.95)
    blocking, still = old.get("blocking", True), new.get("blocking", True)
    if blocking is True and still is False:
        yield Change((*path, "blocking"), Direction.LOOSER, f"{id_} is advisory, no longer blocking", weakens=True)
    elif blocking is False and still is True:
        yield Change((*path, "blocking"), Direction.STRICTER, f"{id_} is blocking, no longer advisory")
    for key in ("title", "hazard", "clause", "basis", "relaxes"):
        if old.get(key) != new.get(key):
            yield Change((*path, key), Direction.CHANGED, f"{id_}: another {key}")


def _option_change(id_: str, option: str, old: Data, new: Data, spec: Metric | None) -> Change:
    path: KeyPath = ("requirements", id_, option)
    before, after = _given(old, option), _given(new, option)
    words = f"{id_}: {option} {_written(before)} -> {_written(after)}"
    unit, more_is_stricter = _OPTION_SCALES.get(option, ("1", None))
    if option == "at_prevalence" and spec is not None:
        more_is_stricter = _IN_USE.get(spec.name)
    low, high = _number(before, unit), _number(after, unit)
    if option == "stage" and before in _WITHIN and after == "end_to_end":
        return Change(path, Direction.STRICTER, words)
    if option == "interval" and after == "clopper_pearson":
        return Change(path, Direction.STRICTER, words)
    if more_is_stricter is None or low is None or high is None:
        return Change(path, Direction.CHANGED, words, weakens=True)
    stricter = (high > low) == more_is_stricter
    return Change(path, Direction.STRICTER if stricter else Direction.LOOSER, words, weakens=not stricter)


def _threshold_changes(id_: str, old: Data, new: Data, spec: Metric) -> Iterator[Change]:
    (end, before), (now, after) = _threshold(old, spec), _threshold(new, spec)
    if end is None or now is None or before is None or after is None:
        return
    side = "at least" if spec.higher_is_better else "at most"
    value, later = _written(_limit(old, end)), _written(_limit(new, now))
    path: KeyPath = ("requirements", id_, now)
    least = after >= before if spec.higher_is_better else after <= before
    if end != now:
        words = f"{id_}: {_spoken(end)} {side} {value} -> {_spoken(now)} {side} {later}"
        stricter = end == "estimate" and least
        looser = now == "estimate" and not least
        direction = Direction.STRICTER if stricter else Direction.LOOSER if looser else Direction.CHANGED
        yield Change(path, direction, words, weakens=not stricter)
    elif before != after:
        words = f"{id_}: {_spoken(end)} {side} {value} -> {later}"
        yield Change(path, Direction.STRICTER if least else Direction.LOOSER, words, weakens=not least)


def _number_change(path: KeyPath, what: str, old: Data, new: Data, default: float) -> Iterator[Change]:
    key = str(path[-1])
    before, after = _number(old.get(key, default), "1"), _number(new.get(key, default), "1")
    if before is not None and after is not None and before != after:
        direction = Direction.STRICTER if after > before else Direction.LOOSER
        yield Change(path, direction, f"{what} {before:g} -> {after:g}", weakens=after < before)


def _ladder_changes(old: Data, new: Data) -> Iterator[Change]:
    for name, steps in old.items():
        path: KeyPath = ("robustness", name)
        before, after = _magnitudes(name, steps), _magnitudes(name, new.get(name))
        if not after and before:
            yield Change(path, Direction.REMOVED, f"{name} is no longer tried", weakens=True)
        elif before != after:
            words = f"{name}: {_written(steps)} -> {_written(new.get(name))}"
            extended = after[: len(before)] == before
            yield Change(path, Direction.STRICTER if extended else Direction.CHANGED, words, weakens=not extended)
    for name in new:
        if name not in old:
            yield Change(("robustness", name), Direction.ADDED, f"{name} is tried")


def _repeat_changes(old: Data, new: Data) -> Iterator[Change]:
    before, after = _data(old.get("benign")), _data(new.get("benign"))
    for name in {**before, **after}:
        path: KeyPath = ("repeatability", "benign", name)
        neutral = PERTURBATIONS.get(name).neutral if name in PERTURBATIONS else 0.0
        written, later = _written(before.get(name)), _written(after.get(name))
        size, now = (_magnitudes(name, [of.get(name)])[0] for of in (before, after))
        if now is None and size is not None:
            yield Change(path, Direction.REMOVED, f"{name} is no longer tried as a benign change", weakens=True)
        elif size is None and now is not None:
            yield Change(path, Direction.ADDED, f"{name} of {later} is tried as a benign change")
        elif size is not None and now is not None and size != now:
            smaller = abs(now - neutral) < abs(size - neutral)
            words = f"{name} as a benign change: {written} -> {later}"
            yield Change(path, Direction.LOOSER if smaller else Direction.STRICTER, words, weakens=smaller)
    yield from _number_change(("repeatability", "reruns"), "reruns", old, new, 1)


def _list_changes(path: KeyPath, before: Data, after: Data, what: str) -> Iterator[Change]:
    key = str(path[-1])
    old, new = _texts(before.get(key)), _texts(after.get(key))
    for item in old:
        if item not in new:
            yield Change(path, Direction.REMOVED, "no longer: " + what.format(_spoken(item)), weakens=True)
    for item in new:
        if item not in old:
            yield Change(path, Direction.ADDED, what.format(_spoken(item)))


def _subgroup_changes(before: JSON, after: JSON) -> Iterator[Change]:
    path: KeyPath = ("subgroups",)
    if isinstance(before, dict) and not isinstance(after, dict):
        yield Change(path, Direction.REMOVED, "no subgroup is looked at any longer", weakens=True)
        return
    if not isinstance(before, dict):
        if isinstance(after, dict):
            yield Change(path, Direction.ADDED, f"subgroups by {', '.join(_texts(after.get('by')))} are looked at")
        return
    new = _data(after)
    yield from _list_changes((*path, "by"), before, new, "subgroups by {} are looked at")
    yield from _list_changes((*path, "requirements"), before, new, "{} is looked at in subgroups")
    if before.get("blocking", False) is True and new.get("blocking", False) is False:
        yield Change((*path, "blocking"), Direction.LOOSER, "subgroups no longer block", weakens=True)
    elif before.get("blocking", False) is False and new.get("blocking", False) is True:
        yield Change((*path, "blocking"), Direction.STRICTER, "subgroups block")
    for key in ("too_small", "missing"):
        old_word, new_word = before.get(key, "not_decided"), new.get(key, "not_decided")
        if old_word != new_word:
            looser = new_word == "not_judged"
            words = f"a group that is {_spoken(key)}: {_spoken(str(old_word))} -> {_spoken(str(new_word))}"
            yield Change((*path, key), Direction.LOOSER if looser else Direction.STRICTER, words, weakens=looser)
    yield from _expected_changes(_data(before.get("expected")), _data(new.get("expected")))
    for key in ("min_cases",):
        yield from _plain_changes((*path, key), before.get(key), new.get(key))
    gaps, now = _data(before.get("largest_gap")), _data(new.get("largest_gap"))
    for id_ in {**gaps, **now}:
        where: KeyPath = (*path, "largest_gap", id_)
        if id_ not in now:
            yield Change(where, Direction.REMOVED, f"{id_}: the gap between groups is no longer bounded", weakens=True)
        elif id_ not in gaps:
            yield Change(where, Direction.ADDED, f"{id_}: the gap between groups is bounded")
        elif not _same(gaps[id_], now[id_]):
            looser = not any(_is_less(now[id_], gaps[id_], unit) for unit in _UNITS)
            words = f"{id_}: largest gap between groups {gaps[id_]} -> {now[id_]}"
            yield Change(where, Direction.LOOSER if looser else Direction.STRICTER, words, weakens=looser)


def _expected_changes(old: Data, new: Data) -> Iterator[Change]:
    for attribute in {**old, **new}:
        yield from _list_changes(("subgroups", "expected", attribute), old, new, f"{attribute} {{}} is expected")


def _cost_changes(old: Data, new: Data) -> Iterator[Change]:
    for key in {**old, **new}:
        before, after = old.get(key, "wrong"), new.get(key, "wrong")
        if before != after:
            direction = Direction.STRICTER if after == "wrong" else Direction.LOOSER
            words = f"{_spoken(key)} counts as {after}, no longer as {before}"
            yield Change(("failure_costs", key), direction, words, weakens=after != "wrong")


def _use_changes(before: Data, after: Data) -> Iterator[Change]:
    group, key = "test_set_use", "max_release_evaluations"
    path: KeyPath = (group, key)
    old, new = (_number(_data(data.get(group)).get(key), "1") for data in (before, after))
    if old == new:
        return
    looser = new is None or (old is not None and new > old)
    words = f"release evaluations of one test set: {_times(old)} -> {_times(new)}"
    yield Change(path, Direction.LOOSER if looser else Direction.STRICTER, words, weakens=looser)


def _margin_changes(before: Data, after: Data) -> Iterator[Change]:
    old, new = (_data(_data(data.get("champion")).get("not_inferior")) for data in (before, after))
    for id_ in {**old, **new}:
        path: KeyPath = ("champion", "not_inferior", id_)
        was, now = (_data(margins.get(id_)).get("margin") for margins in (old, new))
        if _same(was, now):
            continue
        spec = _metric(_data(_data(before.get("requirements")).get(id_)))
        low, high = (_number(value, spec.unit if spec else "1") for value in (was, now))
        looser = now is None or (low is not None and high is not None and high > low)
        words = f"{id_}: margin to the champion {_written(was)} -> {_written(now)}"
        yield Change(path, Direction.LOOSER if looser else Direction.STRICTER, words, weakens=looser)


def _waiver_changes(before: Data, after: Data) -> Iterator[Change]:
    old, new = (
        {str(_data(item).get("requirement")): item for item in _list(data.get("waivers"))} for data in (before, after)
    )
    for id_, waiver in new.items():
        if old.get(id_) != waiver:
            words = f"{id_} is waived until {_data(waiver).get('expires')}"
            yield Change(("waivers",), Direction.LOOSER, words, weakens=True)
    for id_ in old:
        if id_ not in new:
            yield Change(("waivers",), Direction.STRICTER, f"{id_} is no longer waived")


def _plain_changes(path: KeyPath, old: JSON, new: JSON) -> Iterator[Change]:
    """Tell of differences that make nothing stricter or looser by themselves."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in {**old, **new}:
            yield from _plain_changes((*path, key), old.get(key), new.get(key))
    elif not _same(old, new):
        key, before, after = ".".join(str(part) for part in path), _written(old), _written(new)
        long = path[0] != "order" and max(len(before), len(after)) > _LONGEST_QUOTED
        yield Change(path, Direction.CHANGED, f"{key}: reworded" if long else f"{key}: {before} -> {after}")


def _same(old: JSON, new: JSON) -> bool:
    """Whether two values mean the same: ``0.8`` and ``80 %``, ``1 min`` and ``60 s``."""
    if old == new and type(old) is type(new):
        return True
    for unit in _UNITS:
        low, high = _number(old, unit), _number(new, unit)
        if low is not None and low == high:
            return True
    return old is not True and old is not False and old == new


def _is_less(one: JSON, other: JSON, unit: str) -> bool:
    low, high = _number(one, unit), _number(other, unit)
    return low is not None and high is not None and low < high


def _metric(requirement: Data) -> Metric | None:
    name = requirement.get("metric")
    return METRICS.get(name) if isinstance(name, str) and name in METRICS else None


def _given(requirement: Data, option: str) -> JSON:
    value = requirement.get(option)
    if option == "numeric_format" and value is None and requirement.get("level") == "R2":
        return "bf16"
    usual = {"stage": "inference", "batch": "one"}.get(option)
    return usual if value is None else value


def _threshold(requirement: Data, spec: Metric) -> tuple[str | None, float | None]:
    for end in ENDS:
        if isinstance(requirement.get(end), dict):
            return end, _number(_limit(requirement, end), spec.unit)
    return None, None


def _limit(requirement: Data, end: str) -> JSON:
    limit = _data(requirement.get(end))
    return limit.get("at_least") if limit.get("at_least") is not None else limit.get("at_most")


def _magnitudes(name: str, steps: JSON) -> list[float | None]:
    unit = PERTURBATIONS.get(name).unit if name in PERTURBATIONS else "1"
    return [_number(step, unit) for step in _list(steps)]


def _number(written: JSON, unit: str) -> float | None:
    if isinstance(written, bool) or not isinstance(written, str | int | float):
        return None
    try:
        return parse_quantity(written, unit)
    except (ValueError, OverflowError):
        return None


def _data(value: JSON) -> Data:
    return value if isinstance(value, dict) else {}


def _list(value: JSON) -> list[JSON]:
    return value if isinstance(value, list) else []


def _texts(value: JSON) -> list[str]:
    return [item for item in _list(value) if isinstance(item, str)]


def _written(value: JSON) -> str:
    if value is None:
        return "none"
    if isinstance(value, list):
        return "[" + ", ".join(_written(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_written(item)}" for key, item in value.items()) + "}"
    return str(value)


def _spoken(name: str) -> str:
    return name.replace("_", " ")


def _times(number: float | None) -> str:
    return "any number" if number is None else f"{number:g}"
