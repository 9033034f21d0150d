"""All of it, in the order in which people mend things."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from gatekeeper import __version__
from gatekeeper.canonical import JSON
from gatekeeper.doctor.codecs import examine_codecs
from gatekeeper.doctor.devices import DeviceTrial
from gatekeeper.doctor.disk import examine_disk
from gatekeeper.doctor.finding import Finding, State, broken
from gatekeeper.doctor.isolation import examine_isolation
from gatekeeper.doctor.keys import examine_keys, examine_ledger
from gatekeeper.doctor.machine import examine_machine
from gatekeeper.doctor.packages import examine_packages
from gatekeeper.doctor.pages import examine_fonts, examine_pages

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Examination:
    """Everything that was found."""

    findings: tuple[Finding, ...]

    @property
    def able(self) -> bool:
        """Whether all that `check` needs works."""
        return not any(finding.state is State.BROKEN for finding in self.findings)

    def to_json(self, home: Path) -> dict[str, JSON]:
        """Return the findings for a report of a fault: without the names of people, machines and home folders."""
        listed: list[JSON] = [
            {key: _anonymous(value, home) if isinstance(value, str) else value for key, value in one.to_json().items()}
            for one in self.findings
        ]
        return {"gatekeeper": __version__, "able": self.able, "findings": listed}


def examine(home: Path, out: Path, progress: Progress = lambda stage, done, total: None) -> Examination:
    """Look at everything; ``home`` holds keys and ledger, runs are written to ``out``. Changes nothing.

    An area whose examination itself fails is a finding that `check` cannot be relied on here.
    """
    trial = DeviceTrial()
    areas: tuple[tuple[str, Callable[[], Iterator[Finding]]], ...] = (
        ("machine", examine_machine),
        ("packages", examine_packages),
        ("isolation", examine_isolation),
        ("codecs", examine_codecs),
        ("dossier", examine_fonts),
        ("dossier", examine_pages),
        ("keys", lambda: examine_keys(home)),
        ("ledger", lambda: examine_ledger(home)),
        ("disk", lambda: examine_disk(out)),
        ("devices", trial.findings),
    )
    found: list[Finding] = []
    try:
        for number, (area, look) in enumerate(areas):
            progress("looking", number, len(areas))
            found += _looked(area, look)
    finally:
        trial.stop()
    progress("looking", len(areas), len(areas))
    return Examination(tuple(found))


def _looked(area: str, look: Callable[[], Iterator[Finding]]) -> list[Finding]:
    try:
        return list(look())
    except Exception as error:
        mend = "report it with the output of `gatekeeper doctor --json`"
        return [broken(area, area, f"looking at it failed: {type(error).__name__}", mend)]


def _anonymous(text: str, home: Path) -> str:
    """Take out home folders, whoever they are of, the working folder, and the names of user and machine."""
    for path, name in ((home.absolute(), "$GATEKEEPER_HOME"), (Path.home(), "~"), (Path.cwd(), ".")):
        if len(path.parts) > 1:
            text = text.replace(str(path), name)
    text = re.sub(r"/(home|Users)/[^/\s'\"]+", "~", text)
    host = os.uname().nodename
    user = os.environ.get("USER") or os.environ.get("LOGNAME") or ""
    for secret, name in ((host, "HOST"), (user, "USER")):
        if secret:
            text = re.sub(rf"(?<![\w-]){re.escape(secret)}(?![\w-])", name, text) if secret != "root" else text
    return text
