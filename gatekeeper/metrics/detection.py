"""Findings at a place, against reference lesions: what the catalogue says of their metrics.

A finding hits a lesion by a criterion of ``localisation`` and a rule of ``assignment``; every metric here depends on
which, and on whether further findings at a lesion that is hit are false positives or ignored.
"""

from __future__ import annotations

from gatekeeper.metrics.specification import Metric, Suite

_DETECTION = frozenset({"detection"})
_RELOADED = "Metrics Reloaded (Maier-Hein et al., Nat Methods 2024, doi 10.1038/s41592-023-02151-z)"
_SHARE = (
    "variance by patient-cluster bootstrap, Wilson score on the effective number of lesions; Clopper-Pearson over "
    "patients where every lesion is hit, or none"
)
_COUNT = (
    "patient-cluster bootstrap, the widest of percentile, log-scale and gamma limits (Fay & Feuer); exact Poisson "
    "limit over patients where there is no false positive"
)
_FEW = "below 50 patients its lower limit lies above the truth up to 4 % of the time, not 2.5 %"
_CROWDED = "its upper limit promises too much where few patients have nearly all false positives"
_GREEDY = "findings assigned greedily by score; all findings of one score are taken by a cut together"

FROC_SCORE = Metric(
    name="froc_score",
    aliases=("cpm",),
    title="Competition performance metric (FROC)",
    suite=Suite.PERFORMANCE,
    definition="mean sensitivity for lesions at 1/8, 1/4, 1/2, 1, 2, 4 and 8 false positives a case",
    source="Niemeijer et al., IEEE Trans Med Imaging 2011;30:215; Setio et al., Med Image Anal 2017;42:1 (LUNA16)",
    undefined="no case has a reference lesion",
    n_of="reference lesions",
    interval=_SHARE,
    tasks=_DETECTION,
    measured=False,
    convention="LUNA16: corners of the empirical curve joined by lines, constant beyond the last; " + _GREEDY,
)
FALSE_POSITIVES_PER_CASE = Metric(
    name="false_positives_per_case",
    title="False positives a case",
    suite=Suite.PERFORMANCE,
    definition="findings that match no reference lesion at the operating point, mean over cases",
    source=_RELOADED,
    undefined="no case",
    n_of="cases",
    interval=_COUNT,
    unit="count",
    highest=1_000_000.0,
    higher_is_better=False,
    caution=_CROWDED,
    tasks=_DETECTION,
    measured=False,
)
LESION_DETECTION_RATE = Metric(
    name="lesion_detection_rate",
    aliases=("lesion_recall",),
    title="Lesion detection rate",
    suite=Suite.PERFORMANCE,
    definition="share of reference lesions that a finding hits at the operating point",
    source=_RELOADED,
    undefined="no case has a reference lesion",
    n_of="reference lesions",
    interval="Clopper-Pearson on the effective number of lesions (Korn & Graubard), which cluster in patients",
    tasks=_DETECTION,
    measured=False,
)
FINDING_PRECISION = Metric(
    name="finding_precision",
    title="Precision of findings",
    suite=Suite.PERFORMANCE,
    definition="share of findings that hit a reference lesion at the operating point. Depends on how many lesions the "
    "test set has",
    source=_RELOADED,
    undefined="there is no finding at the operating point",
    n_of="findings",
    interval="Clopper-Pearson on the effective number of findings (Korn & Graubard), which cluster in patients",
    tasks=_DETECTION,
    measured=False,
)
DETECTION_AVERAGE_PRECISION = Metric(
    name="detection_average_precision",
    title="Average precision of findings",
    suite=Suite.PERFORMANCE,
    definition="area under the precision-recall curve of findings, precision taken as the best at that recall or any "
    "higher one. Depends on how many lesions the test set has",
    source="Everingham et al., Int J Comput Vis 2015;111:98; " + _RELOADED,
    undefined="no case has a reference lesion",
    n_of="reference lesions",
    interval=_SHARE,
    tasks=_DETECTION,
    measured=False,
    caution=_FEW,
    convention="all points (VOC from 2010), not 101 points (COCO) or 11 points (VOC 2007); " + _GREEDY,
)
SENSITIVITY_AT_FPPI = Metric(
    name="sensitivity_at_fppi",
    title="Lesion sensitivity at a rate of false positives",
    suite=Suite.PERFORMANCE,
    definition="best share of reference lesions that are hit at any cut of the score with at most "
    "at_false_positives_per_case false positives a case",
    source=_RELOADED,
    undefined="no case has a reference lesion",
    n_of="reference lesions",
    interval=_SHARE,
    options=frozenset({"at_false_positives_per_case"}),
    must=frozenset({"at_false_positives_per_case"}),
    tasks=_DETECTION,
    measured=False,
    convention="nothing is interpolated; " + _GREEDY,
)
FALSE_POSITIVES_PER_CASE_AT_SENSITIVITY = Metric(
    name="false_positives_per_case_at_sensitivity",
    aliases=("fppi_at_sensitivity",),
    title="False positives a case at a lesion sensitivity",
    suite=Suite.PERFORMANCE,
    definition="least number of findings that match no reference lesion, mean over cases, at any cut of the score with "
    "at least at_sensitivity of the reference lesions hit",
    source=_RELOADED,
    undefined="no case has a reference lesion, or no cut reaches the sensitivity",
    n_of="cases",
    interval=_COUNT,
    unit="count",
    highest=1_000_000.0,
    higher_is_better=False,
    caution=_CROWDED,
    options=frozenset({"at_sensitivity"}),
    must=frozenset({"at_sensitivity"}),
    tasks=_DETECTION,
    measured=False,
    convention="nothing is interpolated; " + _GREEDY,
)
