"""Which evidence stands behind each requirement, and what of this dossier answers each clause."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gatekeeper.dossier import numerals
from gatekeeper.dossier.attachments import Attached
from gatekeeper.dossier.blocks import Block, Cell, Column, Heading, Paragraph, Row, Table
from gatekeeper.dossier.clauses import CLAUSES, Clause
from gatekeeper.dossier.material import DossierMaterial
from gatekeeper.dossier.pieces import Dossier, Piece
from gatekeeper.dossier.wording import joined
from gatekeeper.evidence import Finding
from gatekeeper.evidence.detached import detached_in
from gatekeeper.policy.schema import Requirement
from gatekeeper.policy.titles import STATUS, title_of
from gatekeeper.suites.measured_from import measured_from

_HONEST = "This matrix says where evidence stands. It does not say that a clause is fulfilled: people judge that."
_EVIDENCE = "cases.parquet"
_MOST_CONDITIONS = 3
_NOTHING = "not in this dossier"


def traceability(material: DossierMaterial, attached: tuple[Attached, ...]) -> tuple[Block, ...]:
    """Show requirements with their evidence, then clauses with what answers them here."""
    beside = {file.name for file in detached_in({item.name: item.data for item in attached})}
    dossier = Dossier(material, frozenset({item.name for item in attached} | beside))
    return (
        Paragraph(_HONEST),
        Heading("By requirement"),
        Table("Requirements, evidence and sources", _BY_REQUIREMENT, tuple(_requirements(dossier, beside))),
        Heading("By clause"),
        Table("Clauses and what answers them", _BY_CLAUSE, tuple(_clauses(dossier, beside))),
        Paragraph(_how_to_read(), quiet=True),
    )


_BY_REQUIREMENT = (
    Column("Requirement", 24.0),
    Column("Outcome", 12.0),
    Column("Evidence", 28.0),
    Column("Hazard", 9.0),
    Column("Source of the threshold", 27.0),
)
_BY_CLAUSE = (
    Column("Clause", 23.0),
    Column("Wording", 10.0),
    Column("In this dossier", 41.0),
    Column("Not in this dossier", 26.0),
)


def _requirements(dossier: Dossier, beside: set[str]) -> Iterator[Row]:
    policy = dossier.material.policy
    found = {finding.id: finding for finding in dossier.findings}
    for id_, requirement in policy.requirements.items():
        finding = found.get(id_)
        title = finding.title if finding else title_of(requirement, policy)
        serves = (f"serves {requirement.clause}",) if requirement.clause else ()
        outcome = Cell(finding.outcome.value, _weight(finding)) if finding else Cell("not judged")
        named = measured_from(requirement, policy)
        below = (_counted(finding), _named_files((_EVIDENCE,), dossier, beside)) if finding else ()
        yield Row(
            (
                Cell(title, (id_, *serves), strong=True),
                outcome,
                Cell(_conditions(named), tuple(line for line in below if line)),
                Cell(requirement.hazard or "–"),
                _source(requirement),
            )
        )


def _weight(finding: Finding) -> tuple[str, ...]:
    weight = "blocking" if finding.blocking else "advisory"
    return (weight, f"waived until {finding.waived.expires}") if finding.waived else (weight,)


def _counted(finding: Finding) -> str:
    return f"{finding.n:,} {finding.n_of}, {numerals.counted(finding.patients, 'patient')}"


def _conditions(ids: Sequence[str]) -> str:
    """Name conditions: all of a few, else the first and the last with how many there are."""
    if len(ids) <= _MOST_CONDITIONS:
        return ", ".join(ids)
    return f"{ids[0]}, {ids[1]} to {ids[-1]} ({len(ids):,} conditions)"


def _source(requirement: Requirement) -> Cell:
    basis = requirement.basis
    return Cell(basis.source, (basis.status.replace("_", " "),)) if basis else Cell("none given")


def _clauses(dossier: Dossier, beside: set[str]) -> Iterator[Row]:
    for source, clauses in CLAUSES.items():
        yield Row(group=source)
        for clause in clauses:
            yield Row(tuple(_clause(clause, dossier, beside)))


def _clause(clause: Clause, dossier: Dossier, beside: set[str]) -> Iterator[Cell]:
    there = [piece for piece in clause.pieces if piece.there(dossier)]
    missing = [piece.what for piece in clause.pieces if piece not in there]
    yield Cell(clause.number, (clause.asks,), strong=True)
    yield Cell(clause.status, strong=clause.status == "unverified")
    yield Cell("" if there else _NOTHING, tuple(f"· {_place(piece, dossier, beside)}" for piece in there))
    yield Cell("" if missing else "–", tuple(f"· {what}" for what in missing))


def _place(piece: Piece, dossier: Dossier, beside: set[str]) -> str:
    places = [f"“{piece.section}”"] if piece.section else []
    files = _named_files(piece.files, dossier, beside)
    return f"{piece.what}: {joined([*places, *([files] if files else [])])}"


def _named_files(files: Sequence[str], dossier: Dossier, beside: set[str]) -> str:
    here = [name for name in files if name in dossier.attached]
    return ", ".join(f"{name} (beside this PDF)" if name in beside else name for name in here)


def _how_to_read() -> str:
    told = "; ".join(f"{status.replace('_', ' ')}: {words}" for status, words in STATUS.items())
    return (
        "Titles in quotation marks are sections, other names are files attached. The wording of a clause and the "
        f"source of a threshold bear how sure they are ({told}). What is not in this dossier may be kept elsewhere."
    )
