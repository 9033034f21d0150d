"""What whoever holds the file, or even the tool's key, may try; each is refused, and for the right reason.

The attacks on signatures and revisions alone are in ``trust/test_pdf_verification.py``. Here somebody has the key of
the tool and signs a whole dossier again that does not say what its evidence gives.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gatekeeper.attestation import Standing, attest, state
from gatekeeper.dossier import DossierMaterial, LedgerFact, render_dossier
from gatekeeper.errors import Code, IntegrityError
from gatekeeper.evidence import VerdictWord
from gatekeeper.gate import material_of
from gatekeeper.run_records import ATTESTATION, DOSSIER, EVIDENCE, STATEMENT, RunRecords, read_records
from gatekeeper.trust import KeyRing, Stamp, load_keys, sign_pdf
from gatekeeper.verification import Verification, verify


@dataclass(frozen=True)
class Insider:
    """Somebody with the tool's key, and a dossier that holds."""

    keys: KeyRing
    held: Verification

    def material(self, records: RunRecords | None = None) -> DossierMaterial:
        ledger, standing = self.held.standing.ledger, self.held.standing
        return material_of(
            records or self.held.records,
            LedgerFact(ledger.size, ledger.head, ledger.exposures),
            (),
            self.held.approval,
            standing.bars,
            development=standing.development,
        )

    def make(
        self,
        folder: Path,
        *,
        files: dict[str, bytes] | None = None,
        material: DossierMaterial | None = None,
        standing: Standing | None = None,
    ) -> Path:
        """Write a dossier with its attestation, every signature in order; return the PDF."""
        every = {**self.held.files, **(files or {})}
        records = read_records(every, "forged")
        told = standing or self.held.standing
        inner = state(records, every, self.keys.tool, told)
        rendered = render_dossier(material or self.material(), {**every, STATEMENT: inner})
        stamp, now = Stamp("made by gatekeeper", rendered.boxes), datetime.now(UTC).replace(microsecond=0)
        pdf = sign_pdf(rendered.pdf, self.keys.tool, self.keys.root, stamp=stamp, signing_time=now)
        (folder / DOSSIER).write_bytes(pdf)
        (folder / ATTESTATION).write_bytes(attest(pdf, records, every, self.keys.tool, told))
        return folder / DOSSIER

    def refused(self, pdf: Path) -> tuple[Code, str]:
        with pytest.raises(IntegrityError) as caught:
            verify(pdf, self.keys.trust)
        problem = caught.value.problems[0]
        return problem.code, f"{problem.what} {problem.why}"


@pytest.fixture(scope="module")
def insider(finished_run: Path, home: Path) -> Insider:
    keys = load_keys(home)
    return Insider(keys, verify(finished_run, keys.trust))


def test_the_same_dossier_signed_again_holds(insider: Insider, tmp_path: Path) -> None:
    assert verify(insider.make(tmp_path), insider.keys.trust).verdict == insider.held.verdict


def test_other_evidence_under_the_same_verdict(insider: Insider, tmp_path: Path) -> None:
    evidence = insider.held.records.evidence
    scores = evidence.table.column("score").to_pylist()
    at = evidence.table.schema.get_field_index("score")
    other = evidence.table.set_column(at, evidence.table.schema.field("score"), [scores[::-1]])
    replace(evidence, table=other).write(tmp_path / EVIDENCE)
    files = {EVIDENCE: (tmp_path / EVIDENCE).read_bytes()}
    code, _ = insider.refused(insider.make(tmp_path, files=files))
    assert code is Code.NOT_RECOMPUTED


def test_a_milder_threshold_in_the_attached_policy(insider: Insider, tmp_path: Path) -> None:
    policy = json.loads(insider.held.files["policy.json"])
    limit = policy["requirements"]["sensitivity"]["lower_limit"]
    assert limit["at_least"] == "30 %"
    limit["at_least"] = "1 %"
    code, _ = insider.refused(insider.make(tmp_path, files={"policy.json": json.dumps(policy).encode()}))
    assert code is Code.NOT_RECOMPUTED


def other_word(material: DossierMaterial) -> DossierMaterial:
    verdict = material.verdict
    word = VerdictWord.FAIL if verdict.verdict is VerdictWord.PASS else VerdictWord.PASS
    return replace(material, verdict=verdict.model_copy(update={"verdict": word}))


def other_words(material: DossierMaterial) -> DossierMaterial:
    return replace(material, verdict=material.verdict.model_copy(update={"words": "All is well."}))


def other_number(material: DossierMaterial) -> DossierMaterial:
    first, *others = material.verdict.findings
    better = first.model_copy(update={"estimate": 0.999})
    return replace(material, verdict=material.verdict.model_copy(update={"findings": (better, *others)}))


def fewer_requirements(material: DossierMaterial) -> DossierMaterial:
    return replace(material, verdict=material.verdict.model_copy(update={"findings": material.verdict.findings[1:]}))


def another_candidate(material: DossierMaterial) -> DossierMaterial:
    return replace(material, verdict=material.verdict.model_copy(update={"candidate": "another model"}))


def for_release(material: DossierMaterial) -> DossierMaterial:
    return replace(material, development=False, bars=())


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (other_word, "page 1"),
        (other_words, "page 1"),
        (other_number, "the sections on requirements"),
        (fewer_requirements, "page 1"),
        (another_candidate, "page 1"),
        (for_release, "the footer of page 1"),
    ],
)
def test_pages_that_say_something_else_over_evidence_that_is_true(
    insider: Insider, tmp_path: Path, change: Callable[[DossierMaterial], DossierMaterial], place: str
) -> None:
    code, words = insider.refused(insider.make(tmp_path, material=change(insider.material())))
    assert code is Code.NOT_RECOMPUTED
    assert words.startswith(place)


def test_a_standing_that_the_records_do_not_give(insider: Insider, tmp_path: Path) -> None:
    code, words = insider.refused(insider.make(tmp_path, standing=replace(insider.held.standing, development=False)))
    assert code is Code.NOT_RECOMPUTED
    assert "development" in words


def test_text_drawn_over_page_one(insider: Insider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gatekeeper.dossier import pdf as printing

    def with_more(html: str, *rest: object) -> bytes:
        return real(html.replace('<div class="sign">', "<p>Approved for clinical use.</p><div class=sign>", 1), *rest)  # type: ignore[arg-type]

    real = printing.print_html
    monkeypatch.setattr(printing, "print_html", with_more)
    code, words = insider.refused(insider.make(tmp_path))
    assert (code, words.startswith("page 1")) == (Code.NOT_RECOMPUTED, True)
