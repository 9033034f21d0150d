from __future__ import annotations

import os
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from made_up_keys import make_release_keys

from gatekeeper.errors import Code, UsageError
from gatekeeper.trust._certificates import pem
from gatekeeper.trust._development import issue, make_root, private_pem
from gatekeeper.trust.keys import develop_under, load_keys, load_trust_root, own_trust


def test_first_use_makes_a_development_set_and_the_second_use_loads_it(tmp_path: Path) -> None:
    first = load_keys(tmp_path / "home")
    second = load_keys(tmp_path / "home")
    assert first.tool.fingerprint == second.tool.fingerprint
    assert first.root == second.root
    assert first.development
    assert first.tool.role == "tool"
    assert first.tool.common_name == "gatekeeper DEVELOPMENT tool"
    assert first.tool.fingerprint.startswith("sha256:")


def test_development_certificates_are_what_they_claim(tmp_path: Path) -> None:
    ring = load_keys(tmp_path)
    root, tool = ring.root, ring.tool.certificate
    assert root.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert root.issuer == root.subject
    assert root.subject.rfc4514_string() == "CN=gatekeeper DEVELOPMENT root,O=gatekeeper DEVELOPMENT"
    assert timedelta(days=3650) < root.not_valid_after_utc - datetime.now(UTC) < timedelta(days=3653)
    assert isinstance(ring.tool.private_key.curve, SECP256R1)
    usage = tool.extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.digital_signature
    assert usage.content_commitment
    assert not usage.key_cert_sign
    tool.verify_directly_issued_by(root)


def test_private_keys_are_for_their_owner_alone(tmp_path: Path) -> None:
    folder = load_keys(tmp_path).folder
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.glob("*.key.pem")} == {0o600}


def test_a_private_key_is_not_shown_in_a_representation(tmp_path: Path) -> None:
    assert "private_key=" not in repr(load_keys(tmp_path))


def test_processes_that_race_end_with_one_set(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from gatekeeper.trust import load_keys; sys.stdin.read(1);"
        "ring = load_keys(Path(sys.argv[1])); print(ring.tool.fingerprint)"
    )
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "home")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for _ in range(5)
    ]
    for run in runs:
        assert run.stdin is not None
        run.stdin.write(b"!")
        run.stdin.flush()
    printed = {run.communicate()[0] for run in runs}
    assert len(printed) == 1
    assert printed != {b""}
    assert os.listdir(tmp_path / "home") == ["keys"]


@pytest.mark.parametrize("name", ["root.pem", "tool.pem", "tool.key.pem"])
@pytest.mark.parametrize("content", [None, b"", b"garbage", b"-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_a_broken_set_is_an_error_that_says_what_to_do(tmp_path: Path, name: str, content: bytes | None) -> None:
    file = load_keys(tmp_path).folder / name
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        load_keys(tmp_path)
    problem = caught.value.problems[0]
    assert problem.code is Code.BAD_VALUE
    assert problem.mend is not None
    assert "move the folder away" in problem.mend


def test_a_set_mixed_from_two_is_refused(tmp_path: Path) -> None:
    one, other = load_keys(tmp_path / "one").folder, load_keys(tmp_path / "other").folder
    original = (one / "tool.pem").read_bytes()
    (one / "tool.pem").write_bytes((other / "tool.pem").read_bytes())
    with pytest.raises(UsageError, match="is not the key of"):
        load_keys(tmp_path / "one")
    (one / "tool.pem").write_bytes(original)
    (one / "root.pem").write_bytes((other / "root.pem").read_bytes())
    with pytest.raises(UsageError, match="cannot sign"):
        load_keys(tmp_path / "one")


def test_an_expired_set_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    folder.mkdir()
    long_ago = datetime(2001, 1, 1, tzinfo=UTC)
    root, root_key = make_root(long_ago)
    tool, tool_key = issue("tool", root, root_key, long_ago)
    (folder / "root.pem").write_text(pem(root))
    (folder / "tool.pem").write_text(pem(tool))
    (folder / "tool.key.pem").write_bytes(private_pem(tool_key))
    with pytest.raises(UsageError, match="was not valid at"):
        load_keys(tmp_path)


def test_a_home_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UsageError) as caught:
        load_keys(tmp_path / "file" / "home")
    assert caught.value.problems[0].code is Code.CANNOT_WRITE


def test_a_trust_root_must_be_a_self_signed_authority(tmp_path: Path) -> None:
    folder = load_keys(tmp_path).folder
    assert load_trust_root(folder / "root.pem") == own_trust(tmp_path).root
    with pytest.raises(UsageError, match="self-signed"):
        load_trust_root(folder / "tool.pem")
    with pytest.raises(UsageError, match="not a PEM certificate"):
        load_trust_root(folder / "tool.key.pem")
    two = tmp_path / "two.pem"
    two.write_bytes((folder / "root.pem").read_bytes() * 2)
    with pytest.raises(UsageError, match="there are 2"):
        load_trust_root(two)


def test_a_missing_root_is_an_error_and_makes_nothing(tmp_path: Path) -> None:
    for ask in (own_trust, lambda home: load_trust_root(home / "root.pem")):
        with pytest.raises(UsageError) as caught:
            ask(tmp_path)
        assert caught.value.problems[0].code is Code.FILE_NOT_FOUND
    assert list(tmp_path.iterdir()) == []


def test_importing_the_room_stays_cheap() -> None:
    code = (
        "import sys, gatekeeper.trust;"
        "heavy = {'cryptography', 'pyhanko', 'weasyprint', 'sqlite3', 'asyncio', 'asn1crypto'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"


def test_a_machine_without_keys_may_sign_as_development_and_trust_an_organisation(tmp_path: Path) -> None:
    make_release_keys(tmp_path / "organisation", {})
    root = tmp_path / "organisation" / "keys" / "root.pem"
    ring = develop_under(tmp_path / "pipeline", root)
    assert ring.development
    assert ring.root == load_trust_root(root)
    assert ring.trust.root_of("tool") != ring.root
    assert not (ring.folder / "root.key.pem").exists()
    assert develop_under(tmp_path / "pipeline", root).tool.fingerprint == ring.tool.fingerprint
    make_release_keys(tmp_path / "stranger", {})
    with pytest.raises(UsageError, match="keys under another root"):
        develop_under(tmp_path / "pipeline", tmp_path / "stranger" / "keys" / "root.pem")
