"""Every kind of report, by the name that ``--report`` gives it."""

from __future__ import annotations

from gatekeeper.catalogue import Catalogue
from gatekeeper.reporters.github import on_runner, summary
from gatekeeper.reporters.html import judged_html
from gatekeeper.reporters.json_report import failed_json, judged_json
from gatekeeper.reporters.junit import failed_junit, judged_junit
from gatekeeper.reporters.markdown import comment
from gatekeeper.reporters.reporter import Reporter
from gatekeeper.reporters.sarif import failed_sarif, judged_sarif
from gatekeeper.reporters.text import failed_text, judged_text

REPORTERS = Catalogue(
    "reporter",
    [
        Reporter("text", judged_text, failed_text),
        Reporter("json", judged_json, failed_json),
        Reporter("junit", judged_junit, failed_junit),
        Reporter("sarif", judged_sarif, failed_sarif),
        Reporter("github", summary, summary, on_runner=on_runner),
        Reporter("markdown", comment, comment),
        Reporter("html", judged_html, None, needs_run=True),
    ],
)
