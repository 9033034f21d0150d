"""How much the score of one subject moves between repeats, against where it lies."""

from __future__ import annotations

from gatekeeper.dossier import numerals
from gatekeeper.dossier.charts import svg
from gatekeeper.dossier.charts.svg import ACCENT, INK, QUIET, Drawing, Scale
from gatekeeper.dossier.material import RepeatScatter

_WIDTH, _HEIGHT = 330.0, 172.0
_X = Scale(0.0, 1.0, 34.0, 324.0)
_TOP, _BASE = 20.0, 136.0


def repeatability_chart(scatter: RepeatScatter, operating_point: float) -> Drawing:
    """Draw each subject's SD against its mean score; a ring kept its call, a filled diamond did not.

    Flips belong near the operating point, the dashed line; one far from it deserves a look.
    """
    top = max([*scatter.spread, 1e-6]) * 1.06
    y = Scale(0.0, top, _BASE, _TOP)
    at = _X(operating_point)
    parts = [
        *_axes(y),
        svg.line((at, _TOP - 4.0), (at, _BASE), width=0.6, colour=INK, dashes="3 2"),
        svg.text((at + 4.0, _TOP), f"operating point {operating_point:.3g}", size=6.8),
    ]
    subjects = list(zip(scatter.mean, scatter.spread, scatter.flipped, strict=True))
    steady = [(_X(mean), y(spread)) for mean, spread, flipped in subjects if not flipped]
    parts.append(svg.rings(steady, 1.5, colour=ACCENT))
    parts += [_diamond(_X(mean), y(spread)) for mean, spread, flipped in subjects if flipped]
    flips = sum(scatter.flipped)
    words = (
        f"Within-subject SD of the score against its mean for {numerals.counted(len(subjects), 'subject')}; "
        f"{flips} of them changed call"
    )
    names = ("Mean score", "SD of the score", "Changed call")
    rows = [(mean, spread, "yes" if flipped else "no") for mean, spread, flipped in subjects]
    return svg.drawing(_WIDTH, _HEIGHT, words, parts, svg.data_of(names, rows))


def _diamond(x: float, y: float) -> str:
    return svg.shape([(x, y - 3.4), (x + 3.4, y), (x, y + 3.4), (x - 3.4, y)])


def _axes(y: Scale) -> list[str]:
    base = _BASE + 4.0
    across, up = (0.0, 0.25, 0.5, 0.75, 1.0), svg.round_steps(y.low, y.high, 4)
    ticks = [((_X(tick), base), (_X(tick), base + 2.5)) for tick in across]
    ticks += [((_X.start - 6.5, y(tick)), (_X.start - 4.0, y(tick))) for tick in up]
    axes = [((_X.start, base), (_X.end, base)), ((_X.start - 4.0, y.start), (_X.start - 4.0, y.end))]
    return [
        svg.lines([*axes, *ticks]),
        svg.text((_X.start, _HEIGHT - 4.0), "mean score of a subject's repeats", size=7.0),
        svg.text((0.0, 8.0), "SD of a subject's repeats", size=7.0),
        *(svg.text((_X(tick), base + 10.5), f"{tick:g}", size=6.5, anchor="middle", colour=QUIET) for tick in across),
        *(svg.text((_X.start - 9.0, y(tick) + 2.2), f"{tick:g}", size=6.5, anchor="end", colour=QUIET) for tick in up),
    ]
