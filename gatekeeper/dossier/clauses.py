"""The clauses that a dossier is read against, and the pieces that each asks for.

``status`` says how far the wording of a clause was checked, in the words that policies use of a basis: ``verified`` was
read in the source, ``secondary`` in another source that quotes it, ``unverified`` is remembered. A row stands with the
weaker status of what it joins. That a piece is there says where evidence stands, not that a clause is fulfilled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gatekeeper.dossier import pieces as held
from gatekeeper.dossier.pieces import Piece


@dataclass(frozen=True)
class Clause:
    """A clause, or several of one source: ``number`` as the source has it, and what was asked for in short."""

    number: str
    asks: str
    status: Literal["verified", "secondary", "unverified"]
    pieces: tuple[Piece, ...]


# Source -> its clauses.
CLAUSES: dict[str, tuple[Clause, ...]] = {
    "FDA, AI-Enabled Device Software Functions, draft guidance of 2025-01-07": (
        Clause(
            "VIII",
            "data",
            "verified",
            (held.MANIFEST, held.COMPOSITION, held.EXPOSURES, held.OVERLAP, held.REFERENCE),
        ),
        Clause(
            "X.A, App. C",
            "performance validation",
            "verified",
            (
                held.POLICY,
                held.APPROVAL,
                held.INTERVALS,
                held.SUBGROUPS,
                held.PRECISION_STUDY,
                held.WORST_CASE,
            ),
        ),
        Clause("X", "versions: what is tested is what is released", "verified", (held.TESTED, held.RELEASED)),
        Clause("XI", "performance monitoring", "verified", (held.MONITORING, held.WATCHED)),
        Clause("XII", "bad inputs and integrity", "verified", (held.BAD_INPUTS, held.EVIDENCE, held.SIGNED_DIGESTS)),
        Clause(
            "App. E, F",
            "model card",
            "verified",
            (held.RATES, held.PREDICTIVE, held.NEEDED, held.PRECISION_STUDY, held.GAPS),
        ),
    ),
    "FDA, Predetermined Change Control Plans, final guidance of December 2024 (edition of August 2025)": (
        Clause(
            "description, protocol, impact",
            "modifications, and how they are tested",
            "secondary",
            (held.POLICY, held.APPROVAL, held.MARGINS, held.TRACES, held.CHANGES, held.COMPARISON),
        ),
    ),
    "Good Machine Learning Practice (IMDRF N88)": (
        Clause("P3", "representative data", "secondary", (held.COMPOSITION,)),
        Clause("P4", "test set independent of training", "secondary", (held.MANIFEST, held.EXPOSURES, held.OVERLAP)),
        Clause("P5", "reference standard", "secondary", (held.REFERENCE,)),
        Clause(
            "P8",
            "testing under relevant conditions",
            "secondary",
            (held.FINDINGS, held.SUBGROUPS, held.STRESS, held.BAD_INPUTS),
        ),
        Clause("P10", "monitoring", "secondary", (held.MONITORING, held.WATCHED)),
    ),
    "21 CFR part 11": (
        Clause("11.10(e)", "audit trail", "secondary", (held.LEDGER,)),
        Clause(
            "11.50(a)(b)",
            "name, time and meaning of a signature",
            "verified",
            (held.APPROVAL, held.COUNTERSIGNED),
        ),
        Clause(
            "11.70, 11.100, 11.200",
            "signatures bound to records, unique, of two components",
            "secondary",
            (held.SIGNED_DIGESTS, held.NAMED_KEY, held.TWO_COMPONENTS),
        ),
    ),
    "ISO 13485": (
        Clause(
            "7.3.6, 7.3.7, 7.3.9; 4.1.6",
            "verification, validation, changes; validation of software used",
            "unverified",
            (held.FINDINGS, held.SELF_TEST, held.CHANGES, held.VALIDATED_TOOL),
        ),
    ),
    "IEC 62304": (
        Clause(
            "5.7, 5.8, 7.3, 8.1",
            "system test, release, verification of risk control, configuration items",
            "unverified",
            (held.FINDINGS, held.TESTED, held.HAZARDS, held.SBOM, held.RELEASED),
        ),
    ),
    "ISO 14971": (
        Clause(
            "7.2, 8, 10",
            "effectiveness of risk control, residual risk, post-production",
            "unverified",
            (held.HAZARDS, held.MONITORING, held.RESIDUAL_RISK, held.WATCHED),
        ),
    ),
    "Regulation (EU) 2024/1689 (AI Act)": (
        Clause(
            "Annex IV 2(g)",
            "validation and testing: procedures, metrics, discriminatory impact, dated and signed logs",
            "verified",
            (held.METHODS, held.FINDINGS, held.SUBGROUPS, held.EVIDENCE, held.SIGNED_DIGESTS, held.COUNTERSIGNED),
        ),
        Clause(
            "Annex IV 3, 4, 6, 7, 9; Art. 12, 13, 15, 72",
            "accuracy by group, why these metrics, changes, standards, logs, post-market plan",
            "secondary",
            (held.SUBGROUPS, held.BASES, held.EVIDENCE, held.MONITORING, held.CHANGES, held.STANDARDS),
        ),
    ),
    "Regulation (EU) 2017/745 (MDR)": (
        Clause(
            "Annex II 6.1(b)",
            "software verification and validation",
            "unverified",
            (held.FINDINGS, held.ENVIRONMENT, held.SBOM),
        ),
    ),
    "45 CFR 164.514": (
        Clause("(b)(2)", "the 18 identifiers removed", "verified", (held.LET_PASS, held.AGES, held.SCREENING)),
    ),
    "DICOM PS3.15": (
        Clause("Annex E", "de-identification of the images", "verified", (held.LET_PASS, held.DEIDENTIFICATION)),
    ),
}
