"""A signed dossier in the eyes of tools that know nothing of gatekeeper. They are witnesses, never the gate."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from gatekeeper.run_records import DOSSIER, FILES, SBOM, SELF_TEST, STATEMENT

ATTACHED = sorted([*FILES, SBOM, SELF_TEST, STATEMENT])


def needs(program: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"{program} is not installed")


def asked(folder: Path, *command: str) -> str:
    """Return what a tool says about the dossier in a folder."""
    return subprocess.run([*command, DOSSIER], cwd=folder, capture_output=True, text=True, check=True).stdout


@needs("pdfsig")
def test_pdfsig_sees_a_valid_signature_of_the_tool_over_the_whole_file(finished_run: Path) -> None:
    told = asked(finished_run, "pdfsig", "-nocert")
    first, *others = re.split(r"^Signature #\d+:$", told, flags=re.MULTILINE)[1:]
    assert "Signature Field Name: GatekeeperTool" in first
    assert "Signature is Valid." in first
    assert "Total document signed" in first
    assert f"- {(finished_run / DOSSIER).stat().st_size}]" in first
    assert [re.search(r"Field Name: (\w+)", other)[1] for other in others] == ["Engineer", "QA"]  # type: ignore[index]
    assert all("The signature form field is not signed." in other for other in others)


@needs("pdfsig")
def test_pdfsig_ends_with_0_on_a_signature_that_does_not_hold_and_so_is_no_gate(run_copy: Path) -> None:
    path = run_copy / DOSSIER
    data = bytearray(path.read_bytes())
    data[data.index(b"endstream") - 10] ^= 1
    path.write_bytes(data)
    told = asked(run_copy, "pdfsig", "-nocert")
    assert "Signature is Valid." not in told
    assert "Signature Validation: " in told


@needs("mutool")
def test_mutool_sees_one_signature_and_a_document_unchanged_since(finished_run: Path) -> None:
    told = asked(finished_run, "mutool", "sign", "-v")
    assert told.count("The document is unchanged since signing.") == 1
    assert told.count("Signature is not signed.") == 2
    assert "cn=gatekeeper DEVELOPMENT tool" in told


@needs("pdftotext")
def test_pdftotext_reads_verdict_and_standing_on_page_one(finished_run: Path) -> None:
    command = ["pdftotext", "-f", "1", "-l", "1", DOSSIER, "-"]
    told = subprocess.run(command, cwd=finished_run, capture_output=True, text=True, check=True).stdout
    lines = told.splitlines()
    assert lines.count("PASS") == 1
    assert "DEVELOPMENT SIGNATURE — not for release" in lines
    assert any(line.startswith("barred: ") for line in lines)


@needs("pdfdetach")
def test_pdfdetach_gives_each_record_once_with_its_bytes(finished_run: Path, tmp_path: Path) -> None:
    told = asked(finished_run, "pdfdetach", "-list")
    assert re.findall(r"^\d+: (.+)$", told, flags=re.MULTILINE) == ATTACHED
    asked(finished_run, "pdfdetach", "-saveall", "-o", str(tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == ATTACHED
    places = {**FILES, SBOM: SBOM, SELF_TEST: SELF_TEST}
    for name, place in places.items():
        assert (tmp_path / name).read_bytes() == (finished_run / place).read_bytes(), name


@needs("qpdf")
def test_qpdf_finds_the_structure_sound_and_each_attachment_once(finished_run: Path) -> None:
    assert "No syntax or stream encoding errors found" in asked(finished_run, "qpdf", "--check")
    listed = re.findall(r"^(\S+) -> ", asked(finished_run, "qpdf", "--list-attachments"), flags=re.MULTILINE)
    assert listed == ATTACHED


@needs("mutool")
def test_mutool_counts_each_attachment_once_among_the_associated_files(finished_run: Path) -> None:
    told = subprocess.run(
        ["mutool", "show", DOSSIER, "trailer/Root/AF"], cwd=finished_run, capture_output=True, text=True, check=True
    ).stdout
    references = re.findall(r"(\d+) 0 R", told)
    assert len(references) == len(set(references)) == len(ATTACHED)


@needs("pdfinfo")
def test_pdfinfo_reads_the_claim_of_pdf_a_3u_in_what_was_signed(finished_run: Path) -> None:
    told = asked(finished_run, "pdfinfo", "-meta")
    assert re.search(r'pdfaid:part="3"', told)
    assert re.search(r'pdfaid:conformance="U"', told)
    assert re.search(r"^Tagged:\s+yes$", asked(finished_run, "pdfinfo"), flags=re.MULTILINE)
    assert re.search(r"^Encrypted:\s+no$", asked(finished_run, "pdfinfo"), flags=re.MULTILINE)
