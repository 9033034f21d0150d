"""Two measurements of each case: their difference against their mean (Bland & Altman, Lancet 1986;1:307)."""

from __future__ import annotations

from gatekeeper.dossier import numerals
from gatekeeper.dossier.charts import svg
from gatekeeper.dossier.charts.svg import ACCENT, HAIR, INK, QUIET, Drawing, Scale
from gatekeeper.dossier.material import VolumePairs
from gatekeeper.dossier.wording import shortened

FEWEST_FOR_LIMITS = 10
_WIDTH, _HEIGHT = 222.0, 150.0
_LEFT, _RIGHT, _TOP, _BASE = 34.0, 40.0, 26.0, 118.0


def agreement_chart(pairs: VolumePairs, title: str, limits: tuple[float, float, float] | None) -> Drawing | None:
    """Draw first less second against the mean of both; None below two pairs.

    ``limits`` are the lower limit of agreement, the bias, and the upper limit, in the unit of the pairs; None where
    there are too few pairs for them. The hairline is no difference.
    """
    if len(pairs.first) < 2:
        return None
    means = [(one + two) / 2.0 for one, two in zip(pairs.first, pairs.second, strict=True)]
    apart = [one - two for one, two in zip(pairs.first, pairs.second, strict=True)]
    x = _padded(means, _LEFT, _WIDTH - _RIGHT)
    y = _padded([0.0, *apart, *(limits or ())], _BASE, _TOP)
    zero = y(0.0)
    parts = [
        svg.text((0.0, 8.0), shortened(title, 44), size=8.0, weight=600),
        svg.text((0.0, 17.0), f"difference, {pairs.unit}", size=6.8, colour=QUIET),
        *_axes(x, y, pairs.unit),
        svg.line((x.start, zero), (x.end, zero), width=0.5, colour=HAIR),
        svg.rings([(x(mean), y(gap)) for mean, gap in zip(means, apart, strict=True)], 1.8, colour=ACCENT),
    ]
    for name, value, dashes in zip(("lower", "bias", "upper"), limits or (), ("3 2", None, "3 2"), strict=False):
        at = y(value)
        parts.append(svg.line((x.start, at), (x.end, at), width=0.7, colour=INK, dashes=dashes))
        parts.append(svg.text((x.end + 3.0, at + 2.2), f"{name} {_written(value)}", size=6.2))
    words = f"{title}: differences of {numerals.counted(len(apart), 'pair')}, {_written(min(apart))} to "
    words += f"{_written(max(apart))} {pairs.unit}"
    if limits:
        words += f"; bias {_written(limits[1])}, limits of agreement {_written(limits[0])} and {_written(limits[2])}"
    names = ("Case", f"First, {pairs.unit}", f"Second, {pairs.unit}", f"Difference, {pairs.unit}")
    rows = list(zip(pairs.names, pairs.first, pairs.second, apart, strict=True))
    return svg.drawing(_WIDTH, _HEIGHT, words, parts, svg.data_of(names, rows))


def _written(value: float) -> str:
    return f"{value:,.1f}".replace("-", numerals.MINUS)


def _tick(value: float) -> str:
    return f"{value:g}".replace("-", numerals.MINUS)


def _padded(values: list[float], start: float, end: float) -> Scale:
    low, high = min(values), max(values)
    room = 0.08 * (high - low) or 0.05 * abs(high) or 1.0
    return Scale(low - room, high + room, start, end)


def _axes(x: Scale, y: Scale, unit: str) -> list[str]:
    base = _BASE + 4.0
    across, up = svg.round_steps(x.low, x.high, 3), svg.round_steps(y.low, y.high, 4)
    ticks = [((x(tick), base), (x(tick), base + 2.5)) for tick in across]
    ticks += [((x.start - 6.5, y(tick)), (x.start - 4.0, y(tick))) for tick in up]
    axes = [((x.start, base), (x.end, base)), ((x.start - 4.0, y.start), (x.start - 4.0, y.end))]
    return [
        svg.lines([*axes, *ticks], colour=HAIR),
        svg.text((x.start, _HEIGHT - 4.0), f"mean of both, {unit}", size=6.8, colour=QUIET),
        *(svg.text((x(tick), base + 10.0), _tick(tick), size=6.2, anchor="middle", colour=QUIET) for tick in across),
        *(svg.text((x.start - 8.5, y(tick) + 2.2), _tick(tick), size=6.2, anchor="end", colour=QUIET) for tick in up),
    ]
