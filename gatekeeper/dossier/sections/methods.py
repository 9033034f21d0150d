"""Section 11: every definition, interval method and rule by which this dossier came to its numbers."""

from __future__ import annotations

from gatekeeper.dossier.blocks import Block, Cell, Column, Heading, Points, Row, Table
from gatekeeper.dossier.drawn import methods_drawn, metrics_drawn
from gatekeeper.dossier.material import DossierMaterial
from gatekeeper.dossier.sections.structures import metrics_of
from gatekeeper.dossier.wording import joined
from gatekeeper.metrics import METRICS
from gatekeeper.policy import Policy
from gatekeeper.policy.schema import FailureCosts

# A part of a finding's method, in lower case -> its name, what it does, where it is from. All that match are told.
_INTERVALS = (
    (
        "wilson",
        "Wilson score interval",
        "for a proportion of independent cases: all proportions that a score test would not reject. "
        "Wilson, J Am Stat Assoc 1927;22:209.",
    ),
    (
        "clopper-pearson",
        "Clopper-Pearson interval",
        "for a proportion: exact binomial limits, which hold the truth at least as often as promised; of "
        "independent cases, or where nothing varies over patients (of lesions, those with one; of an area, pairs of a "
        "positive and a negative one). Clopper & Pearson, Biometrika 1934;26:404.",
    ),
    (
        "jeffreys",
        "Jeffreys interval",
        "for a proportion: the equal-tailed interval of the posterior under Jeffreys' prior. "
        "Brown, Cai & DasGupta, Stat Sci 2001;16:101.",
    ),
    (
        "effective",
        "Effective number of cases",
        "where patients have several cases, the spread over patients says how many independent cases would tell as "
        "much; a fifth of a patient who is wrong throughout is added to the spread, since few errors show too little "
        "of it. Korn & Graubard, Surv Methodol 1998;24:193; for an area under the curve, whose trials are pairs of a "
        "positive and a negative case, Obuchowski, Biometrics 1997;53:567. Of other numbers between two ends, and of "
        "lesions, the trials are those that a share of this size and this spread would have; the spread is linearised "
        "variance: what each patient adds to the number, to first order, or redrawn patients.",
    ),
    (
        "student",
        "Student t interval",
        "for a mean, or what is nearly one: exact where values are normal, and good for many values of any shape. "
        "Student, Biometrika 1908;6:1.",
    ),
    (
        "folded at 0",
        "Magnitude of a mean difference",
        "limits of the difference with its sign, folded at 0: the farther one from 0 is the upper limit.",
    ),
    (
        "delong",
        "DeLong interval",
        "for the area under the ROC curve, from the variance of its placement values; a fifth of a case of each class, "
        "ranked worst (for an upper limit best), is added, since the spread of few overlapping cases shows too little. "
        "DeLong, DeLong & Clarke-Pearson, Biometrics 1988;44:837; by patient, Obuchowski, Biometrics 1997;53:567.",
    ),
    (
        "bootstrap",
        "Patient-cluster bootstrap",
        "patients are drawn with replacement, each with all of its cases, so that cases of one patient are not taken "
        "for independent ones; the limits are percentiles of the redrawn estimates, unless more is said. "
        "Davison & Hinkley, Bootstrap Methods and their Application, 1997; Field & Welsh, J R Stat Soc B 2007;69:369.",
    ),
    (
        "left out",
        "Undefined resamples",
        "redrawn sets of patients on which the metric is undefined are left out of the percentiles.",
    ),
    (
        "paired",
        "Paired comparison",
        "both values of a difference come from the same cases, so that what they share cancels.",
    ),
    (
        "tango",
        "Tango score interval",
        "for the difference of two shares of the same cases: all differences that a score test on the cases that "
        "changed would not reject. Tango, Stat Med 1998;17:891.",
    ),
    (
        "mercaldo",
        "Logit interval at a declared prevalence",
        "for a predictive value computed by Bayes' rule from sensitivity and specificity. "
        "Mercaldo, Lau & Zhou, Stat Med 2007;26:2170.",
    ),
    (
        "newcombe",
        "Newcombe hybrid score interval",
        "for the sum of sensitivity and specificity, from the Wilson limits of each. "
        "Newcombe, Stat Med 1998;17:873, method 10.",
    ),
    (
        "mover",
        "Recovered limits (MOVER)",
        "for a function of sensitivity, specificity and the share of positives (their Wilson limits), or of a rate and "
        "its cut (Wilson and score limits): each is moved to its own limits in turn, and what the metric loses (or "
        "gains) by that is squared and added. For the difference of a metric before and after, from both limits of "
        "each and the correlation of both over redrawn patients; of a predictive value, the upper limit is at least "
        "that from both rates and what each of them loses. Zou & Donner, Stat Med 2008;27:1693.",
    ),
    (
        "reciprocals",
        "Reciprocals",
        "for a number needed to predict, 1 / (PPV + NPV - 1): 1 divided by the limits of what it is divided by.",
    ),
    (
        "bca",
        "BCa interval",
        "percentiles of the redrawn estimates, moved for bias and for skewness. Efron, J Am Stat Assoc 1987;82:171.",
    ),
    (
        "bias-corrected",
        "Bias-corrected percentiles",
        "percentiles of the redrawn estimates, moved by as much as their median lies off the estimate. "
        "Efron, J Am Stat Assoc 1987;82:171.",
    ),
    (
        "studentised",
        "Studentised bootstrap",
        "for a mean over cases: patients are redrawn, and the mean of each redraw is held against its own standard "
        "error; a fifth of a patient at the worst possible value is added to the spread (where values have no bound, "
        "one like the worst seen), since failures that are rare show too little of it. A within-subject SD is the root "
        "of such a mean, of the variances within subjects. Davison & Hinkley, Bootstrap Methods and their Application, "
        "1997, section 5.2.",
    ),
    (
        "skewness removed",
        "Hall's interval of a skewed mean",
        "Student's, after a cubic has taken out the skewness. Hall, J R Stat Soc B 1992;54:221.",
    ),
    (
        "queues",
        "Percentiles through queues",
        "for a time to notification: measured calls are redrawn (bootstrap), for the upper limit the slowest "
        "four times more, since few calls show too little of the slow ones, and sent through queues with random "
        "arrivals; the limits are percentiles over these queues, the upper one at least the order statistics of the "
        "calls themselves. "
        "Lindley, Math Proc Camb Phil Soc 1952;48:277.",
    ),
    (
        "preemptive",
        "Limits through the formula of a queue",
        "for a waiting time saved: the limits of both rates, sensitivity and specificity, each with half of the error "
        "(Bonferroni), put into the formula of an M/M/s queue in which preemptive priority goes to alarms; it grows "
        "with both. Thompson et al., Queueing Systems 2024;108:579.",
    ),
    (
        "reciprocal",
        "Reciprocal of a mean",
        "for a throughput: 1 divided by the limits of the mean time of a case.",
    ),
    (
        "wald",
        "Wald interval with sandwich variance",
        "for a coefficient of logistic recalibration, its variance from the spread over patients. "
        "Liang & Zeger, Biometrika 1986;73:13.",
    ),
    (
        "centred bins",
        "Limits of the expected calibration error",
        "above: a percentile of redrawn patients, which is too high rather than too low; below: what chance in the "
        "bins alone would give is taken off.",
    ),
    (
        "of the bins' shares",
        "Limits of the maximum calibration error",
        "above: a percentile of resamples of patients; below: the farthest bin whose exact limits, at an error shared "
        "by all bins, leave its mean score out.",
    ),
    (
        "gamma limits",
        "Limits of a mean count",
        "the widest of three: percentiles of redrawn patients, Student's on the log scale, and gamma limits. "
        "Fay & Feuer, Stat Med 1997;16:791.",
    ),
    (
        "garwood",
        "Exact Poisson limit",
        "for a count of none. Garwood, Biometrika 1936;28:437.",
    ),
    (
        "noncentral t",
        "Exact limits of the limits of agreement",
        "of the wider one, from the noncentral t distribution; takes differences to be normal. "
        "Carkeet, Optom Vis Sci 2015;92:e71.",
    ),
    (
        "f distribution",
        "Limits of an intraclass correlation",
        "of the form (ICC) that is named, from ratios of mean squares. Shrout & Fleiss, Psychol Bull 1979;86:420.",
    ),
    (
        "fisher",
        "Limits of a concordance correlation",
        "on the scale of Fisher's z. Lin, Biometrics 1989;45:255, with the correction of 2000.",
    ),
    (
        "modified large sample",
        "Modified large-sample interval",
        "for a sum of variances. Graybill & Wang, J Am Stat Assoc 1980;75:869.",
    ),
    (
        "simel",
        "Log-method interval of a likelihood ratio",
        "for a ratio of two independent rates, symmetrical on the log scale. "
        "Simel, Samsa & Matchar, J Clin Epidemiol 1991;44:763.",
    ),
    (
        "bonferroni",
        "Bonferroni combination",
        "two intervals combined: sensitivity and specificity (by class), or values before and after, each get half of "
        "the permitted error, and "
        "the metric, or the difference, is computed at the two worse and at the two better limits; wider than needed, "
        "never too narrow. Of the worst of several groups, or of pairs of groups, all intervals hold together: each "
        "has its part of the permitted error, and groups are taken as independent.",
    ),
    (
        "times the prevalence",
        "Limits of a detection rate",
        "those of the sensitivity, times the declared prevalence.",
    ),
    (
        "put where it is worst",
        "Bound on wrong calls",
        "for a metric of several classes on which no patient differs: the exact limit of the share of wrong calls, all "
        "of them put between the classes where they cost most.",
    ),
    (
        "roc curve",
        "Least curve",
        "for classes that are separated, from pairs of a positive and a negative case: the least that a number of the "
        "ROC curve can be whose area is at its exact limit.",
    ),
    (
        "order stat",
        "Order statistics",
        "for a percentile: two of the sorted values, chosen by the binomial distribution, whatever the shape of the "
        "data. Hahn & Meeker, Statistical Intervals, 1991.",
    ),
    (
        "failed and count",
        "Calls that failed",
        "a timed call without an answer counts as longer than any other, whatever time it took.",
    ),
    (
        "chi-squared",
        "Chi-squared interval of a standard deviation",
        "for the within-subject SD from its degrees of freedom; takes differences to be normal, and alike in all "
        "subjects. Where no score differs between repeats it has both limits at 0. "
        "Raunig et al., Stat Methods Med Res 2015;24:27.",
    ),
    (
        "severities",
        "Breaking point",
        "the least of the severities of the ladder at which the requirement followed is not met; not met includes not "
        "decided here. A count of steps has no interval.",
    ),
    (
        "worst of",
        "Worst of several runs",
        "of several runs each is compared with the baseline; told are the worst value, the worst of the limits on the "
        "bad side, and on the good side the worst of limits that share the error between the runs (Bonferroni).",
    ),
    ("no interval", "Largest value", "the largest of all values seen; it has no interval."),
)

_RULES = (
    (
        "A lower limit must be at least T:",
        "met when the lower limit is at or above T; not met when the upper limit is below T; otherwise not decided.",
    ),
    (
        "An upper limit must be at most T:",
        "met when the upper limit is at or below T; not met when the lower limit is above T; otherwise not decided.",
    ),
    ("An estimate must clear T:", "met or not met; how sure the estimate is does not count."),
    (
        "The verdict:",
        "INVALID when the machinery failed or a digest does not hold; else FAIL when a blocking requirement is not "
        "met; else INCONCLUSIVE when one is not decided; else PASS. Advisory findings never change it.",
    ),
)
_WAIVERS = (
    "a finding that a waiver covers keeps its outcome and does not count for the verdict until the waiver ends; what "
    "the verdict would be without waivers is told beside it."
)
_SERIAL = (
    "tested in the policy's order, each at full level; one is claimed only when all before it are met (serial "
    "gatekeeping), so that the chance of any false claim stays at the level of one test."
)
_HOLM = (
    "claimed by Holm's step-down procedure (Scand J Stat 1979;6:65): with m of them left, those that are met with the "
    "error divided by m; so the chance of any false claim stays at the level of one test."
)
_RERUNS = (
    "they stop early when every requirement on them, the largest change or the flips, is not met. More reruns only add "
    "changes, so that those left out could change no outcome, and no look at the results costs error (curtailed "
    "sampling: Alling, J Am Stat Assoc 1966;61:755)."
)
_REPEATS = "each subject counts once in performance, with its original; repeats count in repeatability only."


def methods(material: DossierMaterial) -> tuple[Block, ...]:
    """Give the metrics used with definition and source, the interval methods that occur, and the decision rules."""
    return (
        Heading("Metrics"),
        _metrics(material),
        Heading("Intervals"),
        _intervals(material),
        Heading("Rules"),
        Points((*_RULES, *_rules_of(material.policy))),
    )


def _rules_of(policy: Policy) -> tuple[tuple[str, str], ...]:
    waivers = (("Waivers:", _WAIVERS),) if policy.waivers else ()
    return (
        *waivers,
        ("Several requirements:", _HOLM if policy.multiplicity == "holm" else _SERIAL),
        ("Missing answers:", _missing_answers(policy.failure_costs)),
        ("Repeats:", _REPEATS),
        *((("Reruns:", _RERUNS),) if policy.repeatability.reruns > 1 else ()),
    )


def _missing_answers(costs: FailureCosts) -> str:
    names = {"crash": "crash", "timeout": "timeout", "refusal": "refusal", "invalid_output": "unusable answer"}
    otherwise = [f"a {names[key]} counts as {getattr(costs, key)}" for key in names if getattr(costs, key) != "wrong"]
    declared = f" As the policy declares, {joined(otherwise)}." if otherwise else ""
    return (
        "a case that was refused, crashed or timed out stays in the denominator as a wrong answer."
        f"{declared} A fault of the machinery makes the run invalid instead."
    )


def _metrics(material: DossierMaterial) -> Table:
    names = [finding.metric for finding in material.verdict.findings]
    names += [requirement.spec.name for requirement in material.policy.requirements.values()]
    names += [*metrics_of(material.structures), *metrics_drawn(material.shown)]
    columns = (Column("Metric", 19.0), Column("Definition", 44.0), Column("Source", 37.0))
    rows = []
    for name in dict.fromkeys(names):
        if name not in METRICS:
            rows.append(Row((Cell(name, strong=True), Cell("not in the catalogue of this installation"), Cell(""))))
            continue
        spec = METRICS.get(name)
        better = "higher is better" if spec.higher_is_better else "lower is better"
        below = (f"undefined: {spec.undefined}; {better}",)
        rows.append(Row((Cell(spec.title, strong=True), Cell(spec.definition, below), Cell(spec.source))))
    return Table("Metrics used", columns, tuple(rows))


def _intervals(material: DossierMaterial) -> Points:
    found = [finding.method for finding in material.verdict.findings if finding.interval or finding.n]
    used = list(dict.fromkeys((*found, *methods_drawn(material.roc, material.shown))))
    known = [(title, words) for key, title, words in _INTERVALS if any(key in method.lower() for method in used)]
    strange = [m for m in used if not m.startswith("none") and not any(key in m.lower() for key, _, _ in _INTERVALS)]
    return Points(
        (*((f"{title}:", words) for title, words in known), *((m, "as its plug-in describes it.") for m in strange))
    )
