"""Keys that sign: locked PEM, PKCS#12, and a token (SoftHSM)."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
from trust_material import BOXES, MEANING, SIGNED_AT

from gatekeeper.errors import Code, UsageError
from gatekeeper.trust import KeyRing, Stamp, Trust, load_keys, load_signer, open_envelope, sign_envelope, sign_pdf
from gatekeeper.trust import verify_pdf as verify_signed
from gatekeeper.trust._key_files import read_private_key

SECRET = "correct horse"  # made up
MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so")


@pytest.fixture
def ring(tmp_path: Path) -> KeyRing:
    return load_keys(tmp_path)


def lock_pem(folder: Path, role: str) -> None:
    path = folder / f"{role}.key.pem"
    key = read_private_key(path, role)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            BestAvailableEncryption(SECRET.encode()),
        )
    )


def pack(folder: Path, role: str, secret: str | None = SECRET) -> None:
    """Put a role's key and certificate into a PKCS#12 file instead."""
    signer = load_signer(folder.parent, role)
    assert not isinstance(signer.private_key, type(None))
    lock = BestAvailableEncryption(secret.encode()) if secret else serialization.NoEncryption()
    packed = pkcs12.serialize_key_and_certificates(b"made up", signer.private_key, signer.certificate, None, lock)  # type: ignore[arg-type]
    (folder / f"{role}.p12").write_bytes(packed)
    (folder / f"{role}.pem").unlink()
    (folder / f"{role}.key.pem").unlink()


def test_a_locked_pem_key_signs_once_its_passphrase_is_given(ring: KeyRing, monkeypatch: pytest.MonkeyPatch) -> None:
    lock_pem(ring.folder, "tool")
    monkeypatch.setenv("GATEKEEPER_PASSPHRASE_TOOL", SECRET)
    assert load_keys(ring.folder.parent).tool.fingerprint == ring.tool.fingerprint


def test_a_locked_key_without_a_passphrase_or_with_another_one_says_what_to_do(
    ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock_pem(ring.folder, "tool")
    with pytest.raises(UsageError) as caught:
        load_keys(ring.folder.parent)
    assert caught.value.problems[0].code is Code.MISSING_KEY
    assert "GATEKEEPER_PASSPHRASE_TOOL" in (caught.value.problems[0].mend or "")
    monkeypatch.setenv("GATEKEEPER_PASSPHRASE_TOOL", "another")
    with pytest.raises(UsageError, match="cannot be unlocked") as caught:
        load_keys(ring.folder.parent)
    assert "another" not in str(caught.value.problems[0].why).partition("passphrase")[0]


@pytest.mark.parametrize("secret", [SECRET, None])
def test_a_pkcs12_file_signs(ring: KeyRing, monkeypatch: pytest.MonkeyPatch, secret: str | None) -> None:
    home = ring.folder.parent
    fingerprint = load_signer(home, "qa").fingerprint
    pack(ring.folder, "qa", secret)
    if secret:
        with pytest.raises(UsageError, match="nobody can be asked"):
            load_signer(home, "qa")
        monkeypatch.setenv("GATEKEEPER_PASSPHRASE_QA", "wrong")
        with pytest.raises(UsageError, match="cannot be unlocked"):
            load_signer(home, "qa")
        monkeypatch.setenv("GATEKEEPER_PASSPHRASE_QA", secret)
    signer = load_signer(home, "qa")
    assert signer.fingerprint == fingerprint
    assert open_envelope(sign_envelope(b"{}", "x", signer), "x", ring.trust, where="x").role == "qa"


def test_a_person_signs_without_the_key_of_the_tool(ring: KeyRing) -> None:
    load_signer(ring.folder.parent, "engineer")
    for name in ("tool.pem", "tool.key.pem", "root.key.pem"):
        (ring.folder / name).unlink()
    assert load_signer(ring.folder.parent, "engineer").role == "engineer"


def test_settings_name_the_key_and_the_meaning(ring: KeyRing) -> None:
    from gatekeeper.trust.settings import load_settings

    home = ring.folder.parent
    signer = load_signer(home, "engineer")
    (ring.folder / "engineer.pem").rename(ring.folder / "ada.pem")
    (ring.folder / "engineer.key.pem").rename(ring.folder / "ada.key.pem")
    (ring.folder / "signing.yaml").write_text(
        "roles:\n  engineer:\n    key: ada.key.pem\n    certificate: ada.pem\n    meaning: I tuned it and stand by it\n"
    )
    assert load_signer(home, "engineer").fingerprint == signer.fingerprint
    assert load_settings(ring.folder).meaning("engineer") == "I tuned it and stand by it"
    assert "I approve" in load_settings(ring.folder).meaning("qa")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("levl: B-T\n", "level"),
        ("level: B-T\n", "needs an authority"),
        ("level: B-LT\ntimestamps: {url: 'https://x', root: r.pem}\n", "needs revocation_lists"),
        ("timestamps: {url: 'file:///etc/passwd', root: r.pem}\n", "http"),
        ("roles: {boss: {key: x.p12}}\n", "boss"),
        ("roles: {qa: {passphrase: x}}\n", "passphrase"),
    ],
)
def test_settings_that_say_nothing_usable_are_an_error_with_a_line(ring: KeyRing, text: str, what: str) -> None:
    (ring.folder / "signing.yaml").write_text(text)
    with pytest.raises(UsageError) as caught:
        load_keys(ring.folder.parent)
    assert what in str(caught.value)
    assert "signing.yaml:" in str(caught.value)


@pytest.fixture(scope="module")
def in_token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[KeyRing, str]]:
    """A set whose tool's key lies in a token and nowhere else, and the key's URI."""
    pytest.importorskip("pkcs11")
    module = next((path for path in MODULES if os.path.exists(path)), None)
    if module is None or shutil.which("softhsm2-util") is None:
        pytest.skip("needs softhsm2")
    folder = tmp_path_factory.mktemp("token")
    ring = load_keys(folder / "home")
    (folder / "tokens").mkdir()
    (folder / "softhsm.conf").write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(folder / "softhsm.conf"))  # read once in a process
        run = ["softhsm2-util", "--init-token", "--free", "--label", "gate", "--so-pin", "5678", "--pin", "1234"]
        subprocess.run(run, check=True, capture_output=True)
        run = ["softhsm2-util", "--import", str(ring.folder / "tool.key.pem"), "--token", "gate", "--label", "tool"]
        subprocess.run([*run, "--id", "01", "--pin", "1234"], check=True, capture_output=True)
        put_certificate(module, ring)
        for name in ("tool.pem", "tool.key.pem"):
            (ring.folder / name).unlink()
        yield ring, f"pkcs11:token=gate;object=tool?module-path={module}"


def put_certificate(module: str, ring: KeyRing) -> None:
    import pkcs11

    from gatekeeper.trust._certificates import der

    with pkcs11.lib(module).get_token(token_label="gate").open(rw=True, user_pin="1234") as session:
        session.create_object(
            {
                pkcs11.Attribute.CLASS: pkcs11.ObjectClass.CERTIFICATE,
                pkcs11.Attribute.CERTIFICATE_TYPE: pkcs11.CertificateType.X_509,
                pkcs11.Attribute.TOKEN: True,
                pkcs11.Attribute.LABEL: "tool",
                pkcs11.Attribute.SUBJECT: ring.tool.certificate.subject.public_bytes(),
                pkcs11.Attribute.VALUE: der(ring.tool.certificate),
            }
        )


def test_a_key_in_a_token_signs_envelopes_and_dossiers(
    in_token: tuple[KeyRing, str], unsigned_pdf: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring, uri = in_token
    monkeypatch.setenv("GATEKEEPER_PASSPHRASE_TOOL", "1234")
    (ring.folder / "signing.yaml").write_text(f'roles: {{tool: {{key: "{uri}"}}}}\n')
    tool, again = load_keys(ring.folder.parent).tool, load_keys(ring.folder.parent).tool
    assert tool.fingerprint == again.fingerprint == ring.tool.fingerprint
    for signer in (tool, again):
        opened = open_envelope(sign_envelope(b"{}", "x", signer), "x", ring.trust, where="x")
        assert opened.fingerprint == tool.fingerprint
    at = max(SIGNED_AT, tool.certificate.not_valid_before_utc).replace(microsecond=0) + timedelta(seconds=1)
    pdf = sign_pdf(unsigned_pdf, tool, ring.root, stamp=Stamp(MEANING, BOXES), signing_time=at)
    assert verify_signed(pdf, Trust(ring.root), where="x").fields[0].fingerprint == tool.fingerprint


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (("object=tool", "object=other"), "NoSuchKey"),
        (("token=gate", "token=none"), "NoSuchToken"),
        (("/softhsm/", "/nowhere/"), "nowhere"),
        (("?module", "?pin-value=1234&module"), ""),
        (("object=tool", "object="), ""),
    ],
)
def test_a_token_that_does_not_open_says_why(
    in_token: tuple[KeyRing, str], change: tuple[str, str], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring, uri = in_token
    monkeypatch.setenv("GATEKEEPER_PASSPHRASE_TOOL", "1234")
    (ring.folder / "signing.yaml").write_text(f'roles: {{tool: {{key: "{uri.replace(*change)}"}}}}\n')
    with pytest.raises(UsageError) as caught:
        load_keys(ring.folder.parent)
    assert why in str(caught.value.problems[0].why)
    assert "1234" not in str(caught.value)


def test_a_wrong_pin_is_an_error(in_token: tuple[KeyRing, str], monkeypatch: pytest.MonkeyPatch) -> None:
    ring, uri = in_token
    (ring.folder / "signing.yaml").write_text(f'roles: {{tool: {{key: "{uri}"}}}}\n')
    monkeypatch.setenv("GATEKEEPER_PASSPHRASE_TOOL", "0000")
    with pytest.raises(UsageError, match="cannot be used"):
        load_keys(ring.folder.parent)
