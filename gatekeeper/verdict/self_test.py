"""The gate tested on the evidence at hand: does it judge alike what is alike, and would it see what is wrong?

The first is an A/A test; the second a mutation test of the policy (DeMillo, Lipton & Sayward, Computer 1978;11(4):34):
a requirement that no planted defect changes guards against nothing that was planted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from gatekeeper.evidence import Environment, Evidence, Finding, Outcome
from gatekeeper.evidence.self_test import DefectOutcome, PlantedDefect, SelfTest
from gatekeeper.policy import Policy
from gatekeeper.verdict.defects import Planted, planted
from gatekeeper.verdict.judge import judge
from gatekeeper.verdict.planting import shuffled

_SHUFFLE_SEED = 0

Judge: TypeAlias = Callable[[Evidence, float], tuple[Finding, ...]]


def run_self_test(
    policy: Policy,
    evidence: Evidence,
    operating_point: float,
    *,
    environment: Environment | None = None,
    started: str | None = None,
) -> SelfTest:
    """Judge evidence twice, and once with each planted defect; ``environment`` and ``started`` as for ``judge``.

    A pure function, with the same result for the same evidence wherever it is called.
    """

    def judged(found: Evidence, at: float) -> tuple[Finding, ...]:
        return judge(policy, found, at, environment=environment, started=started)

    return self_test_of(judged, policy, evidence, operating_point)


def self_test_of(judged: Judge, policy: Policy, evidence: Evidence, operating_point: float) -> SelfTest:
    """Test a way of judging, which takes evidence and an operating point; ``policy`` names the subgroups to break."""
    clean = judged(evidence, operating_point)
    again = judged(shuffled(evidence, _SHUFFLE_SEED), operating_point)
    differing = _differing(clean, again)
    return SelfTest(
        a_a=not differing,
        differing=differing,
        shut_by=tuple(item.id for item in clean if _closes(item) and item.outcome is not Outcome.MET),
        defects=tuple(_tried(judged, clean, defect) for defect in planted(policy, evidence, operating_point)),
    )


def _differing(first: tuple[Finding, ...], second: tuple[Finding, ...]) -> tuple[str, ...]:
    """Return the ids of findings that are not the same bit for bit, or stand in one alone."""
    one, other = ({item.id: item for item in findings} for findings in (first, second))
    return tuple(id_ for id_ in dict.fromkeys([*one, *other]) if one.get(id_) != other.get(id_))


def _tried(judged: Judge, clean: tuple[Finding, ...], defect: Planted) -> PlantedDefect:
    if defect.evidence is None:
        return PlantedDefect(id=defect.id, done=defect.done, outcome=DefectOutcome.NOT_APPLICABLE)
    outcome, seen_by, noticed_by = compared(clean, judged(defect.evidence, defect.operating_point))
    return PlantedDefect(id=defect.id, done=defect.done, outcome=outcome, seen_by=seen_by, noticed_by=noticed_by)


def compared(
    clean: tuple[Finding, ...], damaged: tuple[Finding, ...]
) -> tuple[DefectOutcome, tuple[str, ...], tuple[str, ...]]:
    """Say what findings on damaged evidence show beside those on the clean one: see ``PlantedDefect``.

    Returns
    -------
    The outcome, the ids of the blocking findings that saw the defect, and those of the others that changed.
    """
    before = {item.id: item for item in clean}
    pairs = [(before[item.id], item) for item in damaged if item.id in before]
    changed = [(_change(was, now), now) for was, now in pairs]
    noticed = tuple(now.id for change, now in changed if change and not _closes(now))
    for wanted in (DefectOutcome.CAUGHT, DefectOutcome.WEAKENED):
        seen = tuple(now.id for change, now in changed if change is wanted and _closes(now))
        if seen:
            return wanted, seen, noticed
    worse = tuple(now.id for was, now in pairs if _closes(now) and _is_worse(was, now))
    return (DefectOutcome.WORSE if worse else DefectOutcome.NOT_SEEN), worse, noticed


def _closes(finding: Finding) -> bool:
    return finding.blocking and finding.waived is None


def _change(was: Finding, now: Finding) -> DefectOutcome | None:
    if was.outcome is not Outcome.NOT_MET and now.outcome is Outcome.NOT_MET:
        return DefectOutcome.CAUGHT
    weakened = was.outcome is Outcome.MET and now.outcome is Outcome.NOT_DECIDED
    return DefectOutcome.WEAKENED if weakened else None


def _is_worse(was: Finding, now: Finding) -> bool:
    """Say whether a finding that kept the gate shut fell out of its interval; a deciding estimate, whether it fell."""
    if was.outcome is Outcome.MET or was.estimate is None or now.estimate is None:
        return False
    if was.interval is None and was.threshold.of != "estimate":
        return False
    higher_is_better = was.threshold.at_least is not None
    lower, upper = was.interval or (was.estimate, was.estimate)
    return now.estimate < lower if higher_is_better else now.estimate > upper
