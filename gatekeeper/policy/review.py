"""A policy looked at as a whole, whether it loads or not: errors, warnings, notes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from gatekeeper.canonical import JSON
from gatekeeper.errors import Place, Problem, UsageError, printable
from gatekeeper.policy.lint import Remark, Weight, lint
from gatekeeper.policy.load import load_policy


@dataclass(frozen=True)
class Review:
    """What was found in the policy called ``name``: ``errors`` when it does not load, else ``remarks``."""

    name: str
    errors: tuple[Problem, ...] = ()
    remarks: tuple[Remark, ...] = ()

    @property
    def warnings(self) -> tuple[Remark, ...]:
        """The remarks that count."""
        return tuple(remark for remark in self.remarks if remark.weight is Weight.WARNING)

    def with_remarks(self, more: tuple[Remark, ...]) -> Review:
        """Return the review with further remarks, warnings still first."""
        remarks = sorted((*self.remarks, *more), key=lambda remark: remark.weight is Weight.NOTE)
        return replace(self, remarks=tuple(remarks))

    def lines(self, *, notes: bool) -> list[str]:
        """Return what people read: the name, then each finding with its place; notes in full, or how many."""
        if self.errors:
            return [f"✗ {printable(self.name)}", *(str(problem) for problem in self.errors)]
        mark = "!" if self.warnings else "✓"
        shown = self.remarks if notes else self.warnings
        left = len(self.remarks) - len(shown)
        head = f"{mark} {printable(self.name)}" + (f"   ({left} note{'' if left == 1 else 's'})" if left else "")
        return [head, *(line for remark in shown for line in _lines(remark))]

    def to_json(self) -> dict[str, JSON]:
        """Return the findings as plain data."""
        errors: list[JSON] = [
            {"code": problem.code.value, "what": problem.what, "where": _where(problem.where), "mend": problem.mend}
            for problem in self.errors
        ]
        remarks: list[JSON] = [
            {
                "weight": remark.weight.value,
                "rule": remark.rule,
                "what": remark.what,
                "where": _where(remark.place),
                "mend": remark.mend,
            }
            for remark in self.remarks
        ]
        return {"name": self.name, "errors": errors, "remarks": remarks}


def review(name: str) -> Review:
    """Load a policy by name or file and look at it, as of today (UTC)."""
    try:
        loaded = load_policy(name)
    except UsageError as error:
        return Review(name, errors=error.problems)
    return Review(name, remarks=lint(loaded, datetime.now(UTC).date()))


def _lines(remark: Remark) -> list[str]:
    told = [f"{remark.weight.value}[{remark.rule}]: {remark.what}", f"  --> {remark.place}"]
    if remark.mend is not None:
        told.append(f"help: {remark.mend}")
    return [printable(line) for line in told]


def _where(place: Place | None) -> JSON:
    return None if place is None else str(place)
