"""How sure: intervals, resampling, sample size. Pure: no file, no clock, no random source but the seed passed in."""

from gatekeeper.statistics.bootstrap import (
    RESAMPLES,
    bootstrap_sums,
    cluster_index,
    cluster_weights,
    percentile_interval,
    weight_blocks,
)
from gatekeeper.statistics.effective import Effective, effective_rates, effective_trials, equivalent_trials
from gatekeeper.statistics.interval import Interval, Undecidable
from gatekeeper.statistics.means import mean_interval
from gatekeeper.statistics.operating_point import rate_at, rate_at_interval, separated_rate_interval
from gatekeeper.statistics.prevalence import called_share_at, npv_at, npv_interval, ppv_at, ppv_interval
from gatekeeper.statistics.proportions import clopper_pearson, jeffreys, wilson
from gatekeeper.statistics.quantiles import quantile_interval, values_needed
from gatekeeper.statistics.repeatability import (
    repeatability_coefficient,
    within_subject_sd,
    within_subject_sd_interval,
)
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
from gatekeeper.statistics.sample_size_by_class import (
    ClassSizes,
    cases_for_auroc,
    cases_for_called_share,
    fewest_for_called_share,
    hanley_mcneil_variance,
    of_ratio,
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
    "Effective",
    "Interval",
    "ProportionMethod",
    "Trials",
    "Undecidable",
    "auroc",
    "auroc_from_pairs",
    "auroc_interval",
    "auroc_of_weights",
    "bootstrap_auroc",
    "bootstrap_sums",
    "called_share_at",
    "cases_for_auroc",
    "cases_for_called_share",
    "cases_for_lower_limit",
    "cases_for_npv",
    "cases_for_ppv",
    "cases_for_upper_limit",
    "cases_to_decide",
    "clopper_pearson",
    "cluster_index",
    "cluster_weights",
    "degrees_for_spread",
    "delong",
    "effective_rates",
    "effective_trials",
    "equivalent_trials",
    "exact_by_class",
    "fewest_for_called_share",
    "fewest_for_lower_limit",
    "fewest_for_predictive_value",
    "fewest_that",
    "hanley_mcneil_variance",
    "jeffreys",
    "mean_interval",
    "negative_likelihood_ratio_interval",
    "npv_at",
    "npv_interval",
    "of_ratio",
    "percentile_interval",
    "positive_likelihood_ratio_interval",
    "ppv_at",
    "ppv_interval",
    "ppv_power",
    "quantile_interval",
    "rate_at",
    "rate_at_interval",
    "recovered_interval",
    "repeatability_coefficient",
    "separated_rate_interval",
    "values_needed",
    "weight_blocks",
    "wilson",
    "within_subject_sd",
    "within_subject_sd_interval",
    "youden_interval",
]
