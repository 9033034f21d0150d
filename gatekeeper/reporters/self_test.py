"""What the gate made of planted defects, as a person reads it in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatekeeper.errors import printable
from gatekeeper.evidence.self_test import DefectOutcome, SelfTest

if TYPE_CHECKING:
    from rich.console import Console

_MARKS = {DefectOutcome.NOT_SEEN: "✗", DefectOutcome.NOT_APPLICABLE: "–"}
_STYLES = {DefectOutcome.NOT_SEEN: "yellow", DefectOutcome.NOT_APPLICABLE: "dim"}


def print_self_test(console: Console, tested: SelfTest, *, whole: bool) -> None:
    """Print a line on what the gate would not see, if there is something; with ``whole`` a table of every defect."""
    from rich.table import Table
    from rich.text import Text

    if whole:
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", show_edge=False)
        for heading in ("", "planted defect", "outcome", "seen by", "what was done"):
            table.add_column(heading, overflow="fold")
        for defect in tested.defects:
            mark = Text(_MARKS.get(defect.outcome, "✓"), style=_STYLES.get(defect.outcome, "green"))
            seen = ", ".join(defect.seen_by[:3]) + (", …" if len(defect.seen_by) > 3 else "")
            cells = (defect.title, defect.outcome.value, seen or "–", defect.done)
            table.add_row(mark, *(Text(printable(cell)) for cell in cells))
        console.print()
        console.print(table)
        console.print()
    if tested.not_seen:
        named = ", ".join(defect.title for defect in tested.not_seen)
        told = printable(f"blind    this policy would not see: {named}")
        console.print(Text(told), highlight=False, soft_wrap=True)
