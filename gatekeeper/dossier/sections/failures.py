"""Cases without a usable answer: how many, why, which, and what they count as."""

from __future__ import annotations

from gatekeeper.dossier.blocks import Block, Cell, Column, Paragraph, Row, Table
from gatekeeper.dossier.material import DossierMaterial, Failures
from gatekeeper.dossier.sections import worst_case

_MOST_NAMED = 5
_COSTS = {
    "wrong": "wrong, whatever the truth",
    "positive": "called positive",
    "negative": "called negative",
}


def failures(material: DossierMaterial) -> tuple[Block, ...]:
    """Show the groups of cases without an answer at baseline, or say that there are none."""
    restarts = material.environment.restarts
    replaced = f" The candidate's process ended {restarts:,} times and was started again." if restarts else ""
    if not material.failures:
        return (Paragraph(f"Every case of the baseline got a usable answer.{replaced}"),)
    lost = sum(len(group.cases) for group in material.failures)
    costs = {
        outcome.value.replace("_", " "): _COSTS[cost]
        for outcome, cost in material.policy.failure_costs.by_outcome.items()
    }
    columns = (
        Column("Outcome", 16.0),
        Column("Why", 24.0),
        Column("Cases", 8.0, "right"),
        Column("Counts as", 20.0),
        Column("Case ids", 32.0),
    )
    return (
        Paragraph(
            f"{lost:,} of {material.verdict.cases:,} cases of the baseline got no usable answer. They stay in every "
            f"denominator, at the cost that the policy declares.{replaced}"
        ),
        Table("Cases without a usable answer", columns, tuple(_row(group, costs) for group in material.failures)),
        *worst_case.worst_case(material),
    )


def _row(group: Failures, costs: dict[str, str]) -> Row:
    named = ", ".join(group.cases[:_MOST_NAMED])
    more = f" and {len(group.cases) - _MOST_NAMED:,} more" if len(group.cases) > _MOST_NAMED else ""
    counted = costs.get(group.outcome, _COSTS["wrong"])
    cells = (group.outcome, group.why or "–", f"{len(group.cases):,}", counted, named + more)
    return Row(tuple(Cell(text) for text in cells))
