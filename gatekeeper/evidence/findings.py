"""Findings and the verdict: what ``verdict.json`` holds."""

from __future__ import annotations

from pydantic import Field

from gatekeeper.canonical import JSON, digest_json
from gatekeeper.evidence.outcomes import Outcome, Reason, VerdictWord
from gatekeeper.evidence.record import Record


class Threshold(Record):
    """What a policy demands: which end of the interval (or the estimate) must clear which value, on which side."""

    of: str = Field(pattern="^(lower_limit|upper_limit|estimate)$")
    at_least: float | None = None
    at_most: float | None = None

    @property
    def value(self) -> float:
        """The number to clear."""
        wanted = self.at_least if self.at_least is not None else self.at_most
        if wanted is None:
            raise ValueError("a threshold without a value")
        return wanted

    def outcome(self, estimate: float | None, limits: tuple[float, float] | None) -> Outcome:
        """Decide: met when the demanded end clears the threshold, not met when the other end fails it too.

        A threshold on the estimate is met or not met. Without what it needs, a threshold is not decided.
        """
        if self.of == "estimate":
            if estimate is None:
                return Outcome.NOT_DECIDED
            return Outcome.MET if self._cleared_by(estimate) else Outcome.NOT_MET
        if limits is None:
            return Outcome.NOT_DECIDED
        worse, better = limits if self.at_least is not None else reversed(limits)
        if self._cleared_by(worse):
            return Outcome.MET
        return Outcome.NOT_DECIDED if self._cleared_by(better) else Outcome.NOT_MET

    def _cleared_by(self, value: float) -> bool:
        return value >= self.value if self.at_least is not None else value <= self.value


class Waived(Record):
    """Who let a release pass without this requirement, why, and until which day (inclusive, UTC)."""

    reason: str
    by: str
    expires: str


class FindingInShort(Record):
    """One requirement against the evidence, without its sentences: what an attestation says of it.

    ``estimate`` and ``interval`` are in ``unit`` (``1`` for a proportion, ``s`` for seconds); ``n`` counts what
    ``n_of`` names (the denominator) and ``patients`` the clusters among them. ``claimed`` is false when the policy's
    multiplicity rule does not let the requirement be claimed: in serial order, when an earlier one is not met.
    ``waived`` is set when a waiver in force takes an outcome other than met out of the verdict; the outcome itself
    stays.
    """

    id: str
    metric: str
    outcome: Outcome
    reason: Reason | None = None
    estimate: float | None
    interval: tuple[float, float] | None
    confidence: float | None
    method: str
    n: int
    n_of: str
    patients: int
    unit: str
    threshold: Threshold
    blocking: bool
    claimed: bool = True
    waived: Waived | None = None


class Finding(FindingInShort):
    """One requirement against the evidence, in words too.

    ``more_cases`` says, for a requirement that is not decided, about how many more of ``n_of`` would decide it if the
    estimate stayed where it is. ``is_time`` marks a measured duration: the one kind of number that differs between two
    runs on the same inputs.
    """

    suite: str
    title: str
    subgroup: dict[str, str] = Field(default_factory=dict)
    is_time: bool = False
    more_cases: int | None = None
    words: str

    @property
    def in_short(self) -> FindingInShort:
        """The finding without its sentences."""
        return FindingInShort(**{name: getattr(self, name) for name in FindingInShort.model_fields})

    @property
    def full_title(self) -> str:
        """The title with the subgroup, if there is one: ``Sensitivity, over 2.5 mm``."""
        groups = (f", {group or name.replace('_', ' ') + ' not given'}" for name, group in self.subgroup.items())
        return self.title + "".join(groups)


class Digests(Record):
    """SHA-256 digests of what the verdict is about, each ``sha256:<hex>``."""

    policy: str
    candidate: str
    lock: str
    plan: str


class RunStamp(Record):
    """What is different in every run: its id, and when it started and finished (UTC, ISO 8601)."""

    id: str
    started: str
    finished: str


class Verdict(Record):
    """The judgement on one candidate under one policy.

    ``exploratory`` is true when the policy was overridden on the command line: such a verdict cannot release.
    ``reproducible`` is the digest of everything here that equal inputs must reproduce (all but ``run`` and measured
    durations). ``without_waivers`` is the verdict if no waiver were in force; None when no finding is waived.
    """

    verdict: VerdictWord
    without_waivers: VerdictWord | None = None
    words: str
    policy_id: str
    policy_version: str
    candidate: str
    testset: str
    cases: int
    patients: int
    exploratory: bool
    digests: Digests
    findings: tuple[Finding, ...]
    reproducible: str
    run: RunStamp


def reproducible_digest(verdict: VerdictWord, digests: Digests, findings: tuple[Finding, ...]) -> str:
    """Return the digest of the part of a verdict that two runs on the same inputs must share."""
    listed: list[JSON] = []
    for finding in findings:
        content = finding.to_json()
        if finding.is_time:
            for key in ("estimate", "interval", "words", "more_cases"):
                content.pop(key)
        listed.append(content)
    return digest_json({"verdict": verdict.value, "digests": digests.to_json(), "findings": listed})
