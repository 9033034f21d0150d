"""The dossier's page for browsers, copied to where a pipeline wants it."""

from __future__ import annotations

from gatekeeper.reporters.told import Judged


def judged_html(judged: Judged) -> bytes:
    """Return the bytes of the run's ``dossier.html``. Raises OSError when it cannot be read."""
    if judged.run is None:
        raise FileNotFoundError(2, "there is no run with a page")
    return judged.run.page.read_bytes()
