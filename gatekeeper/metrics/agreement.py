"""Measurements repeated on one subject, and how far they agree: quantities of structures, or scores.

At R0 to R3 the measurements of a case are those of the baseline and of every run of the level, where an answer that a
run lacks is a quantity of 0, or a score of 0 or 1, whichever is farther. What is of two measurements (bias, limits of
agreement, rescan difference, Lin's concordance) is then of the baseline and the run that agrees least.
"""

from __future__ import annotations

from gatekeeper.metrics.specification import Metric, Suite

_QUANTITIES = frozenset({"detection", "segmentation", "quantification"})
_EVERY_NUMBER = _QUANTITIES | {"classification"}  # of a classification, the score
_QIBA = "Raunig et al., Stat Methods Med Res 2015;24:27 (QIBA)"
_LEVEL = frozenset({"level"})
_OPTIONS = _LEVEL | {"structure", "numeric_format"}
_MOST = 1_000_000_000.0  # for numbers in the unit of the quantity, which have no bound of their own
_UNEVEN = "studentised bootstrap of patients, of the variances within subjects; at least chi-squared"
_SPREAD = (
    "where subjects scatter unequally the upper limit is wrong in 4 % of studies of 35 to 100 subjects instead of "
    "2.5 % (their SDs log-normal, σ = 0.4), and in 9 to 12 % where a few scatter far more than all others (σ = 0.8): "
    "those that were not drawn are in no interval; repeats that never differ because values saturate prove nothing"
)
_PATIENTS = "subjects count as independent; with several of a patient the bootstrap of patients is taken"

WITHIN_SUBJECT_CV = Metric(
    name="within_subject_cv",
    aliases=("wcv",),
    title="Within-subject coefficient of variation",
    suite=Suite.REPEATABILITY,
    definition="square root of the mean over subjects of (within-subject variance / squared mean)",
    source=_QIBA,
    undefined="no subject has a repeat",
    n_of="subjects with repeats",
    interval=_UNEVEN,
    highest=100.0,
    higher_is_better=False,
    options=_OPTIONS,
    must=_LEVEL,
    tasks=_EVERY_NUMBER,
    convention="root mean square, each subject counting alike; the log method, √(exp(s²) - 1), is near it below 15 %",
    caution=_SPREAD,
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
    interval=_UNEVEN,
    highest=277.0,
    higher_is_better=False,
    options=_OPTIONS,
    must=_LEVEL,
    tasks=_EVERY_NUMBER,
    convention="from the root mean square coefficient of variation",
    caution=_SPREAD,
)
REPEATABILITY_COEFFICIENT_ABSOLUTE = Metric(
    name="repeatability_coefficient_absolute",
    aliases=("rc",),
    title="Repeatability coefficient, in the unit of the quantity",
    suite=Suite.REPEATABILITY,
    definition="RC = 1.96 √2 wSD = 2.77 times the within-subject standard deviation: two repeats lie farther apart in "
    "5 % of subjects",
    source=_QIBA + "; Bland & Altman, Stat Methods Med Res 1999;8:135",
    undefined="no subject has a repeat",
    n_of="subjects with repeats",
    interval=_UNEVEN,
    unit="count",
    highest=_MOST,
    higher_is_better=False,
    options=_OPTIONS,
    must=_LEVEL,
    tasks=_EVERY_NUMBER,
    convention="wSD pooled by degrees of freedom; where scatter grows with the value, one number says little: take %RC",
    caution=_SPREAD,
)
REPRODUCIBILITY_COEFFICIENT = Metric(
    name="reproducibility_coefficient",
    aliases=("rdc",),
    title="Reproducibility coefficient, in the unit of the quantity",
    suite=Suite.REPEATABILITY,
    definition="RDC = 2.77 √(between-condition variance + wSD²), conditions such as scanners, sites or versions",
    source=_QIBA,
    undefined="no subject was measured under two conditions, or not every one equally often",
    n_of="subjects under all conditions",
    interval="modified large sample (Graybill & Wang, J Am Stat Assoc 1980;75:869)",
    unit="count",
    highest=_MOST,
    higher_is_better=False,
    options=_OPTIONS,
    must=_LEVEL,
    tasks=_QUANTITIES,
    measured=False,
    convention="conditions drawn from many; between-condition variance holds the interaction with subjects",
    caution="with two or three conditions the upper limit is many times the estimate where conditions differ",
)
LIMITS_OF_AGREEMENT = Metric(
    name="limits_of_agreement",
    title="Limits of agreement, the wider one",
    suite=Suite.REPEATABILITY,
    definition="larger magnitude of mean d - 1.96 SD and mean d + 1.96 SD of relative differences between two repeats",
    source="Bland & Altman, Lancet 1986;1:307",
    undefined="no subject has a repeat",
    n_of="subjects with repeats",
    interval="exact, noncentral t (Carkeet, Optom Vis Sci 2015;92:e71)",
    highest=100.0,
    higher_is_better=False,
    options=_OPTIONS,
    must=_LEVEL,
    tasks=_EVERY_NUMBER,
    convention="difference over the mean of both; Bland & Altman's √(3/n) SD puts outer limits too near below 50 pairs",
    caution="takes differences to be normal and subjects to be independent",
)
BIAS = Metric(
    name="bias",
    aliases=("absolute_bias",),
    title="Bias, its magnitude, in the unit of the quantity",
    suite=Suite.REPEATABILITY,
    definition="|mean over subjects of first less second measurement, or of measured less reference value|",
    source="Bland & Altman, Lancet 1986;1:307",
    undefined="no subject has two measurements",
    n_of="subjects with two measurements",
    interval="Student t of the mean difference, folded at 0; studentised bootstrap of patients where subjects repeat",
    unit="count",
    highest=_MOST,
    higher_is_better=False,
    options=_OPTIONS,
    must=_LEVEL,
    tasks=_EVERY_NUMBER,
    convention="magnitude, so that an upper bound holds on both sides; near 0 it says nothing of the scatter",
)
RESCAN_DIFFERENCE = Metric(
    name="rescan_difference",
    title="Difference between scan and rescan",
    suite=Suite.REPEATABILITY,
    definition="|first - second| / mean of both, mean over subjects",
    source=_QIBA,
    undefined="no subject has a repeat",
    n_of="subjects with repeats",
    interval="studentised bootstrap of patients, at least Student t",
    highest=2.0,
    higher_is_better=False,
    options=_OPTIONS,
    must=_LEVEL,
    tasks=_EVERY_NUMBER,
    convention="over the mean of both, not over the first; 2 where one of the two is 0",
    caution="failures that no patient shows are in no interval: 5 % of studies of 60 patients show none of 5 %",
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
    tasks=_EVERY_NUMBER,
    convention="ICC(2,1) of Shrout & Fleiss, ICC(A,1) of McGraw & Wong, among six forms in use",
    caution="rises with the spread between subjects: compare only within one population; " + _PATIENTS,
)
CONCORDANCE_CORRELATION = Metric(
    name="concordance_correlation",
    aliases=("ccc", "lin_ccc"),
    title="Lin's concordance correlation",
    suite=Suite.REPEATABILITY,
    definition="2 s12 / (s1² + s2² + (m1 - m2)²) of two measurements of each subject",
    source="Lin, Biometrics 1989;45:255 and 2000;56:324",
    undefined="fewer than four subjects have two measurements, or one of the two never varies",
    n_of="subjects with two measurements",
    interval="Fisher's z with Lin's variance of 2000",
    lowest=-1.0,
    options=_OPTIONS,
    must=_LEVEL,
    tasks=_EVERY_NUMBER,
    convention="variances with n in the denominator, as Lin has them",
    caution="rises with the spread between subjects: compare only within one population; " + _PATIENTS,
)
