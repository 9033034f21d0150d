"""Where and with what the run was made; what is attached, and how to check all of it."""

from __future__ import annotations

from gatekeeper.dossier import numerals
from gatekeeper.dossier.attachments import CYCLONEDX, Attached
from gatekeeper.dossier.blocks import Block, Cell, Column, Facts, Paragraph, Points, Row, Table
from gatekeeper.dossier.material import DossierMaterial
from gatekeeper.evidence.detached import detached_in


def environment(material: DossierMaterial, attached: tuple[Attached, ...]) -> tuple[Block, ...]:
    """Show the machine, the versions, the settings, the isolation that was achieved, and where all packages are."""
    made = material.environment
    settings = (
        f"{made.numeric_format}, batch size {made.batch_size}, {numerals.counted(made.threads, 'thread')}, "
        f"deterministic algorithms {'on' if made.deterministic else 'off'}"
    )
    facts = (
        ("gatekeeper", made.gatekeeper),
        ("Python", made.python),
        ("Platform", made.platform),
        ("Processor", f"{made.processor}, {numerals.counted(made.cores, 'core')}"),
        ("Device", f"{made.device_name} ({made.device})"),
        ("Settings", settings),
        ("Isolation of the candidate", made.isolation),
        ("Started", numerals.moment(material.verdict.run.started)),
        ("Finished", numerals.moment(material.verdict.run.finished)),
        ("Conditions planned", f"{len(material.plan.conditions):,}"),
    )
    packages = ", ".join(f"{name} {version}" for name, version in sorted(made.packages.items()))
    bill = next((item.name for item in attached if item.media_type == CYCLONEDX), None)
    all_of_them = (
        f"{numerals.counted(material.components, 'component')}: every distribution of Python that the run could "
        f"import, and the interpreter, in {bill} (CycloneDX 1.6); libraries of the operating system are not listed"
        if bill
        else "none attached"
    )
    return (Facts((*facts, ("Packages", packages or "none recorded"), ("Bill of materials", all_of_them))),)


def attachments(material: DossierMaterial, attached: tuple[Attached, ...]) -> tuple[Block, ...]:
    """List the files inside this PDF with their digests, the ledger's checkpoint, and how to verify."""
    columns = (Column("File", 24.0), Column("Size", 11.0, "right"), Column("SHA-256", 65.0))
    rows = tuple(
        Row((Cell(item.name, (item.description,), strong=True), Cell(numerals.size(len(item.data))), Cell(item.digest)))
        for item in attached
    )
    verdict, ledger = material.verdict, material.ledger
    digests = (
        ("Policy", verdict.digests.policy),
        ("Candidate", verdict.digests.candidate),
        ("Lock", verdict.digests.lock),
        ("Plan", verdict.digests.plan),
        ("Reproducible part", verdict.reproducible),
        ("Ledger checkpoint", f"entry {ledger.sequence:,}, head {ledger.head}"),
    )
    listed: Block = Table("Files attached to this PDF", columns, rows) if rows else Paragraph("No file is attached.")
    return (listed, *_beside(attached, columns), Facts(digests), Points(_how_to_verify(material.development)))


def _beside(attached: tuple[Attached, ...], columns: tuple[Column, ...]) -> tuple[Block, ...]:
    """List what is too large to be attached; nothing where all is."""
    files = detached_in({item.name: item.data for item in attached})
    if not files:
        return ()
    rows = tuple(
        Row((Cell(file.name, strong=True), Cell(numerals.size(file.size)), Cell(file.sha256))) for file in files
    )
    told = (
        "Too large to be attached, and part of this dossier all the same: keep these files, which lie in the run's "
        "folder, with this PDF. Without them it cannot be verified."
    )
    return (Paragraph(told), Table("Files that lie beside this PDF", columns, rows))


def _how_to_verify(development: bool) -> tuple[tuple[str, str], ...]:
    trust = (
        "This dossier carries a development signature: anyone could have made the key. It proves that the file is "
        "whole, not who made it."
        if development
        else "Compare the certificates that it names with those that you trust."
    )
    return (
        (
            "To verify:",
            "run “gatekeeper verify dossier.pdf”. It checks signatures and digests and computes every number and the "
            "verdict again from the evidence of this dossier, offline and without the model.",
        ),
        ("Whose word it is:", trust),
        (
            "The ledger:",
            "the record of every use of the test set. Its checkpoint is printed here so that a ledger that was "
            "shortened or rewritten later no longer fits this page.",
        ),
    )
