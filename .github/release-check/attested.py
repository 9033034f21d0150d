"""What `actions/attest` attests, taken out of a run's attestation: its predicate, and its subjects by SHA-256.

Usage: attested.py RUN FOLDER. Reads attestation.dsse.json of a run that `gatekeeper verify` has just taken; writes
predicate.json, predicate-type.txt and subjects.sha256. The subjects are the dossier and the candidate's files: those
are what somebody will hold in their hands when they ask whether they may start it.
"""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path


def main(run: Path, folder: Path) -> None:
    """Write the three files."""
    envelope = json.loads((run / "attestation.dsse.json").read_bytes())
    statement = json.loads(base64.b64decode(envelope["payload"]))
    wanted = [
        subject
        for subject in statement["subject"]
        if subject["name"] == "dossier.pdf" or subject["name"].startswith("candidate/")
    ]
    if any(not name.isprintable() for name in (subject["name"] for subject in wanted)):
        sys.exit("::error title=gatekeeper::A file of the candidate has a name that cannot be attested.")
    lines = [f"{subject['digest']['sha256']}  {subject['name']}\n" for subject in wanted]
    (folder / "predicate.json").write_text(json.dumps(statement["predicate"]), encoding="utf-8")
    (folder / "predicate-type.txt").write_text(statement["predicateType"], encoding="utf-8")
    (folder / "subjects.sha256").write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
