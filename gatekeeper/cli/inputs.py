"""What a command works on: from its options, else from ``gatekeeper.yaml`` in the working folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatekeeper.errors import Code, UsageError

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from gatekeeper.cli.project import Project
    from gatekeeper.trust import Trust

Trusted = Annotated[
    list[str] | None,
    typer.Option(
        metavar="[ROLE=]ROOT.pem", help="Whom to trust instead of this machine's root; also qa=sha256:FINGERPRINT."
    ),
]
PROJECT_FILE = "gatekeeper.yaml"


def read_project() -> Project:
    """Read ``gatekeeper.yaml`` in the working folder; an empty project when there is none."""
    from gatekeeper.cli.project import Project

    path = Path(PROJECT_FILE)
    if not path.is_file():
        return Project()
    from gatekeeper.strict_yaml import read_yaml
    from gatekeeper.validation import validate

    return validate(Project, read_yaml(path))


def needed(value: str | None, option: str) -> str:
    """Return an option's value. Raises UsageError when neither option nor project file gives it."""
    if value is None:
        raise UsageError(
            Code.MISSING_KEY,
            f"no {option} was given",
            mend=f'give --{option}, or write "{option}:" in {PROJECT_FILE}',
        )
    return value


def find_file(given: str, group: str, suffix: str) -> Path:
    """Return the file that was given, or the one of that name in ``configs/<group>`` of the working folder."""
    named = Path("configs") / group / f"{given}{suffix}"
    return named if os.path.isfile(named) and not os.path.isfile(given) else Path(given)


def trusted(given: list[str] | None) -> Trust:
    """Return what ``--trust`` names, each ``[ROLE=]ROOT.pem`` or ``ROLE=sha256:FINGERPRINT``, over this machine's own.

    Raises UsageError for another form, a role that there is not, or one that is named twice.
    """
    from gatekeeper.trust import AUTHORITY, ROLES, Trust, load_trust_root, own_trust

    own: list[Certificate] = []
    roots: dict[str, Certificate] = {}
    pins: dict[str, str] = {}
    for entry in given or ():
        role, _, value = entry.partition("=")
        if role not in (*ROLES, AUTHORITY) and "=sha256:" not in entry:
            own.append(load_trust_root(Path(entry)))
        elif role not in (*ROLES, AUTHORITY) or role in (pins if value.startswith("sha256:") else roots):
            raise _not_trust(entry)
        elif value.startswith("sha256:"):
            pins[role] = value
        else:
            roots[role] = load_trust_root(Path(value))
    if len(own) > 1:
        raise _not_trust("two roots without a role")
    if own:
        return Trust(own[0], roots, pins)
    here = own_trust(home())
    return Trust(here.root, {**here.roots, **roots}, pins)


def known_role(given: str) -> str:
    """Return a role that signs dossiers. Raises UsageError for another word."""
    from gatekeeper.trust import ROLES

    if given not in ROLES:
        raise UsageError(Code.UNKNOWN_NAME, f'there is no role "{given}"', mend=f"roles are {', '.join(ROLES)}")
    return given


def _not_trust(entry: str) -> UsageError:
    return UsageError(
        Code.BAD_VALUE,
        "this does not say whom to trust",
        where=f"--trust {entry}",
        mend="give ROOT.pem, or qa=ROOT.pem, or qa=sha256:FINGERPRINT; roles are tool, engineer, qa and tsa, each once",
    )


def home() -> Path:
    """Return the folder of keys, ledger and logs: ``$GATEKEEPER_HOME``, else ``~/.gatekeeper``."""
    given = os.environ.get("GATEKEEPER_HOME")
    return Path(given) if given else Path.home() / ".gatekeeper"
