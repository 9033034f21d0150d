"""How the numbers of a finding are written: the same everywhere, so that page, terminal and sentence agree."""

from __future__ import annotations

from gatekeeper.evidence.findings import Finding

# Metrics between 0 and 1 that nobody reads as a share.
_SMALL = frozenset({"max_deviation", "within_subject_sd"})
_RATIOS = frozenset({"positive_likelihood_ratio", "negative_likelihood_ratio", "expected_cost"})
_INDICES = frozenset(
    {
        *("auroc", "partial_auroc", "average_precision", "macro_auroc", "hand_till_auroc"),
        *("youden", "f1", "f_beta", "macro_f1", "matthews_correlation", "multiclass_matthews"),
        *("kappa", "weighted_kappa", "linear_weighted_kappa", "net_benefit"),
        *("brier_score", "log_score", "expected_calibration_error", "maximum_calibration_error"),
        *("classwise_calibration_error", "calibration_slope_deviation", "calibration_intercept_deviation"),
        *("dice", "iou", "boundary_iou", "cl_dice", "normalized_surface_distance", "panoptic_quality"),
        *("icc", "concordance_correlation", "froc_score", "detection_average_precision"),
    }
)
_BARE = _SMALL | _RATIOS | _INDICES


def write_number(finding: Finding, number: float) -> str:
    """Write a number in the unit of a finding: ``93.1 %``, ``0.895``, ``3.2 ms``, ``severity 3``."""
    if finding.unit == "s":
        return write_seconds(number)
    if finding.unit == "severity":
        return f"severity {number:g}"
    if finding.unit in ("mm", "mL"):
        return f"{write_length(number)} {finding.unit}"
    if finding.unit in ("MiB", "cases/s"):
        return f"{number:,.0f} {finding.unit}" if number >= 999.5 else f"{number:.3g} {finding.unit}"
    if finding.unit == "count" or finding.metric in _SMALL | _RATIOS:
        return f"{number:.3g}"
    if finding.metric in _INDICES:
        return f"{number:.3f}"
    return write_share(number)


def write_length(length: float) -> str:
    """Write millimetres or millilitres, without the unit: hundredths below 10, tenths from there on."""
    return f"{length:,.1f}" if abs(length) >= 9.995 else f"{length:z.2f}"


def write_share(share: float) -> str:
    """Write a measured share as per cent with one decimal: ``49.0 %``."""
    return f"{share * 100:z.1f} %"


def write_declared_share(share: float) -> str:
    """Write a share that somebody declared, as per cent without idle digits: ``50 %``, ``87.2 %``."""
    return f"{share * 100:.6g} %"


def write_seconds(seconds: float) -> str:
    """Write a duration with three digits or whole numbers, in milliseconds below one second."""
    number, unit = (seconds * 1000.0, "ms") if abs(seconds) < 0.9995 else (seconds, "s")
    return f"{number:,.0f} {unit}" if abs(number) >= 999.5 else f"{number:.3g} {unit}"


def write_declared(value: float, metric: str, unit: str) -> str:
    """Write a value of a metric that somebody declared, as people do: ``80 %``, ``0.91``, ``200 ms``, ``10 min``."""
    if unit == "s":
        in_minutes = value >= 120.0 and f"{value / 60.0:.3g}"
        return f"{in_minutes} min" if in_minutes and float(in_minutes) * 60.0 == value else write_seconds(value)
    if unit == "severity":
        return f"severity {value:g}"
    if unit in ("mm", "mL", "MiB", "cases/s"):
        return f"{value:g} {unit}"
    return f"{value:,.10g}" if unit == "count" or metric in _BARE else write_declared_share(value)


def write_threshold(finding: Finding) -> str:
    """Write what a finding was held against: ``≥ 80 %``."""
    sign = "≥" if finding.threshold.at_least is not None else "≤"
    return f"{sign} {write_demand(finding)}"


def write_demand(finding: Finding) -> str:
    """Write the threshold's value as it was declared: ``80 %``, ``0.91``, ``200 ms``."""
    return write_declared(finding.threshold.value, finding.metric, finding.unit)


def write_magnitude(magnitude: float, unit: str) -> str:
    """Return the size of a perturbation: ``2.5 mm``, and a bare number of a share or a count."""
    return f"{magnitude:.4g}" if unit in ("1", "count") else f"{magnitude:.4g} {unit}"
