"""The files of a run that MLflow is given: those that a signature covers, and pages made anew from them."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from gatekeeper.attestation import hold_beside
from gatekeeper.canonical import digest_bytes
from gatekeeper.errors import Code, IntegrityError
from gatekeeper.reporters import junit_xml
from gatekeeper.rewriting import page_of
from gatekeeper.run_records import ATTESTATION, DOSSIER, EVIDENCE, JUNIT, PAGE, TEST_RESULT
from gatekeeper.trust import Trust
from gatekeeper.verification import Verification

_VERDICT = "verdict.json"


def artefacts_of(run: Path, verified: Verification, trust: Trust, *, with_evidence: bool) -> dict[str, bytes]:
    """Return the files by name, each as it was verified. Raises IntegrityError where one changed meanwhile.

    The page and the JUnit file beside a dossier are unsigned: they are made anew from what was verified.
    """
    dossier = run / DOSSIER if run.is_dir() else run
    pdf = dossier.read_bytes()
    if digest_bytes(pdf) != verified.digest:
        raise IntegrityError(Code.DIGEST_MISMATCH, "the dossier changed while it was being read", where=str(dossier))
    files = {DOSSIER: pdf, **_statements(dossier, pdf, verified, trust)}
    files[_VERDICT] = verified.files[_VERDICT]
    files[PAGE] = page_of(verified).encode("utf-8")
    files[JUNIT] = junit_xml(verified.verdict).encode("utf-8")
    if with_evidence:
        files[EVIDENCE] = verified.files[EVIDENCE]
    return files


def _statements(dossier: Path, pdf: bytes, verified: Verification, trust: Trust) -> dict[str, bytes]:
    """Return the statements beside a dossier, held once more as they were read."""
    beside = {name: dossier.with_name(name) for name in (ATTESTATION, TEST_RESULT)}
    found = {name: path.read_bytes() for name, path in beside.items() if path.is_file()}
    with TemporaryDirectory(prefix="gatekeeper-") as folder:
        for name, content in found.items():
            (Path(folder) / name).write_bytes(content)
        signer = verified.signatures[-1].fingerprint
        hold_beside(Path(folder), pdf, verified.records, verified.files, verified.standing, trust, signer)
    return found
