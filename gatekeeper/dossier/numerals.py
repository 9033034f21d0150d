"""Numbers as the dossier prints them. All formatting of numbers, digests, sizes and times lives here."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from enum import StrEnum

from gatekeeper.evidence import Finding, Threshold

MINUS = "−"
NARROW = "\u202f"
_MOST_DIGITS = 9


class Style(StrEnum):
    """How numbers of one kind are written."""

    SHARE = "share"
    PERCENT = "percent"
    SIGNED = "signed"
    SMALL = "small"
    TIME = "time"
    STEP = "step"
    LENGTH = "mm"
    VOLUME = "mL"
    MEMORY = "MiB"
    RATE = "cases/s"
    PLAIN = "plain"


_BY_METRIC = {
    "flip_rate": Style.PERCENT,
    "flips_under_stress": Style.PERCENT,
    "performance_drop": Style.SIGNED,
    "max_deviation": Style.SMALL,
    "within_subject_sd": Style.SMALL,
}
_BY_UNIT = {
    "1": Style.SHARE,
    "s": Style.TIME,
    "severity": Style.STEP,
    "mm": Style.LENGTH,
    "mL": Style.VOLUME,
    "MiB": Style.MEMORY,
    "cases/s": Style.RATE,
}


def style_of(metric: str, unit: str) -> Style:
    """Return how the numbers of a metric are written."""
    return _BY_METRIC.get(metric) or _BY_UNIT.get(unit, Style.PLAIN)


def number(value: float, style: Style, digits: int | None = None) -> str:
    """Write one value with its unit; ``digits`` overrides how many follow the point (for times: significant ones)."""
    if not math.isfinite(value):
        return "undefined"
    if style is Style.PERCENT:
        return f"{_fixed(value * 100.0, 1 if digits is None else digits)}{NARROW}%"
    if style is Style.TIME:
        return _time(value, digits)
    if style in (Style.LENGTH, Style.VOLUME):
        return f"{length(value) if digits is None else _fixed(value, digits)}{NARROW}{style.value}"
    if style in (Style.MEMORY, Style.RATE):
        return f"{_sign(f'{value:,.0f}' if abs(value) >= 999.5 else f'{value:.3g}')}{NARROW}{style.value}"
    if style is Style.STEP:
        return f"{value:.0f}" if value == round(value) else _fixed(value, 2)
    if style is Style.SMALL:
        return _small(value, digits)
    if style is Style.SIGNED:
        return ("+" if value > 0 else "") + _fixed(value, 3 if digits is None else digits)
    if style is Style.PLAIN:
        return _sign(f"{value:.4g}")
    if digits is None and 0.0 < abs(value) < 0.0005:
        return _small(value, None)
    return _fixed(value, 3 if digits is None else digits)


def length(value: float) -> str:
    """Write a length in mm or a volume in mL, without its unit: hundredths below 10, tenths from there on."""
    return _sign(f"{value:,.1f}" if abs(value) >= 9.995 else f"{value:.2f}")


def beside(value: float, bound: float, style: Style) -> str:
    """Write a value with so many digits that it reads on the side of ``bound`` on which it lies."""
    for digits in (None, *range(2, _MOST_DIGITS)):
        written = number(value, style, digits)
        if value == bound or written != number(bound, style, digits):
            return written
    return number(value, style)


def bound(value: float, style: Style) -> str:
    """Write a threshold in full: as many digits as it has, two after the point at least for a share."""
    if style in (Style.SHARE, Style.SIGNED):
        digits = max(2, len(f"{value:.12g}".partition(".")[2]))
        return _fixed(value, digits) if digits < _MOST_DIGITS else _small(value, None)
    if style is Style.PERCENT:
        return f"{_sign(f'{value * 100.0:.9g}')}{NARROW}%"
    if style is Style.SMALL:
        return _sign(f"{value:.9g}") if value == 0.0 or abs(value) >= 0.001 else _small(value, None)
    if style is Style.TIME:
        factor, unit = _time_unit(value)
        return f"{_sign(f'{value * factor:.9g}')}{NARROW}{unit}"
    if style in (Style.LENGTH, Style.VOLUME, Style.MEMORY, Style.RATE):
        return f"{_sign(f'{value:.9g}')}{NARROW}{style.value}"
    return number(value, style)


def estimate(finding: Finding) -> str:
    """Write the estimate of a finding, or a dash when there is none."""
    if finding.estimate is None:
        return "–"
    style = style_of(finding.metric, finding.unit)
    if finding.threshold.of != "estimate":
        return number(finding.estimate, style)
    return beside(finding.estimate, finding.threshold.value, style)


def interval(finding: Finding) -> str | None:
    """Write the interval of a finding as ``0.884 to 0.960``, or return None when there is none."""
    if finding.interval is None:
        return None
    style = style_of(finding.metric, finding.unit)
    low, high = (beside(end, finding.threshold.value, style) for end in finding.interval)
    for unit in ("%", "ms", "s", "min", "mm", "mL", "MiB", "cases/s"):
        tail = NARROW + unit
        if low.endswith(tail) and high.endswith(tail):
            low = low.removesuffix(tail)
            break
    return f"{low} to {high}"


def between(ends: tuple[float, float], style: Style) -> str:
    """Write the ends of an interval as ``0.884 to 0.960``."""
    return " to ".join(number(end, style) for end in ends)


def estimated(value: float, ends: tuple[float, float] | None, style: Style = Style.SHARE) -> str:
    """Write a number with the ends of its interval, if it has one: ``0.931 (0.884 to 0.960)``."""
    return f"{number(value, style)} ({between(ends, style)})" if ends else number(value, style)


def threshold(wanted: Threshold, style: Style) -> str:
    """Write the demand, such as ``≥ 0.80``."""
    return f"{'≥' if wanted.at_least is not None else '≤'}\u00a0{bound(wanted.value, style)}"


def threshold_end(wanted: Threshold) -> str:
    """Say what must clear the threshold: the lower limit, the upper limit or the estimate."""
    return wanted.of.replace("_", " ")


def confidence(level: float) -> str:
    """Write a confidence level such as ``95 %``."""
    return f"{level * 100.0:.6g}{NARROW}%"


def shown(value: str | float | None) -> str:
    """Write a value behind a chart: whole numbers in full, others to four digits, a dash where there is none."""
    if isinstance(value, str):
        return value
    if value is None or not math.isfinite(value):
        return "–"
    if value == round(value) or abs(value) >= 1000.0:
        return _sign(f"{value:,.0f}")
    return _small(value, None) if abs(value) < 0.001 else _sign(f"{value:.4g}")


def counted(n: int, one: str, many: str | None = None) -> str:
    """Write a count with its noun: ``1 case``, ``1,240 cases``."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def short_digest(digest: str) -> str:
    """Return the first twelve hexadecimal digits of a digest."""
    return digest.removeprefix("sha256:")[:12]


def size(octets: int) -> str:
    """Write a file size in decimal units."""
    if octets < 1000:
        return counted(octets, "byte")
    value, unit = octets / 1e3, "kB"
    if value >= 999.95:
        value, unit = octets / 1e6, "MB"
    return f"{value:,.1f}{NARROW}{unit}"


def instant(written: str) -> datetime:
    """Read an ISO 8601 time; one without an offset is UTC."""
    moment = datetime.fromisoformat(written)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def moment(written: str) -> str:
    """Write a time as ``2026-11-23 10:11 UTC``."""
    return f"{instant(written):%Y-%m-%d %H:%M} UTC"


def _fixed(value: float, digits: int) -> str:
    written = f"{value:.{digits}f}"
    return _sign(written if float(written) != 0.0 else written.removeprefix("-"))


def _small(value: float, digits: int | None) -> str:
    if value == 0.0:
        return "0"
    if abs(value) >= 0.001:
        decimals = max(3, 1 - math.floor(math.log10(abs(value)))) if digits is None else max(3, digits)
        return _fixed(value, decimals)
    mantissa, _, exponent = f"{value:.{1 if digits is None else max(1, digits)}e}".partition("e")
    return _sign(f"{mantissa}e{int(exponent)}")


def _time_unit(seconds: float) -> tuple[float, str]:
    if abs(seconds) < 1.0:
        return 1e3, "ms"
    return (1.0, "s") if abs(seconds) < 120.0 else (1.0 / 60.0, "min")


def _time(seconds: float, digits: int | None) -> str:
    factor, unit = _time_unit(seconds)
    value = seconds * factor
    significant = 3 if digits is None else digits + 1
    decimals = 0 if value == 0.0 else max(0, significant - 1 - math.floor(math.log10(abs(value))))
    return f"{_fixed(value, decimals)}{NARROW}{unit}"


def _sign(written: str) -> str:
    return written.replace("-", MINUS)
