"""How far masks overlap, and how far their volumes differ: values from counts of voxels, and the catalogue's entries.

Source: Maier-Hein, Reinke et al., "Metrics reloaded", Nature Methods 2024, doi 10.1038/s41592-023-02151-z.
"""

from __future__ import annotations

import math

from gatekeeper.metrics.specification import FEW_PATIENTS, MEAN_OVER_CASES, Metric, Suite

_METRICS_RELOADED = "Metrics Reloaded (Maier-Hein et al., Nat Methods 2024, doi 10.1038/s41592-023-02151-z)"
_SEGMENTATION = frozenset({"segmentation"})
_VOLUMES = frozenset({"segmentation", "quantification"})
_BOTH_EMPTY = "1 where both masks are empty, 0 where one is"


def dice(tp: int, fp: int, fn: int) -> float:
    """Return 2 TP / (2 TP + FP + FN), in [0, 1]; 1 where both masks are empty."""
    return _share(2 * tp, 2 * tp + fp + fn, 1.0)


def iou(tp: int, fp: int, fn: int) -> float:
    """Return TP / (TP + FP + FN), in [0, 1]; 1 where both masks are empty."""
    return _share(tp, tp + fp + fn, 1.0)


def voxel_precision(tp: int, fp: int) -> float:
    """Return TP / (TP + FP), in [0, 1]; NaN where the predicted mask is empty."""
    return _share(tp, tp + fp)


def voxel_recall(tp: int, fn: int) -> float:
    """Return TP / (TP + FN), in [0, 1]; NaN where the reference mask is empty."""
    return _share(tp, tp + fn)


def volume_bias(tp: int, fp: int, fn: int) -> float:
    """Return (predicted - reference) / reference volume, -1 or more; NaN where the reference mask is empty."""
    return _share(fp - fn, tp + fn)


def relative_volume_difference(tp: int, fp: int, fn: int) -> float:
    """Return |predicted - reference| / reference volume, 0 or more; NaN where the reference mask is empty."""
    return abs(volume_bias(tp, fp, fn))


def _share(above: int, below: int, of_nothing: float = math.nan) -> float:
    return above / below if below else of_nothing


DICE = Metric(
    name="dice",
    title="Dice coefficient",
    suite=Suite.PERFORMANCE,
    definition="2 |A ∩ B| / (|A| + |B|) of predicted and reference mask, mean over cases",
    convention=_BOTH_EMPTY,
    source="Dice, Ecology 1945;26:297; " + _METRICS_RELOADED,
    undefined="no case has a reference mask",
    n_of="cases",
    interval=MEAN_OVER_CASES,
    caution=FEW_PATIENTS,
    options=frozenset({"structure"}),
    tasks=_SEGMENTATION,
)
IOU = Metric(
    name="iou",
    aliases=("jaccard",),
    title="Intersection over union",
    suite=Suite.PERFORMANCE,
    definition="|A ∩ B| / |A ∪ B| of predicted and reference mask, mean over cases",
    convention=_BOTH_EMPTY,
    source="Jaccard, New Phytol 1912;11:37; " + _METRICS_RELOADED,
    undefined="no case has a reference mask",
    n_of="cases",
    interval=MEAN_OVER_CASES,
    caution=FEW_PATIENTS,
    options=frozenset({"structure"}),
    tasks=_SEGMENTATION,
)
VOXEL_PRECISION = Metric(
    name="voxel_precision",
    title="Precision over voxels",
    suite=Suite.PERFORMANCE,
    definition="share of the predicted mask that lies in the reference mask, mean over cases",
    convention="a case whose structure was missed counts as 0, so that a miss cannot raise the mean",
    source=_METRICS_RELOADED,
    undefined="no case has a mask, predicted or in the reference",
    n_of="cases",
    interval=MEAN_OVER_CASES,
    caution=FEW_PATIENTS,
    options=frozenset({"structure"}),
    tasks=_SEGMENTATION,
)
VOXEL_RECALL = Metric(
    name="voxel_recall",
    aliases=("voxel_sensitivity",),
    title="Sensitivity over voxels",
    suite=Suite.PERFORMANCE,
    definition="share of the reference mask that lies in the predicted mask, mean over cases with a reference mask",
    source=_METRICS_RELOADED,
    undefined="no case has a reference mask",
    n_of="cases",
    interval=MEAN_OVER_CASES,
    caution=FEW_PATIENTS,
    options=frozenset({"structure"}),
    tasks=_SEGMENTATION,
)
VOLUME_DIFFERENCE = Metric(
    name="relative_volume_difference",
    title="Relative volume difference",
    suite=Suite.PERFORMANCE,
    definition="|predicted volume - reference volume| / reference volume, mean over cases with a reference volume",
    source=_METRICS_RELOADED,
    undefined="no case has a reference volume",
    n_of="cases",
    interval=MEAN_OVER_CASES,
    caution=FEW_PATIENTS,
    highest=100.0,
    higher_is_better=False,
    options=frozenset({"structure"}),
    tasks=_VOLUMES,
)
VOLUME_BIAS = Metric(
    name="volume_bias",
    title="Volume bias, its magnitude",
    suite=Suite.PERFORMANCE,
    definition="|mean over cases of (predicted volume - reference volume) / reference volume|, over cases with a "
    "reference volume",
    convention="magnitude of the signed mean, so that an upper bound holds on both sides; errors of opposite sign "
    "cancel",
    source=_METRICS_RELOADED,
    undefined="no case has a reference volume",
    n_of="cases",
    interval=MEAN_OVER_CASES + "; folded at 0",
    caution=FEW_PATIENTS,
    highest=100.0,
    higher_is_better=False,
    options=frozenset({"structure"}),
    tasks=_VOLUMES,
)
ABSOLUTE_VOLUME_DIFFERENCE = Metric(
    name="absolute_volume_difference",
    title="Absolute volume difference",
    suite=Suite.PERFORMANCE,
    definition="|predicted volume - reference volume|, mean over cases",
    convention="in mL, 1 mL being 1,000 mm³; masks in two dimensions have none",
    source=_METRICS_RELOADED,
    undefined="no case has masks in three dimensions",
    n_of="cases",
    interval=MEAN_OVER_CASES,
    caution=FEW_PATIENTS,
    unit="mL",
    highest=100_000.0,
    higher_is_better=False,
    options=frozenset({"structure"}),
    tasks=_VOLUMES,
)
