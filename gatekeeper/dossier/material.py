"""What a dossier is made from: the verdict with all that stands behind it, measured or declared."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gatekeeper.candidate.load import CandidateRecord
from gatekeeper.dossier.cases import CaseTable
from gatekeeper.dossier.curves import RocCurve, Shown
from gatekeeper.evidence import Environment, Plan, Verdict
from gatekeeper.evidence.self_test import SelfTest
from gatekeeper.policy import Policy
from gatekeeper.policy.approval import Approval
from gatekeeper.suites.refusal import Refusals
from gatekeeper.suites.repeat_summary import LevelSummary
from gatekeeper.suites.stress_summary import CorruptionError, Held
from gatekeeper.suites.subgroups import Asked
from gatekeeper.testset import Manifest
from gatekeeper.verdict import ReleaseBar


@dataclass(frozen=True)
class LadderStep:
    """One severity: its physical magnitude, what was measured there, and whether the requirement holds.

    ``severity`` 0 is the baseline. ``estimate``, ``lower``, ``upper`` are None where the metric is undefined. ``lost``:
    how much worse than at baseline, on the same cases, with the limits of its paired interval.
    """

    severity: int
    magnitude: float
    estimate: float | None
    lower: float | None
    upper: float | None
    holds: bool
    lost: tuple[float, float | None, float | None] | None = None


@dataclass(frozen=True)
class Ladder:
    """How one requirement fares as one perturbation grows.

    ``requirement`` is the title of the metric followed, ``threshold`` the value its limit must clear, and
    ``breaking_point`` the least severity at which it no longer holds (0: not even without stress; None: holds on all).
    ``of_shares``: whether what is followed is a share.
    """

    perturbation: str
    unit: str
    requirement: str
    threshold: float | None
    baseline: LadderStep
    steps: tuple[LadderStep, ...]
    breaking_point: int | None
    of_shares: bool = True


@dataclass(frozen=True)
class RepeatScatter:
    """Per subject with repeats: mean score, SD of the score, and whether the calls differ. Arrays of one length."""

    mean: tuple[float, ...]
    spread: tuple[float, ...]
    flipped: tuple[bool, ...]


@dataclass(frozen=True)
class StageTimes:
    """One stage of timed calls: what it is called, and the seconds of each call, infinite where it failed."""

    name: str
    seconds: tuple[float, ...]


@dataclass(frozen=True)
class StructureValue:
    """One metric of a structure: its mean with an interval, and the value of each case, in ``unit``.

    ``values`` has one number a case, a case without an answer at its cost, NaN where there is none. ``estimate`` and
    ``interval`` are as a requirement on the mean would be judged; None where that has no value.
    """

    metric: str
    title: str
    unit: str
    higher_is_better: bool
    estimate: float | None
    interval: tuple[float, float] | None
    n: int
    patients: int
    values: tuple[float, ...]


@dataclass(frozen=True)
class VolumePairs:
    """Pairs of one quantity: ``first`` against ``second``, in ``unit`` (mL, or mm² in two dimensions), and whose."""

    names: tuple[str, ...]
    first: tuple[float, ...]
    second: tuple[float, ...]
    unit: str


@dataclass(frozen=True)
class StructureResult:
    """What was measured of one structure at baseline, over all cases that are no repeats.

    ``cases`` and ``answered`` have one entry a case. ``against_reference`` pairs predicted with reference volumes of
    the answered cases, ``against_repeat`` the volume of each subject with that of its first true repeat.
    """

    name: str
    cases: tuple[str, ...]
    answered: tuple[bool, ...]
    values: tuple[StructureValue, ...]
    against_reference: VolumePairs
    against_repeat: VolumePairs


@dataclass(frozen=True, eq=False)
class Overlay:
    """One slice of a case with two outlines: pixels of a patient, shown only where the policy allows pictures.

    ``grey``: uint8, shape (rows, columns), as it is to be seen; ``reference``, ``predicted``: bool, the same shape.
    ``pixel_mm`` is the height and the width of a pixel. ``plane`` is axial, coronal, sagittal or image.
    """

    case_id: str
    plane: str
    grey: NDArray[np.uint8]
    reference: NDArray[np.bool_]
    predicted: NDArray[np.bool_]
    pixel_mm: tuple[float, float]
    caption: str


@dataclass(frozen=True)
class Failures:
    """Cases of the baseline that gave no usable answer in one way: outcome, why in a few words, their ids."""

    outcome: str
    why: str
    cases: tuple[str, ...]


@dataclass(frozen=True)
class LedgerFact:
    """The ledger after this use: its entry number, the digest of its head, and how often the set was used so far."""

    sequence: int
    head: str
    exposures: int


@dataclass(frozen=True)
class DossierMaterial:
    """Everything that a dossier shows.

    ``latency_seconds`` are the timed calls, in the order in which they were made, infinite where they failed;
    ``stages`` the same by stage, of calls of a batch, and of cold starts; ``peak_mib`` the most memory that was held,
    by whose it is.
    ``development`` is true when the signing key is one that cannot release. ``notes`` are remarks of the run, shown
    after the requirements. ``bars`` is all that bars the release. ``structures`` are what was outlined or measured,
    ``overlays`` pictures of a few cases, which are shown only where the policy allows it. ``envelope`` is how far each
    requirement holds along each ladder. ``self_test`` is what the gate made of planted defects. ``levels`` are
    those of repeatability that were tried. ``shown`` is what the section on performance draws. ``components``: how many
    the software bill of materials lists; 0 without one. ``cases`` are shown where they can be sorted: on the page for
    browsers.
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
    structures: tuple[StructureResult, ...] = ()
    overlays: tuple[Overlay, ...] = ()
    failures: tuple[Failures, ...] = ()
    self_test: SelfTest | None = None
    corruption_errors: tuple[CorruptionError, ...] = ()
    envelope: tuple[Held, ...] = ()
    refusals: tuple[Refusals, ...] = ()
    gaps: tuple[Asked, ...] = ()
    stages: tuple[StageTimes, ...] = ()
    peak_mib: tuple[tuple[str, float], ...] = ()
    levels: tuple[LevelSummary, ...] = ()
    shown: Shown = field(default_factory=Shown)
    components: int = 0
    cases: CaseTable | None = None
