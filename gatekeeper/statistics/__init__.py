"""How sure: intervals, resampling, sample size. Pure: no file, no clock, no random source but the seed passed in."""

from gatekeeper.statistics.bca import bca_interval
from gatekeeper.statistics.bland_altman import bland_altman
from gatekeeper.statistics.bootstrap import (
    RESAMPLES,
    bootstrap_sums,
    cluster_index,
    cluster_weights,
    percentile_interval,
    weight_blocks,
)
from gatekeeper.statistics.calibration import expected_calibration_error, reliability_curve
from gatekeeper.statistics.calibration_line import calibration_intercept_interval, calibration_slope_interval
from gatekeeper.statistics.concordance import concordance_correlation
from gatekeeper.statistics.effective import Effective, effective_rates, effective_trials, equivalent_trials
from gatekeeper.statistics.interval import Interval, Undecidable
from gatekeeper.statistics.intraclass import Form, intraclass_correlation
from gatekeeper.statistics.mcnemar import clustered_mcnemar, mcnemar
from gatekeeper.statistics.means import clustered_mean_interval, mean_interval
from gatekeeper.statistics.noninferiority import (
    Decision,
    PairedComparison,
    compare_aurocs,
    compare_means,
    compare_proportions,
)
from gatekeeper.statistics.operating_point import rate_at, rate_at_interval, separated_rate_interval
from gatekeeper.statistics.paired_auroc import paired_areas
from gatekeeper.statistics.paired_proportions import Pairs, tango
from gatekeeper.statistics.precision_recall import average_precision, average_precision_interval
from gatekeeper.statistics.prevalence import called_share_at, npv_at, npv_interval, ppv_at, ppv_interval
from gatekeeper.statistics.proportions import clopper_pearson, jeffreys, wilson
from gatekeeper.statistics.quantiles import quantile_interval, values_needed
from gatekeeper.statistics.repeatability import (
    repeatability_coefficient,
    within_subject_cv,
    within_subject_sd,
    within_subject_sd_interval,
)
from gatekeeper.statistics.reproducibility import reproducibility_coefficient
from gatekeeper.statistics.roc import auroc, auroc_from_pairs, auroc_interval, auroc_of_weights, bootstrap_auroc, delong
from gatekeeper.statistics.sample_size import (
    DEFAULT_METHOD,
    ProportionMethod,
    cases_for_lower_limit,
    cases_for_upper_limit,
    cases_to_decide,
    degrees_for_spread,
    fewest_for_lower_limit,
    fewest_that,
)
from gatekeeper.statistics.sample_size_agreement import pairs_for_limits_of_agreement, subjects_for_icc
from gatekeeper.statistics.sample_size_by_class import (
    ClassSizes,
    cases_for_auroc,
    cases_for_called_share,
    fewest_for_called_share,
    hanley_mcneil_variance,
    of_ratio,
)
from gatekeeper.statistics.sample_size_paired import (
    cases_for_mean,
    cases_for_paired_aurocs,
    cases_for_paired_proportions,
)
from gatekeeper.statistics.sample_size_predictive import (
    cases_for_npv,
    cases_for_ppv,
    fewest_for_predictive_value,
    ppv_power,
)
from gatekeeper.statistics.two_classes import (
    Trials,
    exact_by_class,
    negative_likelihood_ratio_interval,
    positive_likelihood_ratio_interval,
    recovered_interval,
    youden_interval,
)

__all__ = [
    "DEFAULT_METHOD",
    "RESAMPLES",
    "ClassSizes",
    "Decision",
    "Effective",
    "Form",
    "Interval",
    "PairedComparison",
    "Pairs",
    "ProportionMethod",
    "Trials",
    "Undecidable",
    "auroc",
    "auroc_from_pairs",
    "auroc_interval",
    "auroc_of_weights",
    "average_precision",
    "average_precision_interval",
    "bca_interval",
    "bland_altman",
    "bootstrap_auroc",
    "bootstrap_sums",
    "calibration_intercept_interval",
    "calibration_slope_interval",
    "called_share_at",
    "cases_for_auroc",
    "cases_for_called_share",
    "cases_for_lower_limit",
    "cases_for_mean",
    "cases_for_npv",
    "cases_for_paired_aurocs",
    "cases_for_paired_proportions",
    "cases_for_ppv",
    "cases_for_upper_limit",
    "cases_to_decide",
    "clopper_pearson",
    "cluster_index",
    "cluster_weights",
    "clustered_mcnemar",
    "clustered_mean_interval",
    "compare_aurocs",
    "compare_means",
    "compare_proportions",
    "concordance_correlation",
    "degrees_for_spread",
    "delong",
    "effective_rates",
    "effective_trials",
    "equivalent_trials",
    "exact_by_class",
    "expected_calibration_error",
    "fewest_for_called_share",
    "fewest_for_lower_limit",
    "fewest_for_predictive_value",
    "fewest_that",
    "hanley_mcneil_variance",
    "intraclass_correlation",
    "jeffreys",
    "mcnemar",
    "mean_interval",
    "negative_likelihood_ratio_interval",
    "npv_at",
    "npv_interval",
    "of_ratio",
    "paired_areas",
    "pairs_for_limits_of_agreement",
    "percentile_interval",
    "positive_likelihood_ratio_interval",
    "ppv_at",
    "ppv_interval",
    "ppv_power",
    "quantile_interval",
    "rate_at",
    "rate_at_interval",
    "recovered_interval",
    "reliability_curve",
    "repeatability_coefficient",
    "reproducibility_coefficient",
    "separated_rate_interval",
    "subjects_for_icc",
    "tango",
    "values_needed",
    "weight_blocks",
    "wilson",
    "within_subject_cv",
    "within_subject_sd",
    "within_subject_sd_interval",
    "youden_interval",
]
