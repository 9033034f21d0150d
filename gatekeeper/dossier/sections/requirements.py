"""Sections 2 to 4: what was required, where the thresholds come from, and how subgroups fare."""

from __future__ import annotations

from collections.abc import Iterable

from gatekeeper.dossier import numerals
from gatekeeper.dossier.blocks import Block, Cell, Column, Facts, Paragraph, Points, Row, Table
from gatekeeper.dossier.charts import interval_chart, outcome_mark
from gatekeeper.dossier.first_page import tally
from gatekeeper.dossier.material import DossierMaterial
from gatekeeper.dossier.sections import waivers
from gatekeeper.dossier.sections.subgroups import COLUMNS, HOW_TO_READ, group_rows
from gatekeeper.dossier.wording import joined, plain_name
from gatekeeper.evidence import Finding, Outcome
from gatekeeper.policy import Policy
from gatekeeper.policy.schema import Basis
from gatekeeper.policy.titles import standing_of

_COLUMNS = (
    Column("", 4.0),
    Column("Requirement", 24.0),
    Column("Estimate", 16.0, "right"),
    Column("Interval against threshold", 26.0),
    Column("Threshold", 13.0),
    Column("n", 17.0),
)


def requirements(material: DossierMaterial) -> tuple[Block, ...]:
    """Show every requirement with its evidence, in the order in which they are judged."""
    findings = [finding for finding in material.verdict.findings if not finding.subgroup]
    blocks: list[Block] = [Paragraph(material.verdict.words)]
    if findings:
        blocks.append(Table("Requirements and their evidence", _COLUMNS, tuple(_requirement_rows(findings))))
        blocks.append(Paragraph(_how_to_read(findings), quiet=True))
    else:
        blocks.append(Paragraph("No requirement was judged."))
    undecided = [finding for finding in material.verdict.findings if finding.outcome is Outcome.NOT_DECIDED]
    open_ones = [finding for finding in undecided if not finding.id.endswith("].worst")]  # told as a group
    if open_ones:
        blocks.append(Paragraph("What was not decided, and what would decide it if the estimate stayed where it is:"))
        blocks.append(Points(tuple((f"{_name(finding)}:", _to_decide(finding)) for finding in open_ones)))
    blocks += waivers.waivers(material)
    if material.bars:
        blocks.append(Paragraph("What bars the release of this run:"))
        blocks.append(
            Points(tuple((f"{bar.words[:1].upper()}{bar.words[1:]}:", f"{bar.mend}.") for bar in material.bars))
        )
    if material.notes:
        blocks.append(Paragraph("Remarks of the run:"))
        blocks.append(Points(tuple(("", note) for note in material.notes)))
    return tuple(blocks)


def thresholds(material: DossierMaterial) -> tuple[Block, ...]:
    """Show the context of use and, for each threshold, its source and how far that can be trusted."""
    policy = material.policy
    columns = (
        Column("Requirement", 25.0),
        Column("Threshold", 14.0),
        Column("Source", 24.0),
        Column("How sure", 14.0),
        Column("Note", 23.0),
    )
    titles = {finding.id: finding.title for finding in material.verdict.findings}
    rows = []
    for id_, requirement in policy.requirements.items():
        style = numerals.style_of(requirement.spec.name, requirement.spec.unit)
        hazard = (f"controls hazard {requirement.hazard}",) if requirement.hazard else ()
        rows.append(
            Row(
                (
                    Cell(titles.get(id_, requirement.title or requirement.spec.title), (id_, *hazard), strong=True),
                    Cell(
                        numerals.threshold(requirement.threshold, style),
                        (numerals.threshold_end(requirement.threshold),),
                    ),
                    *_basis(requirement.basis),
                )
            )
        )
    return (Facts(_context(material)), Table("Thresholds and their sources", columns, tuple(rows)), *_remarks(policy))


def subgroups(material: DossierMaterial) -> tuple[Block, ...]:
    """Show the findings of each group of each attribute that the policy names."""
    asked = material.policy.subgroups
    if asked is None:
        return (Paragraph("The policy asks for no subgroups."),)
    weight = "can close the gate" if asked.blocking else "are advisory: they are reported and never change the verdict"
    told = (
        f"Asked for by {joined([plain_name(name) for name in asked.by])}, with at least "
        f"{numerals.counted(asked.min_cases, 'case')} a group. Subgroup findings {weight}."
    )
    findings = [finding for finding in material.verdict.findings if finding.subgroup]
    if not findings:
        return (Paragraph(told), Paragraph("No subgroup was judged: the test set has none of these attributes."))
    rows = tuple(group_rows(findings, material.gaps))
    compared = any(finding.id.endswith("].worst") for finding in findings)
    how = (Paragraph(HOW_TO_READ, quiet=True),) if compared else ()
    return (Paragraph(told), Table("Subgroups", COLUMNS, rows), *how)


def _basis(basis: Basis | None) -> tuple[Cell, Cell, Cell]:
    if basis is None:
        return Cell("none given"), Cell("the policy does not say"), Cell("")
    return Cell(basis.source), Cell(standing_of(basis)), Cell(basis.note or "")


def _requirement_rows(findings: list[Finding]) -> Iterable[Row]:
    order = 0
    for finding in findings:
        order += finding.blocking
        standing = f"no. {order}, blocking" if finding.blocking else "advisory"
        if finding.blocking and not finding.claimed:
            standing += ", not claimed"
        if finding.waived is not None:
            standing += f", waived until {finding.waived.expires}"
        first = Cell(finding.title, (finding.outcome.value, standing), strong=True)
        yield Row(_evidence(finding, first), note=f"{finding.words} {_method(finding)}")


def _evidence(finding: Finding, first: Cell) -> tuple[Cell, ...]:
    style = numerals.style_of(finding.metric, finding.unit)
    between = numerals.interval(finding)
    level = f", {numerals.confidence(finding.confidence)}" if finding.confidence is not None and between else ""
    return (
        Cell(drawing=outcome_mark(finding.outcome)),
        first,
        Cell(numerals.estimate(finding), (f"{between}{level}",) if between else ("no interval",), strong=True),
        Cell(drawing=interval_chart(finding)),
        Cell(numerals.threshold(finding.threshold, style), (numerals.threshold_end(finding.threshold),)),
        Cell(f"{finding.n:,}", (finding.n_of, numerals.counted(finding.patients, "patient"))),
    )


def _method(finding: Finding) -> str:
    return f"Method: {finding.method}."


def _how_to_read(findings: list[Finding]) -> str:
    return (
        f"{tally(findings).capitalize()}. Each interval is drawn on a scale of its own, whose ends are printed below. "
        "The upright line is the threshold; its foot and the heavier axis show the side that is demanded; the longer "
        "end of the interval is the one that must clear it. Disc: met. Cross: not met. Ring: not decided. Blocking "
        "requirements are judged in the order numbered here; which of them are claimed, the section on methods says."
    )


def _name(finding: Finding) -> str:
    group = ", ".join(f"{plain_name(name)} {value}" for name, value in finding.subgroup.items())
    return f"{finding.title}, {group}" if group else finding.title


def _to_decide(finding: Finding) -> str:
    if finding.more_cases is not None:
        what = finding.n_of.partition(" (")[0]
        return f"about {finding.more_cases:,} more {what} (now {finding.n:,})."
    reason = finding.reason.value.lower().replace("_", " ") if finding.reason else "reason not recorded"
    return f"no number of cases can be given ({reason}; now {finding.n:,} {finding.n_of})."


def _context(material: DossierMaterial) -> tuple[tuple[str, str], ...]:
    policy, context = material.policy, material.policy.context
    facts = [
        ("Policy", f"{policy.title} ({policy.id} {policy.version})"),
        ("Intended use", context.intended_use),
        ("Modality and region", f"{context.modality}, {context.body_part}"),
        ("Unit judged", f"{context.unit}; positive means {context.positive}" if context.positive else context.unit),
    ]
    if context.prevalence is not None:
        basis = context.prevalence.basis
        facts.append(("Prevalence", f"{context.prevalence.value}, {standing_of(basis)}: {basis.source}"))
    if material.policy_layers:
        facts.append(("Composed of", ", ".join(material.policy_layers)))
    changed = "changed on the command line; not the policy as filed" if material.verdict.exploratory else "as filed"
    approval = material.approval
    signed = "nobody"
    if approval is not None:  # name, time and meaning, as 21 CFR 11.50 asks
        signed = (
            f"{approval.by} ({approval.role}), {numerals.moment(approval.approved)}: {approval.meaning} "
            f"(key {approval.signer}, {approval.fingerprint})"
        )
    return (*facts, ("State", changed), ("Digest", material.verdict.digests.policy), ("Approved by", signed))


def _remarks(policy: Policy) -> tuple[Block, ...]:
    return (Points(tuple(("", note) for note in policy.notes)),) if policy.notes else ()
