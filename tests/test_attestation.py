from __future__ import annotations

import json
from pathlib import Path

import pytest

from gatekeeper.attestation import open_attestation
from gatekeeper.errors import Code, IntegrityError
from gatekeeper.run_records import ATTESTATION, DOSSIER, FILES, SBOM, SELF_TEST, read_run_files
from gatekeeper.trust import load_keys, parse_statement
from gatekeeper.trust.dsse import open_envelope
from gatekeeper.trust.statement import PAYLOAD_TYPE


def test_the_detached_attestation_names_pdf_records_and_candidate(finished_run: Path, home: Path) -> None:
    opened = open_attestation(finished_run / ATTESTATION, load_keys(home).root)
    assert set(opened.subjects) == {DOSSIER, *FILES, SBOM, SELF_TEST, "candidate/nodule_cnn.safetensors"}
    opened.hold({DOSSIER: (finished_run / DOSSIER).read_bytes()} | read_run_files(finished_run), "here")


def test_its_predicate_says_the_verdict_and_whose_word_it_is(finished_run: Path, home: Path) -> None:
    root = load_keys(home).root
    envelope = (finished_run / ATTESTATION).read_bytes()
    payload = open_envelope(envelope, PAYLOAD_TYPE, root, where="here").payload
    predicate = parse_statement(payload, where="here").predicate
    verdict = json.loads((finished_run / "verdict.json").read_text())
    assert isinstance(predicate, dict)
    assert predicate["verdict"] == verdict["verdict"]
    assert predicate["development"] is True
    assert predicate["run"] == verdict["run"]


def test_a_file_that_was_not_attested_does_not_hold(finished_run: Path, home: Path) -> None:
    opened = open_attestation(finished_run / ATTESTATION, load_keys(home).root)
    for files in ({"verdict.json": b"{}"}, {"unknown.json": b""}):
        with pytest.raises(IntegrityError) as caught:
            opened.hold(files, "here")
        assert caught.value.problems[0].code is Code.DIGEST_MISMATCH


def test_a_missing_attestation_is_said(tmp_path: Path, home: Path) -> None:
    with pytest.raises(IntegrityError) as caught:
        open_attestation(tmp_path / ATTESTATION, load_keys(home).root)
    assert caught.value.problems[0].code is Code.BAD_SIGNATURE
