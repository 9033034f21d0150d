"""What ``self_test.json`` holds: whether the gate judges alike what is alike, and which planted defects it sees."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from gatekeeper.evidence.record import Record


class DefectOutcome(StrEnum):
    """What the gate made of a planted defect. The list is closed."""

    CAUGHT = "caught"
    WEAKENED = "not decided any more"
    WORSE = "worse than before"
    NOT_SEEN = "not seen"
    NOT_APPLICABLE = "not applicable"


class PlantedDefect(Record):
    """One defect planted in the evidence, and what a policy made of it.

    ``done`` says what was planted, or why this evidence cannot carry it. ``seen_by`` are the ids of the blocking
    findings that saw it: one that was met, or not decided, and is now not met (``caught``); one that was met and is
    now not decided (``not decided any more``: the gate stays shut as well); where there is none of these, one that kept
    the gate shut before and whose estimate fell out of its interval on the wrong side (``worse than before``).
    ``noticed_by`` are findings that change as the first two do and close no gate, being advisory or waived.
    """

    id: str
    done: str
    outcome: DefectOutcome
    seen_by: tuple[str, ...] = ()
    noticed_by: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The kind of defect: the id without the attribute by which a subgroup was chosen."""
        return self.id.partition("[")[0]

    @property
    def title(self) -> str:
        """The id in words: ``subgroup broken (by sex)``."""
        name, _, attribute = self.id.partition("[")
        plain = name.replace("_", " ")
        return f"{plain} (by {attribute.removesuffix(']').replace('_', ' ')})" if attribute else plain


class SelfTest(Record):
    """The gate tested on the evidence at hand.

    ``a_a`` is true when the same evidence, its cases shuffled and its table cut into other pieces, gives the same
    findings bit for bit; ``differing`` are the ids of those that do not. ``shut_by`` are the blocking findings that
    keep the gate shut without any defect: what is shut already may hide what else it would see.
    """

    a_a: bool
    differing: tuple[str, ...] = ()
    shut_by: tuple[str, ...] = ()
    defects: tuple[PlantedDefect, ...] = Field(min_length=1)

    @property
    def not_seen(self) -> tuple[PlantedDefect, ...]:
        """The defects that change nothing: a candidate with one of them would be judged as this one was."""
        return tuple(defect for defect in self.defects if defect.outcome is DefectOutcome.NOT_SEEN)
