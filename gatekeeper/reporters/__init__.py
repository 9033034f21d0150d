"""The same verdict for terminals, machines and pipelines: one file a kind, listed in ``kinds.py``."""

from gatekeeper.reporters.junit import junit_xml
from gatekeeper.reporters.terminal import print_judged, print_verdict, release_lines
from gatekeeper.reporters.told import Asked, Failed, FinishedRun, Judged, Told

__all__ = [
    "Asked",
    "Failed",
    "FinishedRun",
    "Judged",
    "Told",
    "junit_xml",
    "print_judged",
    "print_verdict",
    "release_lines",
]
