from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_keys import make_release_keys

from gatekeeper.canonical import canonical_json
from gatekeeper.errors import Code, GatekeeperError, IntegrityError, UsageError
from gatekeeper.policy import Policy, load_policy
from gatekeeper.policy.approval import (
    APPROVAL_TYPE,
    FoundApproval,
    approve,
    find_approval,
    open_approval,
    sign_approval,
)
from gatekeeper.trust import (
    PAYLOAD_TYPE,
    PREDICATE_TYPE,
    Ledger,
    Signer,
    load_keys,
    load_signer,
    parse_statement,
    sign_envelope,
    statement,
)

AT = datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC)
WRITTEN = "2026-05-06T07:08:09Z"
BY, MEANING = "Dr Ada Example", "approved for release checks"


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policy("neuro/ich_triage").policy


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    make_release_keys(home, {"qa": "qa", "engineer": "engineer", "intern": "intern"}, AT)
    return home


def approved(home: Path, policy: Policy, at: datetime = AT) -> Path:
    return approve(policy, BY, "qa", MEANING, home, at)[1]


def found(home: Path, policy: Policy, started: str, *, given: Path | None = None) -> FoundApproval:
    return find_approval(policy, started, load_keys(home).trust, home, home / "none.yaml", given)


def test_an_approval_says_who_when_in_which_role_and_what_it_means(home: Path, policy: Policy) -> None:
    approval, file = approve(policy, BY, "qa", MEANING, home, AT)
    read = open_approval(file, load_keys(home).trust)
    assert read == approval
    assert (read.digest, read.policy_id, read.policy_version) == (policy.digest, "neuro.ich_triage", "1.0.0")
    assert (read.by, read.role, read.meaning, read.approved) == (BY, "qa", MEANING, WRITTEN)
    assert (read.signer, read.development) == ("Made-up Imaging qa", False)


def test_an_approval_is_an_in_toto_statement_over_the_digest_of_the_policy(home: Path, policy: Policy) -> None:
    envelope = json.loads(approved(home, policy).read_bytes())
    payload = base64.b64decode(envelope["payload"])
    told = parse_statement(payload, where="x", predicate_type=APPROVAL_TYPE)
    assert told.subjects == {"policy.json": policy.digest}
    assert envelope["payloadType"] == PAYLOAD_TYPE


def test_the_ledger_has_a_line_for_each_approval(tmp_path: Path, policy: Policy) -> None:
    make_release_keys(tmp_path, {"engineer": "engineer"}, AT)
    approve(policy, BY, "engineer", MEANING, tmp_path, AT, tmp_path / "deep" / "a.approval.json")
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        (entry,) = ledger.entries("policy.approved")
    assert (entry.at, entry.body["policy"], entry.body["role"]) == (WRITTEN, policy.digest, "engineer")
    assert (tmp_path / "deep" / "a.approval.json").is_file()


def test_a_development_set_issues_a_key_for_the_role_once(tmp_path: Path, policy: Policy) -> None:
    first, _ = approve(policy, BY, "qa", MEANING, tmp_path, datetime.now(UTC))
    second, _ = approve(policy, BY, "qa", MEANING, tmp_path, datetime.now(UTC))
    assert first.fingerprint == second.fingerprint
    assert first.development


@pytest.mark.parametrize("role", ["tool", "intern", "", "../qa", "QA"])
def test_no_other_role_approves(home: Path, policy: Policy, role: str) -> None:
    with pytest.raises(UsageError) as caught:
        approve(policy, BY, role, MEANING, home, AT)
    assert caught.value.problems[0].code is Code.FORBIDDEN


def test_a_set_for_release_without_the_key_of_the_role_says_which_files_to_put_there(
    tmp_path: Path, policy: Policy
) -> None:
    make_release_keys(tmp_path, {})
    with pytest.raises(UsageError) as caught:
        approve(policy, BY, "qa", MEANING, tmp_path, AT)
    assert "qa.key.pem" in (caught.value.problems[0].mend or "")
    assert not (tmp_path / "approvals").exists()


@pytest.mark.parametrize(("by", "meaning"), [("", "x"), (" ", "x"), ("a\nb", "x"), ("a" * 201, "x"), ("a\u202eb", "x")])
def test_an_approval_without_a_name_or_a_meaning_is_refused(home: Path, policy: Policy, by: str, meaning: str) -> None:
    for name, said in ((by, meaning), (meaning, by)):
        with pytest.raises(UsageError) as caught:
            approve(policy, name, "qa", said, home, AT)
        assert caught.value.problems[0].code is Code.BAD_VALUE


def test_a_key_of_another_role_under_the_file_name_of_qa_is_refused(tmp_path: Path, policy: Policy) -> None:
    make_release_keys(tmp_path, {"qa": "engineer"}, AT)
    with pytest.raises(UsageError) as caught:
        load_signer(tmp_path, "qa")
    assert "role" in caught.value.problems[0].what


def test_who_signs_in_a_role_that_its_certificate_does_not_have_is_not_trusted(home: Path, policy: Policy) -> None:
    keys = load_keys(home)
    for key in (keys.tool, Signer("engineer", *_pair(home, "engineer"))):
        forged = sign_approval(policy, BY, MEANING, Signer("qa", key.certificate, key.private_key), AT)
        with pytest.raises(IntegrityError) as caught:
            open_approval(forged, keys.trust, "forged")
        assert "role" in (caught.value.problems[0].why or "")


def test_a_certificate_that_was_not_valid_then_is_not_trusted(home: Path, policy: Policy) -> None:
    early = sign_approval(policy, BY, MEANING, load_signer(home, "qa"), AT - timedelta(days=400))
    with pytest.raises(IntegrityError) as caught:
        open_approval(early, load_keys(home).trust, "early")
    assert caught.value.problems[0].code is Code.UNTRUSTED_KEY


def test_an_approval_under_another_root_is_not_trusted(home: Path, policy: Policy, tmp_path: Path) -> None:
    with pytest.raises(IntegrityError) as caught:
        open_approval(approved(home, policy), load_keys(tmp_path).trust)
    assert caught.value.problems[0].code is Code.UNTRUSTED_KEY


def test_another_statement_of_a_trusted_key_is_no_approval(home: Path, policy: Policy) -> None:
    signer = load_signer(home, "qa")
    good = {"policy_id": "x", "policy_version": "1", "by": BY, "role": "qa", "meaning": "m", "approved": WRITTEN}
    subjects = {"policy.json": policy.digest}
    others = [
        statement(subjects, PREDICATE_TYPE, dict(good)),
        statement(subjects, APPROVAL_TYPE, {}),
        statement(subjects, APPROVAL_TYPE, {**good, "more": 1}),
        statement(subjects, APPROVAL_TYPE, {**good, "approved": "2026-13-06T07:08:09Z"}),
        statement(subjects, APPROVAL_TYPE, {**good, "approved": "yesterday"}),
        statement(subjects, APPROVAL_TYPE, {**good, "approved": 5}),
        statement({**subjects, "other.json": policy.digest}, APPROVAL_TYPE, dict(good)),
        statement({"other.json": policy.digest}, APPROVAL_TYPE, dict(good)),
    ]
    root = load_keys(home).trust
    assert open_approval(
        sign_envelope(statement(subjects, APPROVAL_TYPE, dict(good)), PAYLOAD_TYPE, signer), root, "good"
    )
    for payload in others:
        with pytest.raises(IntegrityError):
            open_approval(sign_envelope(payload, PAYLOAD_TYPE, signer), root, "other")


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_an_approval_with_any_byte_changed_does_not_hold(home: Path, policy: Policy, data: st.DataObject) -> None:
    envelope = approved(home, policy).read_bytes()
    at = data.draw(st.integers(0, len(envelope) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != envelope[at]))
    with pytest.raises(IntegrityError):
        open_approval(envelope[:at] + bytes([other]) + envelope[at + 1 :], load_keys(home).trust, "changed")


@pytest.mark.parametrize("content", [b"", b"{", b"null", b"[]", b"{}", b"\xff", b"[" * 100_000, b"a" * (1 << 21)])
def test_what_is_no_envelope_does_not_hold(home: Path, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "approval.json"
    path.write_bytes(content)
    with pytest.raises(IntegrityError):
        open_approval(path, load_keys(home).trust)


def test_a_folder_a_circle_of_links_and_nothing_are_said(home: Path, tmp_path: Path) -> None:
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    for path in (tmp_path, tmp_path / "circle", tmp_path / "none", tmp_path / "a\0b"):
        with pytest.raises(UsageError) as caught:
            open_approval(path, load_keys(home).trust)
        assert caught.value.problems[0].code is Code.FILE_NOT_FOUND


# Which approval a run goes by


def test_the_one_that_fits_is_found_among_others(tmp_path: Path, policy: Policy) -> None:
    make_release_keys(tmp_path, {"qa": "qa"}, AT)
    assert found(tmp_path, policy, WRITTEN) == FoundApproval()
    file = approved(tmp_path, policy)
    approved(tmp_path, policy, AT + timedelta(hours=1))
    (file.parent / "zzz.dsse.json").write_bytes(b"{")
    chosen = found(tmp_path, policy, "2026-05-06T07:30:00Z")
    assert chosen.approval is not None
    assert (chosen.approval.approved, chosen.envelope) == (WRITTEN, file.read_bytes())


def test_without_one_that_fits_it_is_said_why(tmp_path: Path, policy: Policy) -> None:
    make_release_keys(tmp_path, {"qa": "qa"}, AT)
    file = approved(tmp_path, policy)
    late = found(tmp_path, policy, "2026-05-06T07:08:08Z")
    assert late.approval is not None
    assert late.approval.approved == WRITTEN
    file.write_bytes(canonical_json({}))
    broken = found(tmp_path, policy, WRITTEN)
    assert broken.approval is None
    assert str(file) in (broken.problem or "")


def test_one_beside_the_file_of_the_policy_is_found(home: Path, policy: Policy, tmp_path: Path) -> None:
    approve(policy, BY, "qa", MEANING, home, AT, tmp_path / "mine.approval.json")
    chosen = find_approval(policy, WRITTEN, load_keys(home).trust, tmp_path, tmp_path / "mine.yaml", None)
    assert chosen.approval is not None


def test_one_that_was_given_must_hold(home: Path, policy: Policy, tmp_path: Path) -> None:
    (tmp_path / "given.json").write_bytes(b"{}")
    with pytest.raises(GatekeeperError):
        found(home, policy, WRITTEN, given=tmp_path / "given.json")


def _pair(home: Path, role: str) -> tuple[object, object]:
    signer = load_signer(home, role)
    return signer.certificate, signer.private_key
