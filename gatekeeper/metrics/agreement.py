"""Measurements repeated on one subject. Required by policies already; measured by a later version."""

from __future__ import annotations

from gatekeeper.metrics.specification import Metric, Suite

_MEASURED_QUANTITIES = frozenset({"detection", "segmentation", "quantification"})
_QIBA = "Raunig et al., Stat Methods Med Res 2015;24:27 (QIBA)"
_LEVEL = frozenset({"level"})
_OPTIONS = _LEVEL | {"structure"}

WITHIN_SUBJECT_CV = Metric(
    name="within_subject_cv",
    aliases=("wcv",),
    title="Within-subject coefficient of variation",
    suite=Suite.REPEATABILITY,
    definition="square root of the mean over subjects of (within-subject variance / squared mean)",
    source=_QIBA,
    undefined="no subject has a repeat",
    n_of="subjects with repeats",
    interval="chi-squared on the degrees of freedom",
    highest=100.0,
    higher_is_better=False,
    options=_OPTIONS,
    must=_LEVEL,
    tasks=_MEASURED_QUANTITIES,
    measured=False,
)
REPEATABILITY_COEFFICIENT = Metric(
    name="repeatability_coefficient",
    aliases=("percent_rc",),
    title="Repeatability coefficient, relative",
    suite=Suite.REPEATABILITY,
    definition="%RC = 2.77 times the within-subject coefficient of variation",
    source=_QIBA,
    undefined="no subject has a repeat",
    n_of="subjects with repeats",
    interval="chi-squared on the degrees of freedom",
    highest=277.0,
    higher_is_better=False,
    options=_OPTIONS,
    must=_LEVEL,
    tasks=_MEASURED_QUANTITIES,
    measured=False,
)
LIMITS_OF_AGREEMENT = Metric(
    name="limits_of_agreement",
    title="Limits of agreement, the wider one",
    suite=Suite.REPEATABILITY,
    definition="larger magnitude of mean d - 1.96 SD and mean d + 1.96 SD of relative differences between two repeats",
    source="Bland & Altman, Lancet 1986;1:307",
    undefined="no subject has a repeat",
    n_of="subjects with repeats",
    interval="Bland & Altman: standard error of a limit √(3/n) SD",
    highest=100.0,
    higher_is_better=False,
    options=_OPTIONS,
    must=_LEVEL,
    tasks=_MEASURED_QUANTITIES,
    measured=False,
)
RESCAN_DIFFERENCE = Metric(
    name="rescan_difference",
    title="Difference between scan and rescan",
    suite=Suite.REPEATABILITY,
    definition="|first - second| / mean of both, mean over subjects",
    source=_QIBA,
    undefined="no subject has a repeat",
    n_of="subjects with repeats",
    interval="patient-cluster bootstrap of the mean, percentile",
    highest=2.0,
    higher_is_better=False,
    options=_OPTIONS,
    must=_LEVEL,
    tasks=_MEASURED_QUANTITIES,
    measured=False,
)
ICC = Metric(
    name="icc",
    title="Intraclass correlation ICC(2,1)",
    suite=Suite.REPEATABILITY,
    definition="two-way random effects, absolute agreement, single measurement",
    source="Shrout & Fleiss, Psychol Bull 1979;86:420; Koo & Li, J Chiropr Med 2016;15:155",
    undefined="no subject has a repeat",
    n_of="subjects with repeats",
    interval="F distribution (Shrout & Fleiss)",
    lowest=-1.0,
    options=_OPTIONS,
    must=_LEVEL,
    tasks=_MEASURED_QUANTITIES,
    measured=False,
)
