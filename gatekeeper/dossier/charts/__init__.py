"""Charts as inline SVG, one function each: readable in black and white, the same bytes for the same numbers."""

from gatekeeper.dossier.charts.agreement import agreement_chart
from gatekeeper.dossier.charts.froc import froc_chart
from gatekeeper.dossier.charts.interval import interval_chart
from gatekeeper.dossier.charts.ladder import ladder_chart, response_range
from gatekeeper.dossier.charts.latency import latency_chart, percentile
from gatekeeper.dossier.charts.marks import outcome_mark, verdict_mark
from gatekeeper.dossier.charts.overlay import overlay_picture
from gatekeeper.dossier.charts.precision_recall import precision_recall_chart
from gatekeeper.dossier.charts.reliability import reliability_chart
from gatekeeper.dossier.charts.repeatability import repeatability_chart
from gatekeeper.dossier.charts.roc import roc_chart
from gatekeeper.dossier.charts.strip import strip_chart
from gatekeeper.dossier.charts.svg import Data, Drawing
from gatekeeper.dossier.charts.thumbnail import thumbnail_picture

__all__ = [
    "Data",
    "Drawing",
    "agreement_chart",
    "froc_chart",
    "interval_chart",
    "ladder_chart",
    "latency_chart",
    "outcome_mark",
    "overlay_picture",
    "percentile",
    "precision_recall_chart",
    "reliability_chart",
    "repeatability_chart",
    "response_range",
    "roc_chart",
    "strip_chart",
    "thumbnail_picture",
    "verdict_mark",
]
