"""``gatekeeper policy approve``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gatekeeper.errors import printable


def register(policy: typer.Typer) -> None:
    """Add the command."""
    policy.command("approve")(approve)


def approve(
    name: Annotated[str, typer.Argument(help="Name in the search path, or a YAML file.")],
    by: Annotated[str, typer.Option(help="Who approves, by full name.")],
    role: Annotated[str, typer.Option(help="In which role: qa or engineer. Its key signs.")] = "qa",
    meaning: Annotated[str, typer.Option(help="What the signature means.")] = "approved for release checks",
    out: Annotated[
        Path | None, typer.Option(help="Also write it here, such as POLICY.approval.json beside the file.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the approval as JSON.")] = False,
) -> int:
    """Approve a policy: sign the digest of all that it says.

    Without an approval that is older than the run no run can be released. The approval is kept on this machine, and
    written beside the policy where --out says so.

    \b
    Exit codes: 0 approved; 2 usage, or no such key
    Reads:      policies/ here, then the shipped ones; $GATEKEEPER_HOME/keys
    See also:   policy lint, policy show, check --approval

    \b
    Example:
      gatekeeper policy approve neuro/ich_triage --by "Dr Ada Example" --role qa
    """
    from datetime import UTC, datetime

    from gatekeeper.canonical import pretty_json
    from gatekeeper.cli.inputs import home
    from gatekeeper.policy import load_policy
    from gatekeeper.policy.approval import approve as sign

    policy = load_policy(name).policy
    approval, written = sign(policy, by, role, meaning, home(), datetime.now(UTC), out)
    if as_json:
        typer.echo(pretty_json({**approval.to_json(), "file": str(written)}), nl=False)
        return 0
    kind = "   DEVELOPMENT KEY, not for release" if approval.development else ""
    for head, text in (
        ("policy", f"{policy.id} {policy.version}, {len(policy.requirements)} requirements"),
        ("digest", policy.digest),
        ("approved", f"{approval.approved} by {approval.by} ({approval.role}): {approval.meaning}"),
        ("signed", f"{approval.signer}{kind}"),
        ("file", str(written)),
    ):
        typer.echo(printable(f"{head:10}{text}"))
    return 0
