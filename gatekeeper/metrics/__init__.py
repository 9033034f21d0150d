"""Numbers from cases, each with its definition, convention and source."""

from gatekeeper.catalogue import Catalogue
from gatekeeper.metrics.confusion import (
    NPV,
    PRECISION,
    SENSITIVITY,
    SPECIFICITY,
    ConfusionTable,
    Proportion,
    confusion_by_patient,
)
from gatekeeper.metrics.ranking import AUROC
from gatekeeper.metrics.repeatability import FLIP_RATE, MAX_DEVIATION, WITHIN_SUBJECT_SD
from gatekeeper.metrics.robustness import BREAKING_POINT, PERFORMANCE_DROP
from gatekeeper.metrics.specification import Metric, Suite
from gatekeeper.metrics.timing import LATENCY

METRICS: Catalogue[Metric] = Catalogue(
    "metric",
    [
        SENSITIVITY,
        SPECIFICITY,
        PRECISION,
        NPV,
        AUROC,
        MAX_DEVIATION,
        FLIP_RATE,
        WITHIN_SUBJECT_SD,
        PERFORMANCE_DROP,
        BREAKING_POINT,
        LATENCY,
    ],
)

__all__ = ["METRICS", "ConfusionTable", "Metric", "Proportion", "Suite", "confusion_by_patient"]
