"""What a dossier is made from: the verdict with all that stands behind it, measured or declared."""

from __future__ import annotations

from dataclasses import dataclass

from gatekeeper.candidate.load import CandidateRecord
from gatekeeper.evidence import Environment, Plan, Verdict
from gatekeeper.policy import Policy
from gatekeeper.policy.approval import Approval
from gatekeeper.testset import Manifest
from gatekeeper.verdict import ReleaseBar


@dataclass(frozen=True)
class RocCurve:
    """Points of a ROC curve from (0, 0) to (1, 1), and the one at which the candidate works."""

    false_positive_rate: tuple[float, ...]
    true_positive_rate: tuple[float, ...]
    operating_point: tuple[float, float]


@dataclass(frozen=True)
class LadderStep:
    """One severity: its physical magnitude, what was measured there, and whether the requirement holds.

    ``severity`` 0 is the baseline. ``estimate``, ``lower``, ``upper`` are None where the metric is undefined.
    """

    severity: int
    magnitude: float
    estimate: float | None
    lower: float | None
    upper: float | None
    holds: bool


@dataclass(frozen=True)
class Ladder:
    """How one requirement fares as one perturbation grows.

    ``requirement`` is the title of the metric followed, ``threshold`` the value its limit must clear, and
    ``breaking_point`` the least severity at which it no longer holds (0: not even without stress; None: holds on all).
    """

    perturbation: str
    unit: str
    requirement: str
    threshold: float | None
    baseline: LadderStep
    steps: tuple[LadderStep, ...]
    breaking_point: int | None


@dataclass(frozen=True)
class RepeatScatter:
    """Per subject with repeats: mean score, SD of the score, and whether the calls differ. Arrays of one length."""

    mean: tuple[float, ...]
    spread: tuple[float, ...]
    flipped: tuple[bool, ...]


@dataclass(frozen=True)
class LedgerFact:
    """The ledger after this use: its entry number, the digest of its head, and how often the set was used so far."""

    sequence: int
    head: str
    exposures: int


@dataclass(frozen=True)
class DossierMaterial:
    """Everything that a dossier shows.

    ``latency_seconds`` are the timed calls at baseline, in the order in which they were made. ``development`` is true
    when the signing key is one that cannot release. ``notes`` are remarks of the run, shown after the requirements.
    ``bars`` is all that bars the release.
    """

    verdict: Verdict
    policy: Policy
    plan: Plan
    candidate: CandidateRecord
    manifest: Manifest
    environment: Environment
    roc: RocCurve | None
    ladders: tuple[Ladder, ...]
    repeatability: RepeatScatter | None
    latency_seconds: tuple[float, ...]
    ledger: LedgerFact
    development: bool
    policy_layers: tuple[str, ...]
    notes: tuple[str, ...]
    approval: Approval | None = None
    bars: tuple[ReleaseBar, ...] = ()
