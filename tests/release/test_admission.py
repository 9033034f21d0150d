"""Which record admits, and every reason why one does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from releases import CONTEXT, OTHER, MemoryStore, Released, at, holding, reasons

from gatekeeper.attestation import ModelValidation, open_attestation
from gatekeeper.canonical import JSON
from gatekeeper.errors import ExitCode
from gatekeeper.release import stores
from gatekeeper.release.attested import read_said
from gatekeeper.release.reasons import Terms, Why
from gatekeeper.release.revocation import sign_revocation
from gatekeeper.release.stores import StoredRecord, StoredRevocation
from gatekeeper.run_records import ATTESTATION, DOSSIER, STATEMENT
from gatekeeper.trust import Signer, Trust, load_keys, load_signer, own_trust

QA = Terms(roles=("qa",))
DAY = timedelta(days=1)


def whole(released: Released, role: str) -> StoredRecord:
    return StoredRecord(role, released.attestation(role), lambda: released.dossier(role))


# What admits


def test_a_pass_that_nothing_bars_admits_and_says_by_what(released: Released) -> None:
    answer = released.ask(holding(released.attestation()))
    assert answer.code is ExitCode.PASS
    assert answer.admitted is not None
    said = answer.admitted.record.said
    assert (said.context, said.version, said.candidate) == (CONTEXT, "1.0.0", released.candidate)
    assert answer.admitted.record.signers == ("Made-up Imaging tool (tool)",)
    assert answer.admitted.ends_with == "the certificate of its signer"
    assert answer.refusals == ()


def test_what_is_read_is_what_the_whole_predicate_says(released: Released) -> None:
    opened = open_attestation(released.folders["tool"] / ATTESTATION, released.trust)
    said, model = read_said(opened.stated, "here"), opened.said
    assert isinstance(model, ModelValidation)
    assert (said.verdict, said.bars, said.exploratory, said.development) == (
        model.verdict.value,
        tuple(bar.value for bar in model.bars),
        model.exploratory,
        model.development,
    )
    assert (said.context, said.version, said.policy) == (model.policy.id, model.policy.version, model.policy.digest)
    assert (said.candidate, said.name, said.testset) == (
        model.candidate.digest,
        model.candidate.name,
        model.testset.name,
    )
    assert (said.run, said.started, f"{said.finished:%Y-%m-%dT%H:%M:%SZ}") == (
        model.run.id,
        model.run.started,
        model.run.finished,
    )
    assert set(said.files) == {"nodule_cnn.safetensors"}


def test_names_of_files_are_those_of_a_run() -> None:
    assert (stores.ATTESTATION, stores.DOSSIER, stores.STATEMENT) == (ATTESTATION, DOSSIER, STATEMENT)


# What a record must say


@pytest.mark.parametrize(
    ("changes", "why", "words"),
    [
        ({"verdict": "FAIL", "bars": ["NOT_PASSED"], "releasable": False}, Why.NOT_PASSED, "FAIL"),
        ({"verdict": "INCONCLUSIVE", "bars": ["NOT_PASSED"], "releasable": False}, Why.NOT_PASSED, "INCONCLUSIVE"),
        ({"verdict": "INVALID", "bars": ["NOT_PASSED"], "releasable": False}, Why.NOT_PASSED, "INVALID"),
        ({"bars": ["EXPLORATORY"], "releasable": False}, Why.BARRED, "command line"),
        ({"exploratory": True}, Why.BARRED, "command line"),
        ({"bars": ["APPROVAL_MISSING"], "releasable": False}, Why.BARRED, "nobody had approved"),
        ({"bars": ["APPROVAL_MISMATCH"], "releasable": False}, Why.BARRED, "another version"),
        ({"bars": ["APPROVAL_LATER_THAN_RUN"], "releasable": False}, Why.BARRED, "after the run began"),
        ({"bars": ["TEST_SET_WORN"], "releasable": False}, Why.BARRED, "more often"),
        ({"bars": ["OF_A_LATER_VERSION"], "releasable": False}, Why.BARRED, "not known here: OF_A_LATER_VERSION"),
        ({"bars": ["DEVELOPMENT_KEY"], "releasable": False}, Why.DEVELOPMENT_KEY, "anyone could have made"),
        ({"development": True}, Why.DEVELOPMENT_KEY, "anyone could have made"),
        ({"policy.id": "another.context"}, Why.OTHER_CONTEXT, "another.context 1.0.0"),
        ({"run.finished": "2999-01-01T00:00:00Z"}, Why.NOT_YET, "clocks is wrong"),
        ({"run.finished": "2001-01-01T00:00:00Z"}, Why.NOT_YET, "before the certificate"),
        ({"without_waivers": "FAIL"}, Why.BROKEN, "not the result of a run"),
        ({"verdict": "FAIL"}, Why.BROKEN, "not the result of a run"),
        ({"releasable": False}, Why.BROKEN, "not the result of a run"),
        ({"bars": ["TEST_SET_WORN"]}, Why.BROKEN, "not the result of a run"),
        ({"bars": "none"}, Why.BROKEN, "not the result of a run"),
        ({"candidate.digest": OTHER}, Why.BROKEN, "another candidate"),
        ({"candidate.digest": "sha256:../../etc"}, Why.BROKEN, "not the result of a run"),
        ({"run.finished": "yesterday"}, Why.BROKEN, "not the result of a run"),
        ({"policy": None}, Why.BROKEN, "not the result of a run"),
    ],
)
def test_a_record_that_does_not_release_says_why(
    released: Released, changes: dict[str, JSON], why: Why, words: str
) -> None:
    answer = released.ask(holding(released.changed(changes)))
    assert reasons(answer) == {why}
    assert words in answer.refusals[0].words
    assert answer.code is (ExitCode.INTEGRITY if why is Why.BROKEN else ExitCode.FAIL)


def test_every_reason_is_told_at_once(released: Released) -> None:
    changes: dict[str, JSON] = {"bars": ["TEST_SET_WORN", "APPROVAL_MISSING"], "releasable": False, "exploratory": True}
    answer = released.ask(holding(released.changed(changes)), Terms(max_age=timedelta(minutes=1)))
    assert len(answer.refusals) == 4
    assert reasons(answer) == {Why.BARRED, Why.EXPIRED}


def test_nothing_of_this_candidate_is_code_1(released: Released) -> None:
    answer = released.ask(holding())
    assert (reasons(answer), answer.code) == ({Why.NO_RECORD}, ExitCode.FAIL)


# Until when


def test_a_record_expires_with_the_age_that_is_asked_for(released: Released) -> None:
    store, terms = holding(released.attestation()), Terms(max_age=7 * DAY)
    last = released.finished + 7 * DAY
    assert released.ask(store, terms, now=last - timedelta(seconds=1)).code is ExitCode.PASS
    assert reasons(released.ask(store, terms, now=last)) == {Why.EXPIRED}


def test_a_record_expires_with_its_signer_s_certificate(released: Released) -> None:
    end = released.signer().certificate.not_valid_after_utc
    store = holding(released.attestation())
    assert released.ask(store, now=end - DAY).code is ExitCode.PASS
    assert reasons(released.ask(store, now=end)) == {Why.EXPIRED}


def test_a_record_expires_with_the_root(released: Released, tmp_path: Path) -> None:
    signer, trust = development(tmp_path)  # its root and its key end on the same day
    end = trust.root.not_valid_after_utc
    store = holding(released.changed({"development": True, "bars": ["DEVELOPMENT_KEY"], "releasable": False}, signer))
    terms = Terms(allow_development=True)
    assert released.ask(store, terms, trust=trust, now=end - DAY).code is ExitCode.PASS
    short = replace(load_keys(tmp_path).trust, root=shortened(tmp_path, end - DAY))
    assert reasons(released.ask(store, terms, trust=short, now=end - DAY)) == {Why.EXPIRED}


def shortened(home: Path, end: datetime) -> x509.Certificate:
    """Return the root of a development set, of the same key and name, that ends earlier."""
    root = x509.load_pem_x509_certificate((home / "keys" / "root.pem").read_bytes())
    key = serialization.load_pem_private_key((home / "keys" / "root.key.pem").read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    builder = x509.CertificateBuilder(
        root.issuer, root.subject, key.public_key(), 1, root.not_valid_before_utc, end, list(root.extensions)
    )
    return builder.sign(key, hashes.SHA256())


@pytest.mark.parametrize(("without", "expires"), [("FAIL", True), ("INCONCLUSIVE", True), ("PASS", False)])
def test_a_record_expires_with_a_waiver_that_its_verdict_hangs_on(
    released: Released, without: str, expires: bool
) -> None:
    findings = list(released.statement["predicate"]["findings"])  # type: ignore[arg-type,call-overload,index]
    first: dict[str, JSON] = {**findings[0], "waived": {"reason": "r", "by": "b", "expires": "2099-12-31"}}  # type: ignore[dict-item]
    store = holding(released.changed({"without_waivers": without, "findings": [first, *findings[1:]]}))
    assert released.ask(store, now=at("2099-12-31T23:59:59")).code is ExitCode.PASS
    later = released.ask(store, now=at("2100-01-01T00:00:00"))
    assert (later.code is ExitCode.FAIL) is expires
    if expires:
        assert "a waiver that its verdict hangs on" in later.refusals[0].words


# Whose signature


def test_a_key_that_is_not_trusted_admits_nothing(released: Released, tmp_path: Path) -> None:
    stranger = load_keys(tmp_path)
    answer = released.ask(holding(released.changed(signer=stranger.tool)))
    assert (reasons(answer), answer.code) == ({Why.BROKEN}, ExitCode.INTEGRITY)
    assert "not trusted" in answer.refusals[0].words
    assert reasons(released.ask(holding(released.attestation()), trust=stranger.trust)) == {Why.BROKEN}


def test_a_key_of_the_same_root_for_another_role_admits_nothing(released: Released) -> None:
    answer = released.ask(holding(released.changed(signer=released.signer("intern"))))
    assert reasons(answer) == {Why.BROKEN}
    assert 'the role "intern"' in answer.refusals[0].words


@pytest.mark.parametrize("role", ["engineer", "qa"])
def test_a_person_s_key_alone_admits_nothing(released: Released, role: str) -> None:
    answer = released.ask(holding(released.changed(signer=released.signer(role))))
    assert (reasons(answer), answer.code) == ({Why.ROLE_MISSING}, ExitCode.FAIL)
    assert "the signature of the tool" in answer.refusals[0].words


def development(tmp_path: Path) -> tuple[Signer, Trust]:
    return load_signer(tmp_path, "tool"), own_trust(tmp_path)


def test_development_keys_count_only_where_it_is_said_so(released: Released, tmp_path: Path) -> None:
    signer, trust = development(tmp_path)
    store = holding(
        released.changed({"development": True, "bars": ["DEVELOPMENT_KEY"], "releasable": False}, signer=signer)
    )
    assert reasons(released.ask(store, trust=trust)) == {Why.DEVELOPMENT_KEY}
    answer = released.ask(store, Terms(allow_development=True), trust=trust)
    assert answer.admitted is not None
    assert answer.admitted.record.development


def test_a_development_key_that_claims_to_be_none_is_seen(released: Released, tmp_path: Path) -> None:
    signer, trust = development(tmp_path)
    assert reasons(released.ask(holding(released.changed(signer=signer)), trust=trust)) == {Why.DEVELOPMENT_KEY}


def test_development_keys_that_count_let_nothing_else_pass(released: Released, tmp_path: Path) -> None:
    signer, trust = development(tmp_path)
    changes: dict[str, JSON] = {"bars": ["DEVELOPMENT_KEY", "APPROVAL_MISSING", "EXPLORATORY"], "releasable": False}
    store = holding(released.changed(changes | {"development": True}, signer=signer))
    assert reasons(released.ask(store, Terms(allow_development=True), trust=trust)) == {Why.BARRED}


# The dossier


def test_the_role_that_is_required_must_have_signed_the_dossier(released: Released) -> None:
    answer = released.ask(MemoryStore([whole(released, "qa")]), Terms(roles=("engineer", "qa")))
    assert answer.admitted is not None
    assert [signer.split()[-1] for signer in answer.admitted.record.signers] == ["(tool)", "(engineer)", "(qa)"]
    for role in ("tool", "engineer"):
        refused = released.ask(MemoryStore([whole(released, role)]), QA)
        assert (reasons(refused), refused.code) == ({Why.ROLE_MISSING}, ExitCode.FAIL)


def test_an_attestation_alone_proves_no_role(released: Released) -> None:
    for role in ("tool", "qa"):
        assert reasons(released.ask(holding(released.attestation(role)), QA)) == {Why.ROLE_MISSING}


def test_a_dossier_alone_is_a_record(released: Released) -> None:
    answer = released.ask(MemoryStore([StoredRecord("qa", dossier=lambda: released.dossier("qa"))]), QA)
    assert answer.admitted is not None
    assert answer.admitted.record.said.run == released.statement["predicate"]["run"]["id"]  # type: ignore[call-overload,index]


@pytest.mark.parametrize(("attested", "beside"), [("tool", "engineer"), ("qa", "engineer"), ("qa", "tool")])
@pytest.mark.parametrize("terms", [Terms(), QA])
def test_a_dossier_that_was_swapped_admits_nothing(
    released: Released, attested: str, beside: str, terms: Terms
) -> None:
    record = StoredRecord("swapped", released.attestation(attested), lambda: released.dossier(beside))
    answer = released.ask(MemoryStore([record]), terms)
    assert (reasons(answer), answer.code) == ({Why.BROKEN}, ExitCode.INTEGRITY)


def test_a_dossier_that_cannot_be_read_admits_nothing(released: Released) -> None:
    def gone() -> bytes:
        raise OSError(13, "Permission denied")

    answer = released.ask(MemoryStore([StoredRecord("gone", released.attestation(), gone)]))
    assert reasons(answer) == {Why.BROKEN}
    assert "Permission denied" in answer.refusals[0].words


def test_a_person_who_attests_something_else_over_the_true_dossier_admits_nothing(released: Released) -> None:
    stated = released.changed({"candidate.name": "another"}, signer=released.signer("qa"))
    answer = released.ask(MemoryStore([StoredRecord("qa", stated, lambda: released.dossier("tool"))]))
    assert reasons(answer) == {Why.BROKEN}
    assert "not by whoever signed the dossier last" in answer.refusals[0].words


@pytest.mark.parametrize("role", ["engineer", "qa"])
@pytest.mark.parametrize("changes", [{"candidate.digest": OTHER}, {"policy.id": "another"}, {"testset.name": "x"}])
def test_whoever_signed_last_cannot_attest_what_the_tool_did_not(
    released: Released, role: str, changes: dict[str, JSON]
) -> None:
    """The dossier is the true one, its digest is attested, and the key is the very one that signed it last."""
    signer = released.signer(role)
    store = MemoryStore(
        [StoredRecord(role, released.changed(changes, signer, role), lambda: released.dossier(role), filed=False)]
    )
    for terms in (Terms(), Terms(roles=(role,))):
        asked = {"candidate": OTHER} if "candidate.digest" in changes else {}
        context = "another" if "policy.id" in changes else CONTEXT
        answer = released.ask(store, terms, context=context, **asked)
        assert reasons(answer) == {Why.BROKEN}
        assert "something else than the statement in its dossier" in answer.refusals[0].words


def test_the_approval_must_be_of_whom_the_reader_trusts(released: Released, tmp_path: Path) -> None:
    other = replace(released.trust, roots={"qa": load_keys(tmp_path).root})
    answer = released.ask(MemoryStore([whole(released, "engineer")]), Terms(roles=("engineer",)), trust=other)
    assert reasons(answer) == {Why.BROKEN}
    assert "not trusted" in answer.refusals[0].words


# Beside other records


def test_a_broken_record_takes_nothing_from_a_good_one(released: Released) -> None:
    good = released.attestation()
    answer = released.ask(holding(b"junk", good[:-20], good))
    assert answer.code is ExitCode.PASS
    assert [refusal.where for refusal in answer.refusals] == ["record 0", "record 1"]


def test_a_broken_record_alone_is_code_3(released: Released) -> None:
    for junk in (b"", b"junk", b"{}", b"[" * 100_000, released.attestation().replace(b'"sig":"M', b'"sig":"N')):
        assert released.ask(holding(junk)).code is ExitCode.INTEGRITY


@pytest.mark.parametrize(
    ("hours", "changes", "blocks"),
    [
        (0.5, {}, True),
        (0.0, {}, True),
        (-0.5, {}, False),
        (0.5, {"policy.version": "2.0.0"}, True),
        (0.5, {"testset.name": "a newer one"}, True),
        (0.5, {"policy.id": "another.context"}, False),
        (0.5, {"exploratory": True}, False),
        (0.5, {"verdict": "INCONCLUSIVE"}, False),
    ],
)
def test_a_later_fail_of_the_same_context_contradicts(
    released: Released, hours: float, changes: dict[str, JSON], blocks: bool
) -> None:
    answer = released.ask(holding(released.attestation(), released.failed(hours, **changes)))
    if not blocks:
        assert answer.code is ExitCode.PASS
        return
    assert Why.CONTRADICTED in reasons(answer)
    assert answer.code is ExitCode.FAIL
    assert any(f"run{hours:+g}" in refusal.words for refusal in answer.refusals)


def test_a_pass_after_the_fail_admits(released: Released) -> None:
    later = released.changed(released.run_at(0.8))
    answer = released.ask(holding(released.attestation(), released.failed(0.5), later))
    assert answer.admitted is not None
    assert answer.admitted.record.said.run == "run+0.8"


def test_a_fail_of_nobody_who_is_trusted_contradicts_nothing(released: Released, tmp_path: Path) -> None:
    told: dict[str, JSON] = {"verdict": "FAIL", "bars": ["NOT_PASSED"], "releasable": False, **released.run_at(0.5)}
    forged = released.changed(told, signer=load_keys(tmp_path).tool)
    assert released.ask(holding(released.attestation(), forged)).code is ExitCode.PASS


# Revocation


def revocation(released: Released, role: str = "qa", run: str | None = None, candidate: str | None = None) -> bytes:
    signer = released.signer(role)
    return sign_revocation(candidate or released.candidate, run, "misses it", signer, released.now)


@pytest.mark.parametrize("role", ["qa", "tool"])
def test_a_candidate_that_was_revoked_is_admitted_by_no_run(released: Released, role: str) -> None:
    later = released.changed(released.run_at(0.9))
    answer = released.ask(holding(released.attestation(), later, revoked=(revocation(released, role),)))
    assert (reasons(answer), answer.code) == ({Why.REVOKED}, ExitCode.FAIL)
    assert f"Made-up Imaging {role} ({role}): misses it" in answer.refusals[0].words


def test_where_one_run_was_revoked_another_can_admit(released: Released) -> None:
    run = str(released.statement["predicate"]["run"]["id"])  # type: ignore[call-overload,index]
    gone = (revocation(released, run=run),)
    assert reasons(released.ask(holding(released.attestation(), revoked=gone))) == {Why.REVOKED}
    later = released.changed(released.run_at(0.9))
    assert released.ask(holding(released.attestation(), later, revoked=gone)).code is ExitCode.PASS


def test_a_revocation_that_cannot_be_believed_stops_until_somebody_has_looked(
    released: Released, tmp_path: Path
) -> None:
    from gatekeeper.canonical import canonical_json
    from gatekeeper.release.revocation import REVOCATION_TYPE
    from gatekeeper.trust import PAYLOAD_TYPE, sign_envelope, statement

    said: dict[str, JSON] = {"because": "x", "role": "engineer", "revoked": "2026-01-01T00:00:00Z", "run": None}
    by_engineer = sign_envelope(
        statement({"candidate": released.candidate}, REVOCATION_TYPE, said), PAYLOAD_TYPE, released.signer("engineer")
    )
    unlike = [
        b"junk",
        b"",
        revocation(released)[:-9],
        released.attestation(),
        by_engineer,
        revocation(released, candidate=OTHER),
        sign_revocation(released.candidate, None, "x", load_signer(tmp_path, "qa"), released.now),
        canonical_json({"because": "unsigned"}),
    ]
    for envelope in unlike:
        answer = released.ask(holding(released.attestation(), revoked=(envelope,)))
        assert (reasons(answer), answer.code) == ({Why.REVOCATION_BROKEN}, ExitCode.INTEGRITY)
    unread = MemoryStore(holding(released.attestation()).stored, [StoredRevocation("link", problem="it is a link")])
    assert reasons(released.ask(unread)) == {Why.REVOCATION_BROKEN}
    both = released.ask(holding(released.attestation(), revoked=(b"junk", revocation(released))))
    assert both.code is ExitCode.FAIL


def test_a_revocation_outlives_its_signer_s_certificate(released: Released) -> None:
    end = released.signer("qa").certificate.not_valid_after_utc + DAY
    answer = released.ask(holding(released.attestation(), revoked=(revocation(released),)), now=end)
    assert Why.REVOKED in reasons(answer)


# The law


KINDS = {
    "good": (True, {}),
    "fail": (False, {"verdict": "FAIL", "bars": ["NOT_PASSED"], "releasable": False}),
    "inconclusive": (False, {"verdict": "INCONCLUSIVE", "bars": ["NOT_PASSED"], "releasable": False}),
    "worn": (False, {"bars": ["TEST_SET_WORN"], "releasable": False}),
    "exploratory": (False, {"exploratory": True}),
    "elsewhere": (False, {"policy.id": "another"}),
    "other candidate": (False, {"candidate.digest": OTHER}),
    "stranger": (False, {}),
    "intern": (False, {}),
    "flipped": (False, {}),
}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(sorted(KINDS)), st.integers(-5, 5)), max_size=6), st.integers(0, 2**16))
def test_nothing_is_admitted_that_no_good_pass_names(
    released: Released, stranger: Signer, bag: list[tuple[str, int]], place: int
) -> None:
    """The oracle counts kinds and times; the code under test sees envelopes alone."""
    signers = {"stranger": stranger, "intern": released.signer("intern")}
    envelopes = []
    for kind, hour in bag:
        envelope = released.changed({**KINDS[kind][1], **released.run_at(hour / 10)}, signers.get(kind))
        if kind == "flipped":
            changed = bytearray(envelope)
            changed[place % len(changed)] ^= 1
            envelope = bytes(changed)
        envelopes.append(envelope)
    passed = [hour for kind, hour in bag if KINDS[kind][0]]
    failed = [hour for kind, hour in bag if kind == "fail"]
    answer = released.ask(holding(*envelopes))
    assert (answer.code is ExitCode.PASS) == (bool(passed) and max(passed) > max(failed, default=-99))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    return load_keys(tmp_path_factory.mktemp("stranger")).tool


def test_every_reason_is_in_the_documentation() -> None:
    page = (Path(__file__).parents[2] / "docs" / "admission.md").read_text()
    assert all(f"`{why.value}`" in page for why in Why)
