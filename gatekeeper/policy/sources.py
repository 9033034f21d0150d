"""The table that maps every value of a policy to its source, made from the policies themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from gatekeeper.policy._sentences import demanded
from gatekeeper.policy.schema import Basis, Policy
from gatekeeper.policy.titles import STATUS, spoken, title_of

HEAD = """\
# Where the numbers come from

Every value of every policy below, with the source that it was read in, computed from or chosen after. Generated from
the policies by `gatekeeper policy sources`; do not edit it by hand.

"""
_COLUMNS = ("Value", "Weight", "Source", "Status", "Note")


@dataclass(frozen=True)
class SourcedValue:
    """One value of a policy: what it is and how much, what it weighs, and its basis (None: the policy gives none)."""

    what: str
    value: str
    weight: str
    basis: Basis | None


def sourced_values(policy: Policy) -> tuple[SourcedValue, ...]:
    """Return every value for which a policy gives, or owes, a basis: blocking requirements first, in their order."""
    return tuple(_values(policy))


def _values(policy: Policy) -> Iterator[SourcedValue]:
    prevalence = policy.context.prevalence
    if prevalence is not None:
        yield SourcedValue("Prevalence", str(prevalence.value), "context", prevalence.basis)
    advisory = (id_ for id_, requirement in policy.requirements.items() if not requirement.blocking)
    for id_ in (*policy.order, *advisory):
        requirement = policy.requirements[id_]
        weight = "blocking" if requirement.blocking else "advisory"
        what = f"{title_of(requirement, policy)} (`{id_}`)"
        yield SourcedValue(what, demanded(requirement), weight, requirement.basis)
    for id_, margin in policy.champion.not_inferior.items() if policy.champion else ():
        title = f"Not inferior to the champion: {title_of(policy.requirements[id_], policy)}"
        yield SourcedValue(title, f"margin {margin.margin}", "promotion", margin.basis)
    if policy.monitoring is not None:
        psi = policy.monitoring.max_score_psi
        value = f"{policy.monitoring.window_cases:,} cases a window" + (f", PSI at most {psi:g}" if psi else "")
        yield SourcedValue("Monitoring", value, "after release", policy.monitoring.basis)


def sources_markdown(policies: Sequence[Policy]) -> str:
    """Return the tables of some policies as one Markdown page."""
    return HEAD + _statuses(policies) + "".join(_section(policy) for policy in policies)


def _statuses(policies: Iterable[Policy]) -> str:
    used = {value.basis.status for policy in policies for value in sourced_values(policy) if value.basis}
    return "".join(f"- **{spoken(status)}**: {STATUS[status]}\n" for status in STATUS if status in used)


def _section(policy: Policy) -> str:
    rows = [_row(_COLUMNS), _row(["---"] * len(_COLUMNS))]
    for value in sourced_values(policy):
        basis = value.basis
        source, status, note = (
            ("none given", "–", "") if basis is None else (basis.source, spoken(basis.status), basis.note or "")
        )
        rows.append(_row((f"{value.what}: {value.value}", value.weight, source, status, note)))
    return f"\n## {policy.title}\n\n`{policy.id}` {policy.version}\n\n" + "\n".join(rows) + "\n"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(' '.join(cell.split()).replace('|', chr(92) + '|') for cell in cells)} |"
