"""A run's dossier signed by the engineer and by QA, and what is refused; the attacks of whoever holds the file."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from gatekeeper.countersigning import countersign
from gatekeeper.errors import Code, GatekeeperError, IntegrityError, UsageError
from gatekeeper.run_records import ATTESTATION, DOSSIER
from gatekeeper.trust import Ledger, Trust, load_keys, load_signer, own_trust
from gatekeeper.verification import verify


@pytest.fixture(scope="module")
def countersigned(finished_run: Path, home: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of one run: as the tool signed it, after the engineer, after QA as well."""
    folders = {"tool": finished_run}
    for role, before in (("engineer", "tool"), ("qa", "engineer")):
        folders[role] = Path(shutil.copytree(folders[before], tmp_path_factory.mktemp("signed") / role))
        countersign(folders[role], role, home, meaning=f"{role}: I have read all of it")
    return folders


def code_of(dossier: Path, trust: Trust) -> Code:
    with pytest.raises(GatekeeperError) as caught:
        verify(dossier, trust)
    return caught.value.problems[0].code


def test_each_signature_says_who_and_with_what_meaning(countersigned: dict[str, Path], home: Path) -> None:
    held = verify(countersigned["qa"], own_trust(home))
    assert held.signed == ("tool", "engineer", "qa")
    assert [fact.meaning for fact in held.signatures[1:]] == [
        "engineer: I have read all of it",
        "qa: I have read all of it",
    ]
    assert "the detached attestation names this very file" in held.checked
    assert any("texts of the pages" in sentence for sentence in held.checked)


def test_countersigning_only_appends(countersigned: dict[str, Path]) -> None:
    tool, engineer, qa = ((countersigned[role] / DOSSIER).read_bytes() for role in ("tool", "engineer", "qa"))
    assert engineer.startswith(tool)
    assert qa.startswith(engineer)


def test_the_attestation_is_by_whoever_signed_last(countersigned: dict[str, Path], home: Path, tmp_path: Path) -> None:
    from gatekeeper.attestation import open_attestation

    for role in ("engineer", "qa"):
        opened = open_attestation(countersigned[role] / ATTESTATION, own_trust(home))
        assert opened.fingerprint == load_signer(home, role).fingerprint
    shutil.copytree(countersigned["qa"], tmp_path / "mixed")
    shutil.copy(countersigned["engineer"] / ATTESTATION, tmp_path / "mixed" / ATTESTATION)
    assert code_of(tmp_path / "mixed", own_trust(home)) is Code.DIGEST_MISMATCH


def test_the_ledger_tells_who_signed(countersigned: dict[str, Path], home: Path) -> None:
    with Ledger(home / "ledger.sqlite") as ledger:
        assert [entry.body["role"] for entry in ledger.entries("dossier.signed")][-2:] == ["engineer", "qa"]


def test_roles_that_must_have_signed_are_asked_for(countersigned: dict[str, Path], home: Path) -> None:
    verify(countersigned["qa"], own_trust(home)).require_roles(("engineer", "qa"), "x")
    with pytest.raises(IntegrityError, match="not signed by the qa") as caught:
        verify(countersigned["engineer"], own_trust(home)).require_roles(("qa",), "x")
    assert caught.value.problems[0].code is Code.UNSIGNED


@pytest.mark.parametrize(
    ("role", "has_signed", "message"),
    [
        ("qa", "tool", "does not sign before the engineer"),
        ("engineer", "engineer", "has signed this dossier"),
        ("qa", "qa", "has signed this dossier"),
        ("tool", "tool", "nobody signs a dossier in the role"),
        ("boss", "tool", "nobody signs a dossier in the role"),
    ],
)
def test_nobody_signs_out_of_turn(
    countersigned: dict[str, Path], home: Path, tmp_path: Path, role: str, has_signed: str, message: str
) -> None:
    run = Path(shutil.copytree(countersigned[has_signed], tmp_path / "run"))
    before = (run / DOSSIER).read_bytes()
    with pytest.raises(GatekeeperError, match=message):
        countersign(run, role, home)
    assert (run / DOSSIER).read_bytes() == before


def test_a_dossier_that_does_not_hold_is_not_signed(run_copy: Path, home: Path) -> None:
    (run_copy / "policy.json").write_bytes((run_copy / "policy.json").read_bytes() + b" ")
    (run_copy / DOSSIER).write_bytes((run_copy / DOSSIER).read_bytes() + b"\n")
    with pytest.raises(IntegrityError, match="not a dossier as it was signed"):
        countersign(run_copy, "engineer", home)


def test_a_meaning_that_has_no_room_is_refused(run_copy: Path, home: Path) -> None:
    with pytest.raises(UsageError, match="cannot be signed so"):
        countersign(run_copy, "engineer", home, meaning="a word " * 400)


def test_roles_can_be_pinned_or_have_a_root_of_their_own(
    countersigned: dict[str, Path], home: Path, tmp_path: Path
) -> None:
    own, stranger = own_trust(home), load_keys(tmp_path)
    run, qa = countersigned["qa"], load_signer(home, "qa")
    assert verify(run, Trust(own.root, {}, {"qa": qa.fingerprint})).signed[-1] == "qa"
    assert code_of(run, Trust(own.root, {}, {"qa": stranger.tool.fingerprint})) is Code.UNTRUSTED_KEY
    assert code_of(run, Trust(own.root, {"qa": stranger.root})) is Code.UNTRUSTED_KEY
    assert verify(run, Trust(stranger.root, dict.fromkeys(("tool", "engineer", "qa"), own.root))).signed[-1] == "qa"


def test_pdfsig_sees_three_signatures_over_the_whole_file(countersigned: dict[str, Path]) -> None:
    if shutil.which("pdfsig") is None:
        pytest.skip("needs poppler-utils")
    told = subprocess.run(
        ["pdfsig", "-nocert", str(countersigned["qa"] / DOSSIER)], capture_output=True, text=True
    ).stdout
    assert told.count("Signature is Valid") == 3
    assert told.count("Total document signed") == 1  # the last one; the others cover what was there before
    for name in ("GatekeeperTool", "Engineer", "QA"):
        assert name in told
