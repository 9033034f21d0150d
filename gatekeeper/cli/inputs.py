"""What a command works on: from its options, else from ``gatekeeper.yaml`` in the working folder."""

from __future__ import annotations

import os
from pathlib import Path

from gatekeeper.errors import Code, UsageError
from gatekeeper.evidence import Record

PROJECT_FILE = "gatekeeper.yaml"


class Project(Record):
    """``gatekeeper.yaml``: what ``gatekeeper check`` works on when its options are left out."""

    policy: str | None = None
    candidate: str | None = None
    testset: str | None = None
    approval: str | None = None
    root: str | None = None
    out: str = "reports"


def read_project() -> Project:
    """Read ``gatekeeper.yaml`` in the working folder; an empty project when there is none."""
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


def home() -> Path:
    """Return the folder of keys, ledger and logs: ``$GATEKEEPER_HOME``, else ``~/.gatekeeper``."""
    given = os.environ.get("GATEKEEPER_HOME")
    return Path(given) if given else Path.home() / ".gatekeeper"
