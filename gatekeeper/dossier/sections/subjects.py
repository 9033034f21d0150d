"""Sections 9 and 10: the test set, the candidate."""

from __future__ import annotations

from collections.abc import Sequence

from gatekeeper.dossier import numerals
from gatekeeper.dossier.blocks import Block, Cell, Column, Facts, Paragraph, Points, Row, Table
from gatekeeper.dossier.material import DossierMaterial
from gatekeeper.dossier.sections.contracts import contract_in_words
from gatekeeper.dossier.wording import plain_name
from gatekeeper.testset import LockedCase, Manifest
from gatekeeper.testset.summary import header_rows

_MOST_VALUES = 12


def testset(material: DossierMaterial) -> tuple[Block, ...]:
    """Show what the locked test set is made of, and how often it has been used."""
    manifest = material.manifest
    cases = manifest.cases
    repeats = sum(case.case_id != case.subject for case in cases)
    facts = (
        ("Name", manifest.name),
        ("Lock", material.verdict.digests.lock),
        ("Merkle root", manifest.root),
        ("Cases", f"{len(cases):,}, of which {repeats:,} repeat another case of the same subject"),
        ("Files", f"{manifest.files:,}"),
        (
            "Used",
            f"{numerals.counted(material.ledger.exposures, 'time')} for a candidate under a policy, this one included",
        ),
    )
    positive = "With a mask" if manifest.task == "segmentation" else "Positive"
    columns = (
        Column("", 36.0),
        *(Column(name, 16.0, "right") for name in ("Cases", "Subjects", "Patients", positive)),
    )
    rows = [_composition("All", cases)]
    for attribute in dict.fromkeys(name for case in cases for name in case.attributes):
        rows += [Row(group=plain_name(attribute)), *_groups(attribute, cases)]
    return (
        Facts(facts),
        Table("Composition of the test set", columns, tuple(rows)),
        *_headers(manifest),
        *_allowed(manifest),
        Paragraph(
            "The lock binds each case's patient, label, attributes and file bytes; patients are named by a keyed hash. "
            "Every use of a set teaches something about it, so uses are counted.",
            quiet=True,
        ),
    )


def _headers(manifest: Manifest) -> tuple[Block, ...]:
    """Show what the headers of the images said, in patients."""
    rows: list[Row] = []
    told = ""
    for name, value, count in header_rows(manifest):
        if name != told:
            rows.append(Row(group=plain_name(name)))
            told = name
        rows.append(Row((Cell(value), Cell(count))))
    if not rows:
        return ()
    columns = (Column("", 60.0), Column("Patients", 40.0, "right"))
    return (
        Paragraph("What the headers of the images said when the set was locked, in patients:"),
        Table("What the headers of its images say", columns, tuple(rows), narrow=True),
    )


def _allowed(manifest: Manifest) -> tuple[Block, ...]:
    """Show which identifiers were let pass by screening, and why."""
    if not manifest.allowed:
        return ()
    return (
        Paragraph("Screening for identifiers (PS3.15 Annex E, 45 CFR 164.514) let pass, each with its reason:"),
        Points(tuple((f"{allowed.where}:", allowed.because) for allowed in manifest.allowed)),
    )


def _groups(attribute: str, cases: Sequence[LockedCase]) -> list[Row]:
    groups: dict[str, list[LockedCase]] = {}
    for case in cases:
        groups.setdefault(case.attributes.get(attribute, "not given"), []).append(case)
    ordered = sorted(groups, key=lambda value: (-len(groups[value]), value))
    shown = sorted(ordered[:_MOST_VALUES])
    rows = [_composition(value, groups[value]) for value in shown]
    rest = ordered[_MOST_VALUES:]
    if rest:
        others = [case for value in rest for case in groups[value]]
        rows.append(_composition(f"{len(rest):,} rarer values", others))
    return rows


def _composition(name: str, cases: Sequence[LockedCase]) -> Row:
    positive = sum(case.label == 1 for case in cases)
    share = f"{positive:,} ({numerals.number(positive / len(cases), numerals.Style.PERCENT)})"
    counts = (len(cases), len({case.subject for case in cases}), len({case.patient for case in cases}))
    return Row((Cell(name), *(Cell(f"{count:,}") for count in counts), Cell(share)))


def candidate(material: DossierMaterial) -> tuple[Block, ...]:
    """Show what the candidate declares about itself, and the digests of its files."""
    record = material.candidate
    facts = (
        ("Name", record.name),
        ("Description", record.contract.description),
        ("Digest", record.digest),
        *contract_in_words(record),
        ("Isolation", material.environment.isolation),
    )
    if not record.files:
        return (Facts(facts), Paragraph("The candidate has no files of its own."))
    table = Table(
        "Files of the candidate",
        (Column("File", 34.0), Column("Digest", 66.0)),
        tuple(Row((Cell(name), Cell(digest))) for name, digest in sorted(record.files.items())),
    )
    return (Facts(facts), table)
