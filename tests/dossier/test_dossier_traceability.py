"""The matrix: what stands behind each requirement, and what of a dossier answers each clause."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from made_up_material import POLICY, attachments, finding, main_findings, material, plan, policy, verdict

from gatekeeper.dossier import pieces as held
from gatekeeper.dossier.attachments import describe_attachments
from gatekeeper.dossier.blocks import Row, Table
from gatekeeper.dossier.clauses import CLAUSES, Clause
from gatekeeper.dossier.content import compose_content
from gatekeeper.dossier.material import DossierMaterial
from gatekeeper.dossier.pieces import Dossier, Piece
from gatekeeper.dossier.sections.traceability import traceability
from gatekeeper.evidence.detached import detach
from gatekeeper.evidence.self_test import SelfTest
from gatekeeper.policy import Policy
from gatekeeper.policy.approval import Approval
from gatekeeper.run_records import FILES, OPTIONAL, STATEMENT
from gatekeeper.suites.refusal import Refusals
from gatekeeper.suites.subgroups import Asked
from gatekeeper.testset import Manifest
from gatekeeper.verdict import Bar, ReleaseBar

ALL = tuple(clause for clauses in CLAUSES.values() for clause in clauses)
PIECES = {name: piece for name, piece in vars(held).items() if isinstance(piece, Piece)}
# How far the wording of each clause was checked, written down apart from the code.
STATUSES = {
    "VIII": "verified",
    "X.A, App. C": "verified",
    "X": "verified",
    "XI": "verified",
    "XII": "verified",
    "App. E, F": "verified",
    "description, protocol, impact": "secondary",
    "P3": "secondary",
    "P4": "secondary",
    "P5": "secondary",
    "P8": "secondary",
    "P10": "secondary",
    "11.10(e)": "secondary",
    "11.50(a)(b)": "verified",
    "11.70, 11.100, 11.200": "secondary",
    "7.3.6, 7.3.7, 7.3.9; 4.1.6": "unverified",
    "5.7, 5.8, 7.3, 8.1": "unverified",
    "7.2, 8, 10": "unverified",
    "Annex IV 2(g)": "verified",
    "Annex IV 3, 4, 6, 7, 9; Art. 12, 13, 15, 72": "secondary",
    "Annex II 6.1(b)": "unverified",
    "(b)(2)": "verified",
    "Annex E": "verified",
}
SIGNED = Approval(
    policy_id="x",
    policy_version="1.0.0",
    by="Dr Ada Example",
    role="qa",
    meaning="approved for release checks",
    approved="2026-11-20T08:00:00Z",
    digest="sha256:" + "1" * 64,
    signer="Made-up QA",
    fingerprint="sha256:" + "2" * 64,
    development=False,
)


def tables(made: DossierMaterial, files: dict[str, bytes] | None = None) -> tuple[Table, Table]:
    attached = describe_attachments(attachments() if files is None else files)
    first, second = [block for block in traceability(made, attached) if isinstance(block, Table)]
    return first, second


def text(row: Row) -> str:
    return " | ".join(part for cell in row.cells for part in (cell.text, *cell.below))


def row_of(table: Table, start: str) -> Row:
    return next(row for row in table.rows if row.cells and row.cells[0].text == start)


def asked(**changed: object) -> Policy:
    return Policy.model_validate_json(json.dumps({**POLICY, **changed}))


def test_each_requirement_has_outcome_conditions_n_attachment_hazard_and_source() -> None:
    table, _ = tables(material())
    assert len(table.rows) == len(POLICY["requirements"])  # type: ignore[arg-type]
    assert text(row_of(table, "Sensitivity")) == (
        "Sensitivity | sensitivity | met | blocking | baseline | 188 positive cases, 176 patients | cases.parquet | "
        "H-01 | 510(k) practice for triage | secondary"
    )
    breaking = text(row_of(table, "Breaking point: sensitivity, contour dilation"))
    assert "baseline, contour_dilation.1 to contour_dilation.5 (6 conditions)" in breaking
    assert "| – | this project | project choice" in breaking
    assert "reading-room survey, made up | unverified" in text(row_of(table, "Time to answer, p95"))


def test_the_conditions_named_are_those_of_the_plan() -> None:
    planned = {condition.id for condition in plan().conditions} | {"latency"}
    table, _ = tables(material())
    for row in table.rows:
        first = row.cells[2].text.partition(",")[0]
        assert first in planned


def test_a_requirement_says_which_clause_it_serves_and_that_it_was_not_judged() -> None:
    requirements = json.loads(json.dumps(POLICY["requirements"]))
    requirements["sensitivity"]["clause"] = "IEC 62304 5.7.1"
    made = material(policy=asked(requirements=requirements), verdict=verdict(main_findings()[1:]))
    row = text(next(row for row in tables(made)[0].rows if "serves" in text(row)))
    assert "serves IEC 62304 5.7.1 | not judged | baseline | H-01" in row


def test_every_clause_of_the_table_stands_with_the_status_of_its_wording() -> None:
    assert {clause.number: clause.status for clause in ALL} == STATUSES
    _, table = tables(material())
    for number, status in STATUSES.items():
        cell = row_of(table, number).cells[1]
        assert (cell.text, cell.strong) == (status, status == "unverified")
    assert [row.group for row in table.rows if row.group] == list(CLAUSES)


def test_the_words_of_each_status_are_explained_and_nothing_is_claimed_to_be_fulfilled() -> None:
    blocks = traceability(material(), describe_attachments(attachments()))
    said = " ".join(block.text for block in blocks if not isinstance(block, Table))  # type: ignore[union-attr]
    assert "It does not say that a clause is fulfilled" in said
    assert "unverified: remembered, and not checked against a source" in said


@pytest.mark.parametrize("clause", ALL, ids=lambda clause: clause.number)
def test_every_piece_that_a_clause_asks_for_stands_on_one_side_or_the_other(clause: Clause) -> None:
    _, table = tables(material())
    row = row_of(table, clause.number)
    there, missing = row.cells[2], row.cells[3]
    assert len(there.below) + len(missing.below) == len(clause.pieces)
    assert (there.text == "not in this dossier") is (not there.below)
    assert (missing.text == "–") is (not missing.below)


@pytest.mark.parametrize("piece", PIECES.values(), ids=PIECES)
def test_a_piece_names_sections_and_attachments_that_a_dossier_has(piece: Piece) -> None:
    titles = {section.title for section in compose_content(material(), ()).sections}
    assert piece.section in titles | {""}
    assert set(piece.files) <= {*FILES, *OPTIONAL, STATEMENT}
    assert any(piece in clause.pieces for clause in ALL)


BARE = material(
    verdict=verdict(()),
    policy=asked(
        requirements={"x": {"metric": "sensitivity", "lower_limit": {"at_least": 0.8}}},
        order=["x"],
        robustness={},
        subgroups=None,
        failure_costs={"refusal": "negative"},
    ),
    manifest=Manifest.of("bare", tuple(replace(case, attributes={}) for case in material().manifest.cases)),
    ladders=(),
    repeatability=None,
    roc=None,
)


def test_a_dossier_that_holds_nothing_says_so_of_every_clause_but_of_what_it_cannot_lack() -> None:
    bare = replace(BARE, environment=BARE.environment.model_copy(update={"packages": {}}))
    dossier = Dossier(bare, frozenset())
    present = {name for name, piece in PIECES.items() if piece.there(dossier)}
    assert present == {"MANIFEST", "EXPOSURES", "LEDGER", "TESTED"}


_MARGINS = {"not_inferior": {"sensitivity": {"margin": "5 %"}}}
_DECLINED = (Refusals("blank", 9, 9, 0, 0, 0.3),)
_NOT_TRIED = (Refusals("blank", 0, 0, 0, 0, None),)
_LATE = (ReleaseBar(Bar.APPROVAL_LATER_THAN_RUN, "late", "approve before"),)
_ATTACHED = frozenset({*FILES, *OPTIONAL, STATEMENT})


@pytest.mark.parametrize(
    ("name", "without", "having"),
    [
        ("SUBGROUPS", {"verdict": verdict(main_findings())}, {}),
        ("MONITORING", {}, {"policy": asked(monitoring={"window_cases": 500})}),
        ("MARGINS", {}, {"policy": asked(champion=_MARGINS)}),
        ("STRESS", {"ladders": ()}, {}),
        ("PRECISION_STUDY", {"repeatability": None}, {}),
        ("WORST_CASE", {"policy": asked(failure_costs={"refusal": "positive"})}, {}),
        ("BAD_INPUTS", {"refusals": _NOT_TRIED}, {"refusals": _DECLINED}),
        ("APPROVAL", {}, {"approval": SIGNED}),
        ("APPROVAL", {"approval": SIGNED, "bars": _LATE}, {"approval": SIGNED}),
        ("POLICY", {"verdict": verdict(main_findings(), exploratory=True)}, {}),
        ("NAMED_KEY", {"development": True}, {"development": False}),
        ("SELF_TEST", {"self_test": None}, {"self_test": SelfTest.model_construct()}),
        ("PREDICTIVE", {}, {"verdict": verdict((*main_findings(), finding("npv", metric="npv")))}),
        ("NEEDED", {}, {"verdict": verdict((finding("n", metric="number_needed_to_predict"),))}),
        ("RATES", {"verdict": verdict(main_findings()[1:])}, {}),
        ("INTERVALS", {"verdict": verdict((finding("x", interval=None),))}, {}),
        ("GAPS", {}, {"gaps": (Asked.__new__(Asked),)}),
        ("AGES", {}, {"manifest": material().manifest.model_copy(update={"composition": {"age": {"90+": 5}}})}),
        ("TESTED", {"candidate": material().candidate.model_copy(update={"digest": "sha256:" + "0" * 64})}, {}),
    ],
)  # fmt: skip
def test_whether_a_piece_is_there_follows_the_material(
    name: str, without: dict[str, object], having: dict[str, object]
) -> None:
    assert PIECES[name].there(Dossier(material(**having), _ATTACHED))
    assert not PIECES[name].there(Dossier(material(**without), _ATTACHED))


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("SBOM", "sbom.cdx.json"),
        ("SIGNED_DIGESTS", "statement.dsse.json"),
        ("EVIDENCE", "cases.parquet"),
        ("POLICY", "policy.json"),
    ],
)
def test_whether_a_piece_is_there_follows_the_attachments(name: str, file: str) -> None:
    made = material()
    assert PIECES[name].there(Dossier(made, frozenset({file})))
    assert not PIECES[name].there(Dossier(made, frozenset()))


def test_hazards_are_those_of_the_policy() -> None:
    requirements = {name: {**item, "hazard": None} for name, item in POLICY["requirements"].items()}  # type: ignore[attr-defined]
    dossier = Dossier(material(policy=asked(requirements=requirements)), _ATTACHED)
    assert not held.HAZARDS.there(dossier)
    assert held.HAZARDS.there(Dossier(material(policy=policy()), _ATTACHED))


def test_evidence_beside_the_pdf_is_told_to_be_there() -> None:
    files = attachments()
    large = detach({"cases.parquet": files.pop("cases.parquet")}, largest=0)
    assert large is not None
    first, second = tables(material(), {**files, "detached.json": large})
    assert "cases.parquet (beside this PDF)" in text(first.rows[0])
    assert "a row for each case, condition and repeat: cases.parquet (beside this PDF)" in text(row_of(second, "XII"))
