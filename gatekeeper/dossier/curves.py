"""What a dossier shows of performance besides numbers: curves, calls by class, examples, what lost cases cost."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gatekeeper.policy import Requirement
from gatekeeper.statistics.calibration import ReliabilityBin
from gatekeeper.suites import Measurement

Ends = tuple[float, float]
Kind: TypeAlias = Literal["false alarm", "miss"]


@dataclass(frozen=True)
class Band:
    """Limits of a curve, point by point: ``lower`` and ``upper`` at each ``at`` of one axis, by ``method``."""

    at: tuple[float, ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    confidence: float
    method: str


@dataclass(frozen=True)
class RocCurve:
    """Points of a ROC curve from (0, 0) to (1, 1), and the one at which the candidate works.

    ``band``: limits of sensitivity at each false-positive rate. ``sensitivity``, ``specificity``: what was measured at
    the operating point, with its limits.
    """

    false_positive_rate: tuple[float, ...]
    true_positive_rate: tuple[float, ...]
    operating_point: tuple[float, float]
    band: Band | None = None
    sensitivity: Measurement | None = None
    specificity: Measurement | None = None


@dataclass(frozen=True)
class PrecisionRecallCurve:
    """Precision at each sensitivity, at one prevalence: ``declared`` by the policy, or that of the test set.

    ``at_sensitivity`` and ``at_precision`` are what was measured at the operating point, with limits; ``band``: limits
    of precision at each sensitivity.
    """

    sensitivity: tuple[float, ...]
    precision: tuple[float, ...]
    prevalence: float
    declared: bool
    at_sensitivity: Measurement
    at_precision: Measurement
    band: Band | None = None


@dataclass(frozen=True)
class Reliability:
    """Bins of scores with the share of positives in each; ``edges`` of all bins, and how many cases lie between them.

    ``positives`` and ``negatives`` have one count a bin, ``measured`` the metrics of calibration by name. ``replaced``
    cases without an answer are counted with the probability that they cost.
    """

    bins: tuple[ReliabilityBin, ...]
    edges: tuple[float, ...]
    positives: tuple[int, ...]
    negatives: tuple[int, ...]
    measured: tuple[tuple[str, Measurement], ...]
    replaced: int


@dataclass(frozen=True)
class FrocCurve:
    """Corners of an FROC curve, sensitivity at the seven rates of LUNA16's score, and the operating point."""

    false_positives_per_case: tuple[float, ...]
    sensitivity: tuple[float, ...]
    points: tuple[tuple[float, Measurement], ...]
    score: Measurement
    at_sensitivity: Measurement
    at_false_positives: Measurement


@dataclass(frozen=True)
class ClassCalls:
    """Calls of several classes: ``counts`` has a row a true class and a column a called one.

    ``shares``: sensitivity, then precision, of each class against the rest.
    """

    names: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    shares: tuple[tuple[Measurement, Measurement], ...]
    replaced: int


@dataclass(frozen=True)
class Example:
    """One wrong call: of which case, with which score, how far from the operating point, in which groups.

    ``what`` says more of a finding or a lesion; ``score`` is None where nothing was found at all.
    """

    kind: Kind
    case: str
    score: float | None
    distance: float | None
    attributes: tuple[tuple[str, str], ...] = ()
    what: str = ""


@dataclass(frozen=True)
class Costed:
    """One requirement on answered cases alone, as judged, and with every case without an answer counted as wrong."""

    title: str
    requirement: Requirement
    answered: Measurement
    judged: Measurement
    worst: Measurement


@dataclass(frozen=True)
class Unanswered:
    """How many subjects got no answer at baseline, the share of those that did (``answered``), and what that costs."""

    lost: int
    answered: Measurement
    costed: tuple[Costed, ...]


@dataclass(frozen=True, eq=False)
class Thumbnail:
    """A case's image, or its middle slice: pixels of a patient, shown only where the policy allows pictures.

    ``grey``: uint8, shape (rows, columns), as it is to be seen. ``pixel_mm`` is the height and the width of a pixel.
    """

    case_id: str
    plane: str
    grey: NDArray[np.uint8]
    pixel_mm: tuple[float, float]
    caption: str


@dataclass(frozen=True)
class Shown:
    """All that the section on performance draws besides the ROC curve and structures.

    ``examples`` are wrong calls; None where none were looked for.
    """

    precision_recall: tuple[PrecisionRecallCurve, ...] = ()
    reliability: Reliability | None = None
    froc: FrocCurve | None = None
    classes: ClassCalls | None = None
    examples: tuple[Example, ...] | None = None
    thumbnails: tuple[Thumbnail, ...] = field(default=(), compare=False)
    unanswered: Unanswered | None = None
