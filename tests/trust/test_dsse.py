from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trust_material import Trio

from gatekeeper.canonical import canonical_json
from gatekeeper.errors import Code, IntegrityError
from gatekeeper.trust._certificates import pem
from gatekeeper.trust.dsse import open_envelope, pre_authentication_encoding, sign_envelope
from gatekeeper.trust.keys import Signer

TYPE = "application/vnd.example+json"
PAYLOAD = b'{"a":1}'
quick = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def changed(envelope: bytes, **entries: Any) -> bytes:
    return json.dumps({**json.loads(envelope), **entries}).encode()


def resigned(envelope: bytes, **entries: Any) -> bytes:
    return changed(envelope, signatures=[{**json.loads(envelope)["signatures"][0], **entries}])


def code_of(envelope: bytes, trio: Trio, payload_type: str = TYPE) -> Code:
    with pytest.raises(IntegrityError) as caught:
        open_envelope(envelope, payload_type, trio.ring.trust, where="attestation.json")
    assert str(caught.value.problems[0].where) == "attestation.json"
    return caught.value.problems[0].code


def test_the_encoding_is_the_one_of_the_specification() -> None:
    assert pre_authentication_encoding(b"hello world", "http://example.com/HelloWorld") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


@quick
@given(payload=st.binary(max_size=300))
def test_what_was_signed_is_what_is_opened(payload: bytes, trio: Trio) -> None:
    envelope = sign_envelope(payload, TYPE, trio.ring.tool)
    opened = open_envelope(envelope, TYPE, trio.ring.trust, where="x")
    assert opened.payload == payload
    assert opened.fingerprint == trio.ring.tool.fingerprint
    assert opened.common_name == "gatekeeper DEVELOPMENT tool"
    assert opened.development
    assert canonical_json(json.loads(envelope)) == envelope


def test_equal_payloads_give_equal_envelopes(trio: Trio) -> None:
    try:
        ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
    except UnsupportedAlgorithm:
        pytest.skip("deterministic ECDSA needs OpenSSL 3.2 in cryptography")
    assert sign_envelope(PAYLOAD, TYPE, trio.ring.tool) == sign_envelope(PAYLOAD, TYPE, trio.ring.tool)


def test_openssl_agrees_that_the_signature_holds(trio: Trio, tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not on PATH")
    entry = json.loads(sign_envelope(PAYLOAD, TYPE, trio.ring.tool))["signatures"][0]
    (tmp_path / "cert.pem").write_text(entry["cert"])
    (tmp_path / "root.pem").write_text(pem(trio.ring.root))
    (tmp_path / "sig").write_bytes(base64.b64decode(entry["sig"]))
    (tmp_path / "signed").write_bytes(b"DSSEv1 28 " + TYPE.encode() + b" 7 " + PAYLOAD)
    chain = [openssl, "verify", "-CAfile", "root.pem", "cert.pem"]
    assert subprocess.run(chain, cwd=tmp_path, capture_output=True, text=True).stdout == "cert.pem: OK\n"
    key = subprocess.run(
        [openssl, "x509", "-in", "cert.pem", "-pubkey", "-noout"], cwd=tmp_path, capture_output=True, check=True
    )
    (tmp_path / "key.pem").write_bytes(key.stdout)
    verify = [openssl, "dgst", "-sha256", "-verify", "key.pem", "-signature", "sig", "signed"]
    assert subprocess.run(verify, cwd=tmp_path, capture_output=True, text=True).stdout == "Verified OK\n"


def test_another_payload_under_the_same_signature_is_refused(trio: Trio) -> None:
    envelope = sign_envelope(PAYLOAD, TYPE, trio.ring.tool)
    other = base64.b64encode(b'{"a":2}').decode()
    assert code_of(changed(envelope, payload=other), trio) is Code.BAD_SIGNATURE


def test_another_type_is_refused(trio: Trio) -> None:
    envelope = sign_envelope(PAYLOAD, TYPE, trio.ring.tool)
    assert code_of(envelope, trio, "application/other") is Code.BAD_SIGNATURE
    assert code_of(changed(envelope, payloadType="application/other"), trio, "application/other") is Code.BAD_SIGNATURE


def test_a_key_of_another_root_is_not_trusted(trio: Trio, strangers: Trio) -> None:
    assert code_of(sign_envelope(PAYLOAD, TYPE, strangers.ring.tool), trio) is Code.UNTRUSTED_KEY


def test_the_certificate_of_another_signer_does_not_help(trio: Trio, strangers: Trio) -> None:
    envelope = sign_envelope(PAYLOAD, TYPE, strangers.ring.tool)
    borrowed = resigned(envelope, cert=pem(trio.ring.tool.certificate), keyid=trio.ring.tool.fingerprint)
    assert code_of(borrowed, trio) is Code.BAD_SIGNATURE


def test_a_root_does_not_sign_payloads_itself(trio: Trio) -> None:
    posing = Signer("tool", trio.ring.root, trio.ring.tool.private_key)
    assert code_of(sign_envelope(PAYLOAD, TYPE, posing), trio) is Code.UNTRUSTED_KEY


def test_malformed_envelopes_are_refused(trio: Trio) -> None:
    envelope = sign_envelope(PAYLOAD, TYPE, trio.ring.tool)
    entry = json.loads(envelope)["signatures"][0]
    malformed = {
        "empty": b"",
        "not JSON": b"{",
        "not an object": b"[]",
        "not UTF-8": b"\xff\xfe",
        "deep": b"[" * 100_000,
        "huge": b" " * (64 << 20) + envelope,
        "huge number": b'{"payload":' + b"9" * 5000 + b"}",
        "NaN": b'{"payload":NaN}',
        "duplicate key": envelope[:-1] + b',"payloadType":"' + TYPE.encode() + b'"}',
        "missing field": canonical_json({"payload": "", "payloadType": TYPE}),
        "extra field": changed(envelope, more=1),
        "no signature": changed(envelope, signatures=[]),
        "two signatures": changed(envelope, signatures=[entry, entry]),
        "signatures no list": changed(envelope, signatures=entry),
        "signature no object": changed(envelope, signatures=["x"]),
        "signature without cert": changed(envelope, signatures=[{"keyid": entry["keyid"], "sig": entry["sig"]}]),
        "keyid of another": resigned(envelope, keyid="sha256:" + "0" * 64),
        "payload no base64": changed(envelope, payload="!!!!"),
        "payload without padding": changed(envelope, payload=json.loads(envelope)["payload"].rstrip("=")),
        "payload no string": changed(envelope, payload=7),
        "payload not ASCII": changed(envelope, payload="é"),
        "signature no base64": resigned(envelope, sig="*"),
        "signature empty": resigned(envelope, sig=""),
        "cert no PEM": resigned(envelope, cert="hello"),
        "cert no string": resigned(envelope, cert=None),
        "cert twice": resigned(envelope, cert=entry["cert"] * 2),
        "cert not ASCII": resigned(envelope, cert="é"),
    }
    for name, data in malformed.items():
        assert code_of(data, trio) is Code.BAD_SIGNATURE, name


@quick
@given(data=st.data())
def test_no_changed_byte_is_accepted(data: st.DataObject, trio: Trio) -> None:
    envelope = bytearray(sign_envelope(PAYLOAD, TYPE, trio.ring.tool))
    envelope[data.draw(st.integers(0, len(envelope) - 1))] ^= data.draw(st.integers(1, 255))
    assert code_of(bytes(envelope), trio) in {Code.BAD_SIGNATURE, Code.UNTRUSTED_KEY}
