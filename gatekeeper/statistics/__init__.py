"""How sure: intervals, resampling, sample size. Pure: no file, no clock, no random source but the seed passed in."""

from gatekeeper.statistics.bootstrap import (
    RESAMPLES,
    bootstrap_counts,
    cluster_index,
    cluster_weights,
    percentile_interval,
)
from gatekeeper.statistics.interval import Interval, Undecidable
from gatekeeper.statistics.prevalence import npv_at, npv_interval, ppv_at, ppv_interval
from gatekeeper.statistics.proportions import clopper_pearson, jeffreys, wilson
from gatekeeper.statistics.quantiles import quantile_interval, values_needed
from gatekeeper.statistics.repeatability import (
    repeatability_coefficient,
    within_subject_sd,
    within_subject_sd_interval,
)
from gatekeeper.statistics.roc import auroc, auroc_from_pairs, auroc_of_weights, delong
from gatekeeper.statistics.sample_size import cases_for_lower_limit, cases_to_decide

__all__ = [
    "RESAMPLES",
    "Interval",
    "Undecidable",
    "auroc",
    "auroc_from_pairs",
    "auroc_of_weights",
    "bootstrap_counts",
    "cases_for_lower_limit",
    "cases_to_decide",
    "clopper_pearson",
    "cluster_index",
    "cluster_weights",
    "delong",
    "jeffreys",
    "npv_at",
    "npv_interval",
    "percentile_interval",
    "ppv_at",
    "ppv_interval",
    "quantile_interval",
    "repeatability_coefficient",
    "values_needed",
    "wilson",
    "within_subject_sd",
    "within_subject_sd_interval",
]
