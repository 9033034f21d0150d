"""What a reviewer should look at in a policy that is sound: remarks, each at its key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path

from gatekeeper.errors import Place
from gatekeeper.metrics import Suite
from gatekeeper.policy._sentences import uncapitalised
from gatekeeper.policy.load import LoadedPolicy, search_folders, shipped
from gatekeeper.policy.schema import Policy, Requirement
from gatekeeper.statistics import DEFAULT_METHOD, fewest_for_lower_limit, values_needed
from gatekeeper.strict_yaml import KeyPath

_SOON = timedelta(days=30)
_MOST_COLD_STARTS = 20
_USUAL_CONFIDENCE = 0.95
_READ = ("verified", "secondary")


class Weight(StrEnum):
    """Whether a remark counts: a note is for the reader, a warning asks for a change or a reason."""

    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Remark:
    """One thing to look at: ``rule`` is its stable name, ``what`` a sentence, ``mend`` what would settle it."""

    weight: Weight
    rule: str
    place: Place
    what: str
    mend: str | None = None


def lint(loaded: LoadedPolicy, today: date) -> tuple[Remark, ...]:
    """Return every remark on a policy, warnings first, each kind in the order of the policy. Pure but for ``today``."""
    found: list[Remark] = []
    policy = loaded.policy
    for id_, requirement in policy.requirements.items():
        path: KeyPath = ("requirements", id_)
        for rule in _RULES:
            found += [_remark(loaded, said, (*path, *key), f"{id_}: ") for key, said in rule(policy, requirement)]
        found += _on_stale_basis(loaded, id_, requirement)
    found += [_remark(loaded, remark, path) for path, remark in _on_subgroups(policy)]
    found += [_remark(loaded, remark, path) for path, remark in _on_waivers(policy, today)]
    found += [_remark(loaded, remark, path) for path, remark in _on_later_use(policy)]
    found += _on_layers(loaded)
    return tuple(sorted(found, key=lambda remark: remark.weight is Weight.NOTE))


@dataclass(frozen=True)
class _Said:
    rule: str
    what: str
    mend: str | None = None
    weight: Weight = Weight.WARNING


_Remarks = Iterator[tuple[KeyPath, _Said]]


def _remark(loaded: LoadedPolicy, said: _Said, path: KeyPath, about: str = "") -> Remark:
    return Remark(said.weight, said.rule, loaded.place_of(path), about + said.what, said.mend)


def _on_basis(policy: Policy, requirement: Requirement) -> _Remarks:
    if requirement.basis is None:
        mend = 'add "basis: {source: ..., status: ..., note: ...}"'
        yield (), _Said("no-basis", "a requirement without basis: nobody can defend its number", mend)
    elif requirement.basis.status == "unverified" and requirement.blocking:
        what = "a blocking requirement whose source nobody has checked"
        yield (
            ("basis", "status"),
            _Said("unverified", what, "read the source, or make the requirement advisory"),
        )


def _on_confidence(policy: Policy, requirement: Requirement) -> _Remarks:
    if requirement.blocking and requirement.confidence < _USUAL_CONFIDENCE:
        what = f"a blocking requirement at {requirement.confidence:.4g} confidence, less than the usual 0.95"
        yield ("confidence",), _Said("low-confidence", what, "use 0.95, or make it advisory")


def _on_estimate(policy: Policy, requirement: Requirement) -> _Remarks:
    """FDA draft guidance on AI-DSF (2025-01-07), lines 1790-1791: point estimates are not generally acceptable."""
    basis = requirement.basis
    if requirement.estimate is None or requirement.spec.interval is None or not requirement.blocking:
        return
    if basis is None or basis.status not in _READ or basis.source == "project":
        what = f"the estimate of {requirement.spec.name} decides, however uncertain it is, and no source asks for that"
        yield ("estimate",), _Said("point-estimate", what, "require lower_limit or upper_limit")


def _on_predictive_value(policy: Policy, requirement: Requirement) -> _Remarks:
    if requirement.spec.name not in ("precision", "npv") or requirement.at_prevalence is not None:
        return
    others = (item for item in policy.requirements.values() if item.spec.name == requirement.spec.name)
    if not any(item.at_prevalence is not None for item in others):
        what = f"{requirement.spec.name} at the test set's own mix of cases, which says little where it is enriched"
        yield ("metric",), _Said("no-prevalence", what, "add at_prevalence, such as `at_prevalence: declared`")


def _on_timed_calls(policy: Policy, requirement: Requirement) -> _Remarks:
    if requirement.percentile is None or requirement.estimate is not None:
        return
    needed = values_needed(requirement.percentile / 100.0, requirement.confidence)
    cold = requirement.stage in ("cold_start", "first_case")
    have = policy.latency.cold_starts if cold else policy.latency.timed_calls
    if have < needed:
        of = "cold starts" if cold else "timed calls"
        what = f"{have:,} {of} give percentile {requirement.percentile:g} no interval"
        mend = f"set latency.{of.replace(' ', '_')} to {needed:,} or more"
        few_allowed = cold and needed > _MOST_COLD_STARTS
        yield ("percentile",), _Said("too-few-calls", what, "require mean_latency" if few_allowed else mend)


def _on_what_is_measured(policy: Policy, requirement: Requirement) -> _Remarks:
    if requirement.not_measured is not None:
        consequence = "no candidate can PASS" if requirement.blocking else "it stays undecided"
        what = f"this version does not measure {uncapitalised(requirement.not_measured)} yet: {consequence}"
        yield ("metric",), _Said("not-measured", what, weight=Weight.NOTE)


def _on_numeric_format(policy: Policy, requirement: Requirement) -> _Remarks:
    asked = requirement.compared_format
    if asked is not None:
        device = ", and run on a CUDA device" if asked in ("tf32", "fp16") else ""
        consequence = "it cannot PASS" if requirement.blocking else "it stays undecided"
        what = f"a candidate has to declare {asked} among its numeric_formats{device}: otherwise {consequence}"
        yield ("level",), _Said("numeric-format", what, weight=Weight.NOTE)


_RULES = (
    *(_on_basis, _on_confidence, _on_estimate, _on_predictive_value, _on_timed_calls, _on_what_is_measured),
    _on_numeric_format,
)


def _on_stale_basis(loaded: LoadedPolicy, id_: str, requirement: Requirement) -> Iterator[Remark]:
    """Tell of a threshold that a layer sets, while its basis comes from a layer below."""
    path: KeyPath = ("requirements", id_)
    end, basis = loaded.place_of((*path, requirement.threshold.of)), loaded.place_of((*path, "basis", "source"))
    if requirement.basis is None or end.path == basis.path or not {end.path, basis.path} <= set(loaded.layers):
        return
    if loaded.layers.index(end.path) > loaded.layers.index(basis.path):
        what = f"{id_}: the threshold is set here, and its basis comes from {Path(basis.path).name} below"
        yield Remark(Weight.WARNING, "stale-basis", end, what, "give the basis of this value beside it")


def _on_subgroups(policy: Policy) -> _Remarks:
    if policy.subgroups is None:
        return
    fewest = policy.subgroups.min_cases
    for index, id_ in enumerate(policy.subgroups.requirements):
        requirement = policy.requirements[id_]
        needed = _cases_to_meet(requirement)
        if needed is not None and needed > fewest:
            what = (
                f"a group of {fewest} {requirement.spec.n_of}, all of them right, cannot show {id_} to be met: "
                f"{needed} are needed"
            )
            yield (
                ("subgroups", "requirements", index),
                _Said("small-groups", what, f"set min_cases to {needed} or more"),
            )


def _cases_to_meet(requirement: Requirement) -> int | None:
    """Return the fewest cases, all of them right, that meet a lower limit of a share; None for other requirements."""
    if requirement.lower_limit is None or requirement.at_prevalence is not None or requirement.not_measured:
        return None
    if requirement.spec.proportion is None and requirement.spec.name != "imageability":
        return None
    if requirement.other_rate is not None:
        return None
    method = requirement.interval or DEFAULT_METHOD
    return fewest_for_lower_limit(requirement.threshold.value, requirement.confidence, method)


def _on_waivers(policy: Policy, today: date) -> _Remarks:
    for index, waiver in enumerate(policy.waivers):
        path: KeyPath = ("waivers", index, "expires")
        ends = date.fromisoformat(waiver.expires)
        if ends < today:
            what = f"the waiver of {waiver.requirement} ended on {waiver.expires}: it does nothing any more"
            yield path, _Said("expired-waiver", what, "remove it")
        elif ends <= today + _SOON:
            what = f"the waiver of {waiver.requirement} ends on {waiver.expires}, within 30 days"
            yield path, _Said("waiver-ends-soon", what, "meet the requirement until then")


def _on_later_use(policy: Policy) -> _Remarks:
    if policy.champion is not None:
        what = "checks do not compare with the champion: promotion will"
        yield ("champion",), _Said("read-later", what, weight=Weight.NOTE)
    if policy.monitoring is not None:
        yield ("monitoring",), _Said("read-later", "checks do not monitor: the monitor will", weight=Weight.NOTE)
    if policy.dossier.pictures:
        what = "dossiers under this policy show images of test patients: a head in profile can be recognised"
        yield ("dossier", "pictures"), _Said("pictures", what, weight=Weight.NOTE)
    timed = [id_ for id_, item in policy.requirements.items() if item.spec.suite is Suite.LATENCY]
    if timed and policy.latency.hardware is None:
        what = "times hold for whatever device a check runs on; latency.hardware would name one"
        yield ("requirements", timed[0]), _Said("any-hardware", what, weight=Weight.NOTE)


def _on_layers(loaded: LoadedPolicy) -> Iterator[Remark]:
    for relaxed in loaded.relaxed:
        what = f"relaxes {relaxed.below}: {relaxed.words}; {relaxed.why.rstrip('.')}; decided by {relaxed.by}"
        yield Remark(Weight.WARNING, "relaxes", relaxed.place, what, "see that the reason holds")
    own = search_folders("policies")[0]
    if own == shipped("policies"):
        return
    for layer in loaded.layers:
        file = Path(layer)
        if file.is_relative_to(own) and (shipped("policies") / file.relative_to(own)).is_file():
            name = file.relative_to(own).with_suffix("").as_posix()
            what = f"your own {name} stands in for the shipped one of that name"
            yield Remark(Weight.WARNING, "shadows", Place(layer), what, "give it another name, unless that is meant")
