"""Findings at a place, against reference findings. Required by policies already; measured by a later version."""

from __future__ import annotations

from gatekeeper.metrics.specification import Metric, Suite

_DETECTION = frozenset({"detection"})

FROC_SCORE = Metric(
    name="froc_score",
    aliases=("cpm",),
    title="Competition performance metric (FROC)",
    suite=Suite.PERFORMANCE,
    definition="mean sensitivity for lesions at 1/8, 1/4, 1/2, 1, 2, 4 and 8 false positives a case",
    source="Setio et al., Med Image Anal 2017;42:1 (LUNA16)",
    undefined="no case has a reference lesion",
    n_of="reference lesions",
    interval="patient-cluster bootstrap, percentile",
    tasks=_DETECTION,
    measured=False,
)
FALSE_POSITIVES_PER_CASE = Metric(
    name="false_positives_per_case",
    title="False positives a case",
    suite=Suite.PERFORMANCE,
    definition="findings that match no reference lesion at the operating point, mean over cases",
    source="Metrics Reloaded (Maier-Hein et al., Nat Methods 2024, doi 10.1038/s41592-023-02151-z)",
    undefined="no case",
    n_of="cases",
    interval="patient-cluster bootstrap of the mean, percentile",
    unit="count",
    highest=1_000_000.0,
    higher_is_better=False,
    tasks=_DETECTION,
    measured=False,
)
