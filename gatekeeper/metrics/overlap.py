"""Masks against reference masks. Required by policies already; measured by a later version."""

from __future__ import annotations

from gatekeeper.metrics.specification import Metric, Suite

_METRICS_RELOADED = "Metrics Reloaded (Maier-Hein et al., Nat Methods 2024, doi 10.1038/s41592-023-02151-z)"
_SEGMENTATION = frozenset({"segmentation"})
_RESAMPLED = "patient-cluster bootstrap of the mean over cases, percentile"

DICE = Metric(
    name="dice",
    title="Dice coefficient",
    suite=Suite.PERFORMANCE,
    definition="2 |A ∩ B| / (|A| + |B|) of predicted and reference mask, mean over cases; 1 where both are empty",
    source=_METRICS_RELOADED,
    undefined="no case has a reference mask",
    n_of="cases",
    interval=_RESAMPLED,
    options=frozenset({"structure"}),
    tasks=_SEGMENTATION,
    measured=False,
)
SURFACE_DICE = Metric(
    name="normalized_surface_distance",
    aliases=("nsd", "surface_dice"),
    title="Normalised surface distance",
    suite=Suite.PERFORMANCE,
    definition="share of both boundaries that lies within the tolerance of the other one, mean over cases",
    source="Nikolov et al., J Med Internet Res 2021;23:e26151; " + _METRICS_RELOADED,
    undefined="no case has a reference mask",
    n_of="cases",
    interval=_RESAMPLED,
    options=frozenset({"structure", "tolerance"}),
    must=frozenset({"tolerance"}),
    tasks=_SEGMENTATION,
    measured=False,
)
HAUSDORFF_95 = Metric(
    name="hausdorff_95",
    aliases=("hd95",),
    title="95th percentile Hausdorff distance",
    suite=Suite.PERFORMANCE,
    definition="larger of the 95th percentiles of the distances from each boundary to the other, mean over cases",
    source=_METRICS_RELOADED,
    undefined="no case has a reference mask",
    n_of="cases",
    interval=_RESAMPLED,
    unit="mm",
    highest=10_000.0,
    higher_is_better=False,
    options=frozenset({"structure"}),
    tasks=_SEGMENTATION,
    measured=False,
)
VOXEL_PRECISION = Metric(
    name="voxel_precision",
    title="Precision over voxels",
    suite=Suite.PERFORMANCE,
    definition="share of the predicted mask that lies in the reference mask, mean over cases",
    source=_METRICS_RELOADED,
    undefined="no case has a predicted mask",
    n_of="cases",
    interval=_RESAMPLED,
    options=frozenset({"structure"}),
    tasks=_SEGMENTATION,
    measured=False,
)
VOLUME_DIFFERENCE = Metric(
    name="relative_volume_difference",
    title="Relative volume difference",
    suite=Suite.PERFORMANCE,
    definition="|predicted volume - reference volume| / reference volume, mean over cases",
    source=_METRICS_RELOADED,
    undefined="no case has a reference volume",
    n_of="cases",
    interval=_RESAMPLED,
    highest=100.0,
    higher_is_better=False,
    options=frozenset({"structure"}),
    tasks=frozenset({"segmentation", "quantification"}),
    measured=False,
)
