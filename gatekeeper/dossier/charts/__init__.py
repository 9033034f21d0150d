"""Charts as inline SVG, one function each: readable in black and white, the same bytes for the same numbers."""

from gatekeeper.dossier.charts.agreement import agreement_chart
from gatekeeper.dossier.charts.interval import interval_chart
from gatekeeper.dossier.charts.ladder import ladder_chart, response_range
from gatekeeper.dossier.charts.latency import latency_chart, percentile
from gatekeeper.dossier.charts.marks import outcome_mark, verdict_mark
from gatekeeper.dossier.charts.overlay import overlay_picture
from gatekeeper.dossier.charts.repeatability import repeatability_chart
from gatekeeper.dossier.charts.roc import roc_chart
from gatekeeper.dossier.charts.strip import strip_chart
from gatekeeper.dossier.charts.svg import Data, Drawing

__all__ = [
    "Data",
    "Drawing",
    "agreement_chart",
    "interval_chart",
    "ladder_chart",
    "latency_chart",
    "outcome_mark",
    "overlay_picture",
    "percentile",
    "repeatability_chart",
    "response_range",
    "roc_chart",
    "strip_chart",
    "verdict_mark",
]
