"""Numbers from cases, each with its definition, convention and source."""

from gatekeeper.catalogue import Catalogue
from gatekeeper.metrics.agreement import (
    ICC,
    LIMITS_OF_AGREEMENT,
    REPEATABILITY_COEFFICIENT,
    RESCAN_DIFFERENCE,
    WITHIN_SUBJECT_CV,
)
from gatekeeper.metrics.calibration import (
    BRIER_SCORE,
    CALIBRATION_INTERCEPT_DEVIATION,
    CALIBRATION_SLOPE_DEVIATION,
    CLASSWISE_CALIBRATION_ERROR,
    EXPECTED_CALIBRATION_ERROR,
    LOG_SCORE,
    MAXIMUM_CALIBRATION_ERROR,
)
from gatekeeper.metrics.confusion import (
    ACCURACY,
    DETECTION_RATE,
    NPV,
    PRECISION,
    RECALL_RATE,
    SENSITIVITY,
    SPECIFICITY,
    ConfusionTable,
    Proportion,
    confusion_by_patient,
)
from gatekeeper.metrics.decision import EXPECTED_COST, NET_BENEFIT, NUMBER_NEEDED_TO_PREDICT
from gatekeeper.metrics.detection import (
    DETECTION_AVERAGE_PRECISION,
    FALSE_POSITIVES_PER_CASE,
    FALSE_POSITIVES_PER_CASE_AT_SENSITIVITY,
    FINDING_PRECISION,
    FROC_SCORE,
    LESION_DETECTION_RATE,
    SENSITIVITY_AT_FPPI,
)
from gatekeeper.metrics.multiclass import (
    HAND_TILL_AUROC,
    LINEAR_WEIGHTED_KAPPA,
    MACRO_AUROC,
    MACRO_F1,
    MACRO_PRECISION,
    MACRO_SENSITIVITY,
    MACRO_SPECIFICITY,
    MULTICLASS_ACCURACY,
    MULTICLASS_KAPPA,
    MULTICLASS_MATTHEWS,
    WEIGHTED_KAPPA,
)
from gatekeeper.metrics.one_class import CLASS_NPV, CLASS_PRECISION, CLASS_SENSITIVITY, CLASS_SPECIFICITY
from gatekeeper.metrics.overlap import DICE, HAUSDORFF_95, SURFACE_DICE, VOLUME_DIFFERENCE, VOXEL_PRECISION
from gatekeeper.metrics.ranking import (
    AUROC,
    AVERAGE_PRECISION,
    PARTIAL_AUROC,
    PRECISION_AT_SENSITIVITY,
    SENSITIVITY_AT_PRECISION,
)
from gatekeeper.metrics.refusal import IMAGEABILITY, REFUSAL_RATE
from gatekeeper.metrics.repeatability import FLIP_RATE, MAX_DEVIATION, WITHIN_SUBJECT_SD
from gatekeeper.metrics.robustness import BREAKING_POINT, PERFORMANCE_DROP
from gatekeeper.metrics.specification import Metric, Suite
from gatekeeper.metrics.timing import LATENCY, MEAN_LATENCY
from gatekeeper.metrics.whole_table import (
    BALANCED_ACCURACY,
    F1,
    F_BETA,
    KAPPA,
    MATTHEWS,
    NEGATIVE_LIKELIHOOD_RATIO,
    POSITIVE_LIKELIHOOD_RATIO,
    YOUDEN,
    at_rates,
)

METRICS: Catalogue[Metric] = Catalogue(
    "metric",
    [
        SENSITIVITY,
        SPECIFICITY,
        PRECISION,
        NPV,
        AUROC,
        PARTIAL_AUROC,
        AVERAGE_PRECISION,
        SENSITIVITY_AT_PRECISION,
        PRECISION_AT_SENSITIVITY,
        BRIER_SCORE,
        LOG_SCORE,
        EXPECTED_CALIBRATION_ERROR,
        MAXIMUM_CALIBRATION_ERROR,
        CLASSWISE_CALIBRATION_ERROR,
        CALIBRATION_SLOPE_DEVIATION,
        CALIBRATION_INTERCEPT_DEVIATION,
        ACCURACY,
        BALANCED_ACCURACY,
        YOUDEN,
        F1,
        F_BETA,
        MATTHEWS,
        KAPPA,
        POSITIVE_LIKELIHOOD_RATIO,
        NEGATIVE_LIKELIHOOD_RATIO,
        NET_BENEFIT,
        EXPECTED_COST,
        NUMBER_NEEDED_TO_PREDICT,
        RECALL_RATE,
        DETECTION_RATE,
        IMAGEABILITY,
        MULTICLASS_ACCURACY,
        MACRO_SENSITIVITY,
        MACRO_SPECIFICITY,
        MACRO_PRECISION,
        MACRO_F1,
        MULTICLASS_MATTHEWS,
        MULTICLASS_KAPPA,
        WEIGHTED_KAPPA,
        LINEAR_WEIGHTED_KAPPA,
        MACRO_AUROC,
        HAND_TILL_AUROC,
        CLASS_SENSITIVITY,
        CLASS_SPECIFICITY,
        CLASS_PRECISION,
        CLASS_NPV,
        LESION_DETECTION_RATE,
        FINDING_PRECISION,
        FROC_SCORE,
        SENSITIVITY_AT_FPPI,
        FALSE_POSITIVES_PER_CASE,
        FALSE_POSITIVES_PER_CASE_AT_SENSITIVITY,
        DETECTION_AVERAGE_PRECISION,
        DICE,
        SURFACE_DICE,
        HAUSDORFF_95,
        VOXEL_PRECISION,
        VOLUME_DIFFERENCE,
        MAX_DEVIATION,
        FLIP_RATE,
        WITHIN_SUBJECT_SD,
        WITHIN_SUBJECT_CV,
        REPEATABILITY_COEFFICIENT,
        LIMITS_OF_AGREEMENT,
        RESCAN_DIFFERENCE,
        ICC,
        PERFORMANCE_DROP,
        BREAKING_POINT,
        REFUSAL_RATE,
        LATENCY,
        MEAN_LATENCY,
    ],
)

__all__ = ["METRICS", "ConfusionTable", "Metric", "Proportion", "Suite", "at_rates", "confusion_by_patient"]
