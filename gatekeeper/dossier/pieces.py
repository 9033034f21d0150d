"""The pieces that a clause may ask for: each with where it stands in a dossier, and how to tell that it is there.

Nothing here is taken for granted: whether a thing is in a dossier is computed from its material and attachments.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gatekeeper.dossier.material import DossierMaterial
from gatekeeper.evidence import Finding
from gatekeeper.verdict import Bar

_UNAPPROVED = (Bar.APPROVAL_MISSING, Bar.APPROVAL_NOT_TRUSTED, Bar.APPROVAL_MISMATCH, Bar.APPROVAL_LATER_THAN_RUN)
_RATES = ("sensitivity", "specificity")
_PREDICTIVE = ("precision", "npv")


@dataclass(frozen=True)
class Dossier:
    """A dossier as a clause asks after it: its material, and the names of the files attached, or beside it."""

    material: DossierMaterial
    attached: frozenset[str]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings of its verdict."""
        return self.material.verdict.findings


@dataclass(frozen=True)
class Piece:
    """Something that a dossier may hold: ``section`` shows it (its title), ``files`` have it as data.

    ``there`` says of a dossier whether it holds it. What none holds has neither section nor files.
    """

    what: str
    section: str = ""
    files: tuple[str, ...] = ()
    there: Callable[[Dossier], bool] = lambda dossier: False


def _approved(dossier: Dossier) -> bool:
    made = dossier.material
    return made.approval is not None and not any(bar.reason in _UNAPPROVED for bar in made.bars)


def _with_interval(dossier: Dossier, metrics: tuple[str, ...]) -> bool:
    return set(metrics) <= {found.metric for found in dossier.findings if found.interval and not found.subgroup}


MANIFEST = Piece(
    "every case with patient, label and digest of its files",
    "Test set",
    ("testset.json",),
    lambda dossier: bool(dossier.material.manifest.cases),
)
COMPOSITION = Piece(
    "composition of the test set by attribute",
    "Test set",
    ("testset.json",),
    lambda dossier: any(case.attributes for case in dossier.material.manifest.cases),
)
AGES = Piece(
    "ages by decade, from 90 on in one band",
    "Test set",
    ("testset.json",),
    lambda dossier: "age" in dossier.material.manifest.composition,
)
LET_PASS = Piece(
    "identifiers that screening let pass, each with its reason",
    "Test set",
    ("testset.json",),
    lambda dossier: bool(dossier.material.manifest.allowed),
)
EXPOSURES = Piece(
    "how often the test set was used",
    "Test set",
    there=lambda dossier: dossier.material.ledger.exposures > 0,
)
LEDGER = Piece(
    "size and head of the chained log of uses",
    "Attachments and verification",
    ("statement.dsse.json",),
    lambda dossier: bool(dossier.material.ledger.head),
)
POLICY = Piece(
    "requirements, thresholds and order, as they were applied",
    "Where the thresholds come from",
    ("policy.json",),
    lambda dossier: "policy.json" in dossier.attached and not dossier.material.verdict.exploratory,
)
APPROVAL = Piece(
    "approval of the policy before the run, with name, time and meaning",
    "Where the thresholds come from",
    ("approval.dsse.json",),
    _approved,
)
BASES = Piece(
    "source of thresholds, each with how sure it is",
    "Where the thresholds come from",
    ("policy.json",),
    lambda dossier: any(item.basis is not None for item in dossier.material.policy.requirements.values()),
)
FINDINGS = Piece(
    "outcome of each requirement, with n",
    "Requirements",
    ("verdict.json",),
    lambda dossier: bool(dossier.findings),
)
INTERVALS = Piece(
    "estimates with their intervals",
    "Requirements",
    ("verdict.json",),
    lambda dossier: any(found.interval is not None for found in dossier.findings),
)
RATES = Piece(
    "sensitivity and specificity with intervals",
    "Requirements",
    ("verdict.json",),
    lambda dossier: _with_interval(dossier, _RATES),
)
PREDICTIVE = Piece(
    "positive and negative predictive value with intervals",
    "Requirements",
    ("verdict.json",),
    lambda dossier: _with_interval(dossier, _PREDICTIVE),
)
NEEDED = Piece(
    "number needed to predict",
    "Requirements",
    ("verdict.json",),
    lambda dossier: any(found.metric == "number_needed_to_predict" for found in dossier.findings),
)
EVIDENCE = Piece(
    "a row for each case, condition and repeat",
    files=("cases.parquet",),
    there=lambda dossier: "cases.parquet" in dossier.attached,
)
SUBGROUPS = Piece(
    "findings by subgroup",
    "Subgroups",
    ("verdict.json",),
    lambda dossier: any(found.subgroup for found in dossier.findings),
)
GAPS = Piece(
    "gap between the best and the worst group",
    "Subgroups",
    there=lambda dossier: bool(dossier.material.gaps),
)
PRECISION_STUDY = Piece(
    "how much answers move when cases are run again",
    "Repeatability",
    ("cases.parquet",),
    lambda dossier: bool(dossier.material.levels) or dossier.material.repeatability is not None,
)
STRESS = Piece(
    "how performance falls along ladders of perturbations",
    "Robustness",
    ("cases.parquet",),
    lambda dossier: bool(dossier.material.ladders),
)
WORST_CASE = Piece(
    "every case without an answer counted as wrong",
    "Cases without an answer",
    ("cases.parquet",),
    lambda dossier: set(dossier.material.policy.failure_costs.by_outcome.values()) == {"wrong"},
)
BAD_INPUTS = Piece(
    "what was done with unusable inputs",
    "Refusals",
    ("cases.parquet",),
    lambda dossier: any(kind.tries for kind in dossier.material.refusals),
)
SELF_TEST = Piece(
    "defects planted in the evidence, and which of them the gate sees",
    "What this gate can see",
    ("self_test.json",),
    lambda dossier: dossier.material.self_test is not None,
)
TESTED = Piece(
    "digest of the candidate that was tested",
    "Candidate",
    ("candidate.json",),
    lambda dossier: dossier.material.candidate.digest == dossier.material.verdict.digests.candidate,
)
METHODS = Piece(
    "definitions and interval methods",
    "Methods",
    there=lambda dossier: bool(dossier.findings),
)
ENVIRONMENT = Piece(
    "machine, versions and settings of the run",
    "Environment",
    ("environment.json",),
    lambda dossier: bool(dossier.material.environment.packages),
)
SBOM = Piece(
    "software bill of materials of the run's environment",
    "Environment",
    ("sbom.cdx.json",),
    lambda dossier: "sbom.cdx.json" in dossier.attached,
)
SIGNED_DIGESTS = Piece(
    "signed statement on the digests of all records",
    "Attachments and verification",
    ("statement.dsse.json",),
    lambda dossier: "statement.dsse.json" in dossier.attached,
)
NAMED_KEY = Piece(
    "a signing key that an organisation vouches for",
    "Attachments and verification",
    ("statement.dsse.json",),
    lambda dossier: "statement.dsse.json" in dossier.attached and not dossier.material.development,
)
HAZARDS = Piece(
    "outcome of the requirements that control a hazard",
    "Traceability",
    ("policy.json", "verdict.json"),
    lambda dossier: any(item.hazard for item in dossier.material.policy.requirements.values()),
)
MARGINS = Piece(
    "margins of non-inferiority to the released model",
    files=("policy.json",),
    there=lambda dossier: dossier.material.policy.champion is not None,
)
MONITORING = Piece(
    "what is to be watched after release",
    files=("policy.json",),
    there=lambda dossier: dossier.material.policy.monitoring is not None,
)
TRACES = Piece(
    "requirements with their evidence and sources",
    "Traceability",
    there=lambda dossier: bool(dossier.findings),
)

# What is kept or done elsewhere; a page that is signed after it was made cannot show the signatures on itself either.
OVERLAP = Piece("check of the test set against training data")
SCREENING = Piece("report of the scan for identifiers and burned-in text")
RELEASED = Piece("comparison of this digest with the one released")
CHANGES = Piece("description of what changed since the last version")
COMPARISON = Piece("comparison with the released model on the same cases")
WATCHED = Piece("results of monitoring after release")
COUNTERSIGNED = Piece("signatures of engineer and quality assurance, which are added to page one later")
TWO_COMPONENTS = Piece("two components of identification, which whoever holds the keys sees to")
VALIDATED_TOOL = Piece("validation of this tool for its use in a quality system")
RESIDUAL_RISK = Piece("judgement of the residual risk")
STANDARDS = Piece("list of the standards that were applied")
DEIDENTIFICATION = Piece("de-identification method codes of the images (0012,0064): 113100, 113101, 113102")
REFERENCE = Piece("how the reference standard was made")
