"""``gatekeeper sign``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gatekeeper.cli.inputs import Trusted


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("sign")(sign)


def sign(
    dossier: Annotated[Path, typer.Argument(help="A dossier (PDF), or the folder of a run.")],
    role: Annotated[str, typer.Option(help="In which role: engineer, then qa. Its key signs.")],
    meaning: Annotated[
        str | None, typer.Option(help="What the signature means, if not what signing.yaml says.")
    ] = None,
    trust: Trusted = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was signed as JSON.")] = False,
) -> int:
    """Countersign a dossier that holds, as its engineer or as QA.

    Name, time and meaning stand on page one (21 CFR 11.50). The dossier is verified first; then it and its attestation
    are replaced. Where the key lies is said in signing.yaml beside the keys; its passphrase is asked for, or read from
    the environment.

    \b
    Exit codes: 0 signed; 2 usage, or no such key; 3 the dossier does not hold
    Reads:      $GATEKEEPER_HOME/keys, signing.yaml;
                GATEKEEPER_PASSPHRASE_ENGINEER, GATEKEEPER_PASSPHRASE_QA
    See also:   verify, keys show, policy approve

    \b
    Example:
      gatekeeper sign reports/2026-11-23-151500-nodules-4f1c --role engineer
    """
    from gatekeeper.canonical import pretty_json
    from gatekeeper.cli.inputs import home, trusted
    from gatekeeper.countersigning import countersign
    from gatekeeper.errors import printable

    signed = countersign(dossier, role, home(), trust=trusted(trust) if trust else None, meaning=meaning)
    verdict = signed.verification.verdict
    if as_json:
        told = {"dossier": str(signed.path), "role": role, "name": signed.common_name, "meaning": signed.meaning}
        typer.echo(pretty_json({**told, "development": signed.development, "verdict": verdict.verdict.value}), nl=False)
        return 0
    kind = "   DEVELOPMENT KEY, not for release" if signed.development else ""
    for head, text in (
        ("verdict", verdict.verdict.value),
        ("of", f"{verdict.candidate} under {verdict.policy_id} {verdict.policy_version}"),
        ("signed", f"{signed.common_name} ({role}){kind}"),
        ("meaning", signed.meaning),
        ("dossier", str(signed.path)),
    ):
        typer.echo(printable(f"{head:9}{text}"))
    return 0
