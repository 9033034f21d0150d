"""Attestations in the eyes of others: securesystemslib, in-toto's own Python bindings, openssl in a shell."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from attested import Run, payload_of
from cryptography.x509 import load_pem_x509_certificate
from google.protobuf import json_format
from in_toto_attestation.predicates.test_result.v0 import test_result_pb2
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

from gatekeeper.attestation import RESULT_TYPE
from gatekeeper.run_records import ATTESTATION, DOSSIER, TEST_RESULT
from gatekeeper.trust import PREDICATE_TYPE, load_keys

PAGE = (Path(__file__).parents[2] / "docs" / "attestation.md").read_text(encoding="utf-8")
BESIDE = {ATTESTATION: PREDICATE_TYPE, TEST_RESULT: RESULT_TYPE}
missing = [name for name in ("openssl", "jq", "base64", "sha256sum") if shutil.which(name) is None]
in_shell = pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


def key_of(envelope: dict[str, Any]) -> SSlibKey:
    (entry,) = envelope["signatures"]
    public = load_pem_x509_certificate(entry["cert"].encode()).public_key()
    return SSlibKey.from_crypto(public, keyid=entry["keyid"], scheme="ecdsa-sha2-nistp256")


@pytest.mark.parametrize("name", BESIDE)
def test_securesystemslib_takes_the_envelope(run: Run, name: str) -> None:
    content = json.loads((run.folder / name).read_text())
    key = key_of(content)
    envelope = Envelope.from_dict(json.loads((run.folder / name).read_text()))
    assert envelope.verify([key], 1) == {key.keyid: key}
    assert envelope.payload == payload_of((run.folder / name).read_bytes())
    assert envelope.to_dict() == content
    envelope.payload += b" "
    with pytest.raises(VerificationError):
        envelope.verify([key], 1)


@pytest.mark.parametrize(("name", "kind"), BESIDE.items())
def test_the_bindings_of_in_toto_take_the_statement(run: Run, name: str, kind: str) -> None:
    parsed = json_format.Parse(payload_of((run.folder / name).read_bytes()), statement_pb2.Statement())
    statement = Statement.copy_from_pb(parsed)
    statement.validate()
    assert statement.pb.predicate_type == kind
    assert {DOSSIER, "candidate/nodule_cnn.safetensors"} <= {subject.name for subject in statement.pb.subject}


def test_the_bindings_of_in_toto_take_the_test_result(run: Run) -> None:
    predicate = json.loads(payload_of((run.folder / TEST_RESULT).read_bytes()))["predicate"]
    parsed = json_format.ParseDict(predicate, test_result_pb2.TestResult())
    assert parsed.result == "WARNED"
    assert [item.name for item in parsed.configuration] == ["policy.json", "testset.json"]
    assert parsed.configuration[0].media_type == "application/json"
    assert "sensitivity" in parsed.passed_tests


def in_a_shell(folder: Path, change: tuple[str, str] = ("", "")) -> subprocess.CompletedProcess[str]:
    """Run the commands of the page as they stand there, but for a change that the page itself speaks of."""
    (block,) = re.findall(r"^```sh\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)
    script = block.replace(*change) if change[0] else block
    return subprocess.run(["sh", "-eu", "-c", script], cwd=folder, capture_output=True, text=True)


@pytest.fixture
def folder(run: Run, run_copy: Path) -> Path:
    shutil.copy(run.keys.folder / "root.pem", run_copy)
    return run_copy


@pytest.fixture(scope="module")
def trust_of_a_stranger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return load_keys(tmp_path_factory.mktemp("stranger")).folder / "root.pem"


@in_shell
def test_the_commands_of_the_page_find_a_sound_attestation_to_hold(folder: Path) -> None:
    done = in_a_shell(folder)
    assert done.returncode == 0, done.stderr
    told, _, predicate = done.stdout.partition("{")
    assert told.splitlines() == ["signer.pem: OK", "Verified OK", "dossier.pdf: OK"]
    bars = ["DEVELOPMENT_KEY", "APPROVAL_MISSING"]
    assert json.loads("{" + predicate) == {"verdict": "PASS", "releasable": False, "bars": bars}


@in_shell
def test_and_the_result_for_other_tools(folder: Path) -> None:
    assert f"envelope={TEST_RESULT}" in PAGE
    done = in_a_shell(folder, (f"envelope={ATTESTATION}", f"envelope={TEST_RESULT}"))
    assert done.returncode == 0, done.stderr
    assert "Verified OK\ndossier.pdf: OK" in done.stdout
    assert "jq .predicate.result payload.json" in PAGE
    asked = ["jq", ".predicate.result", "payload.json"]
    assert subprocess.run(asked, cwd=folder, capture_output=True, text=True).stdout == '"WARNED"\n'


@in_shell
@pytest.mark.parametrize("what", ["dossier", "payload", "signature", "root"])
def test_and_stop_at_what_does_not_hold(folder: Path, trust_of_a_stranger: Path, what: str) -> None:
    envelope = json.loads((folder / ATTESTATION).read_text())
    if what == "dossier":
        (folder / DOSSIER).write_bytes((folder / DOSSIER).read_bytes() + b"\n")
    elif what == "root":
        shutil.copy(trust_of_a_stranger, folder / "root.pem")
    elif what == "payload":
        envelope["payload"] = json.loads((folder / TEST_RESULT).read_text())["payload"]
    else:
        envelope["signatures"][0]["sig"] = json.loads((folder / TEST_RESULT).read_text())["signatures"][0]["sig"]
    (folder / ATTESTATION).write_text(json.dumps(envelope))
    done = in_a_shell(folder)
    assert done.returncode != 0
    assert {"dossier": "dossier.pdf: OK", "root": "signer.pem: OK"}.get(what, "Verified OK") not in done.stdout
