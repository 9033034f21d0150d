"""``gatekeeper verify``: which dossier holds, in whose eyes, and with which code the command ends."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from command_line import call

from gatekeeper.canonical import digest_bytes


def test_a_dossier_holds_on_the_machine_that_made_it(finished_run: Path, home: Path) -> None:
    for path in (finished_run, finished_run / "dossier.pdf"):
        done = call("verify", path, home=home)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("Checked      ✓ signature of the tool")
        assert "verdict recomputed: PASS" in done.stdout
        assert "Not checked  ! " in done.stdout
        assert "DEVELOPMENT" in done.stdout


def test_what_was_checked_is_told_as_json(finished_run: Path, home: Path) -> None:
    told = json.loads(call("verify", finished_run, "--json", home=home).stdout)
    assert (told["verdict"], told["development"], told["exploratory"]) == ("PASS", True, False)
    assert any("numbers recomputed" in sentence for sentence in told["checked"])
    assert told["not_checked"]
    assert set(told["digests"]) == {"policy", "candidate", "lock", "plan"}


def test_an_authentic_pass_exits_0_when_a_pass_is_required(finished_run: Path, home: Path) -> None:
    assert call("verify", finished_run, "--require-pass", home=home).returncode == 0


@pytest.mark.parametrize("place", [0.001, 0.1, 0.3, 0.5, 0.7, 0.9, 0.999])
def test_one_flipped_bit_of_a_dossier_is_code_3(run_copy: Path, home: Path, place: float) -> None:
    path = run_copy / "dossier.pdf"
    data = bytearray(path.read_bytes())
    data[int(len(data) * place)] ^= 1
    path.write_bytes(data)
    done = call("verify", path, home=home)
    assert done.returncode == 3
    assert done.stdout == ""
    assert "error[GK3" in done.stderr


@pytest.mark.parametrize("harm", ["cut", "longer", "empty", "text"])
def test_a_file_that_is_no_longer_the_dossier_is_code_3(run_copy: Path, home: Path, harm: str) -> None:
    path = run_copy / "dossier.pdf"
    data = path.read_bytes()
    path.write_bytes({"cut": data[:-1000], "longer": data + b"\n", "empty": b"", "text": b"PASS\n"}[harm])
    assert call("verify", path, home=home).returncode == 3


def test_a_dossier_is_not_trusted_on_another_machine(finished_run: Path, tmp_path: Path) -> None:
    call("keys", "show", home=tmp_path)
    done = call("verify", finished_run, home=tmp_path)
    assert done.returncode == 3
    assert "error[GK303]" in done.stderr


def test_a_machine_without_keys_is_told_to_name_a_root_and_makes_none(finished_run: Path, tmp_path: Path) -> None:
    done = call("verify", finished_run, home=tmp_path / "home")
    assert done.returncode == 2
    assert "--trust" in done.stderr
    assert not (tmp_path / "home").exists()


def test_a_dossier_holds_on_another_machine_that_trusts_the_root(
    finished_run: Path, home: Path, tmp_path: Path
) -> None:
    alone = tmp_path / "sent.pdf"
    shutil.copy(finished_run / "dossier.pdf", alone)
    done = call("verify", alone, "--trust", home / "keys" / "root.pem", home=tmp_path / "home")
    assert done.returncode == 0, done.stderr
    assert "the detached attestation (attestation.dsse.json) is not beside the dossier" in done.stdout


def test_a_root_or_dossier_that_cannot_be_read_is_code_2(finished_run: Path, home: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.pem").write_text("no certificate")
    for arguments in (
        [finished_run, "--trust", tmp_path / "none.pem"],
        [finished_run, "--trust", tmp_path / "bad.pem"],
        [finished_run, "--trust", tmp_path],
        [tmp_path / "none.pdf"],
        [tmp_path],
        ["x" * 300],
    ):
        assert call("verify", *arguments, home=home).returncode == 2


def test_a_changed_attestation_beside_a_sound_dossier_is_code_3(run_copy: Path, home: Path) -> None:
    path = run_copy / "attestation.dsse.json"
    path.write_text(path.read_text().replace("a", "b", 5))
    assert call("verify", run_copy / "dossier.pdf", home=home).returncode == 3


def test_the_page_for_browsers_is_made_again_from_the_signed_dossier_alone(
    finished_run: Path, home: Path, tmp_path: Path
) -> None:
    alone, pages = tmp_path / "dossier.pdf", (tmp_path / "first.html", tmp_path / "second.html")
    shutil.copy(finished_run / "dossier.pdf", alone)
    for page in pages:
        done = call("verify", alone, "--html", page, home=home)
        assert done.returncode == 0, done.stderr
    first, second = (page.read_text(encoding="utf-8") for page in pages)
    assert first == second
    original = (finished_run / "dossier.html").read_text(encoding="utf-8")
    cases = re.compile(r'<script type="application/json" id="case-data">.*?</script>')
    assert cases.findall(first) == cases.findall(original) != []
    assert re.findall(r"with (sha256:[0-9a-f]{64}) when", first) == [digest_bytes(alone.read_bytes())]
    assert re.findall(r"entry [0-9,]+, head [0-9a-f]+", first) == re.findall(r"entry [0-9,]+, head [0-9a-f]+", original)


def test_no_page_is_written_of_a_dossier_that_does_not_hold_or_where_it_cannot(
    run_copy: Path, home: Path, tmp_path: Path
) -> None:
    assert call("verify", run_copy, "--html", tmp_path / "nowhere" / "page.html", home=home).returncode == 2
    (run_copy / "dossier.pdf").write_bytes(b"%PDF-")
    assert call("verify", run_copy, "--html", tmp_path / "page.html", home=home).returncode == 3
    assert not (tmp_path / "page.html").exists()
