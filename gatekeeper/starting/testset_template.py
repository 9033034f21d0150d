"""The test set to fill: a table with the right columns, and a page that says what goes into each."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from types import MappingProxyType

from gatekeeper.fitting import LOCKED_TASKS
from gatekeeper.policy import Policy
from gatekeeper.starting.nearest import Shipped

_REFERENCE: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "classification": ("label", "1 for {positive}, 0 for a case without"),
        "segmentation": ("mask", "a mask below this folder ({structures}); empty where there is nothing to outline"),
        "detection": ("boxes", '`[{{"low": [x, y], "high": [x, y], "unit": "pixel"}}]`; empty for no finding'),
    }
)
IGNORED = """\
# Patients' images and ids, and the secret that hides them, do not belong into a repository. The lock does.
cases.csv
images/
masks/
*.secret
"""


def locked_task(policy: Policy) -> str:
    """Return what a test set for this policy is locked for."""
    return LOCKED_TASKS[policy.context.task]


def columns(policy: Policy) -> tuple[str, ...]:
    """Return the columns of the table: what is needed, then what the policy compares."""
    repeats = ("repeat_of",) if _has_repeats(policy) else ()
    refused = ("must_refuse",) if policy.refusals else ()
    groups = policy.subgroups.by if policy.subgroups else ()
    return ("case_id", "patient_id", "image", _REFERENCE[locked_task(policy)][0], *repeats, *refused, *groups)


def table(policy: Policy) -> str:
    """Return the table's first line; a table without rows cannot be locked."""
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerow(columns(policy))
    return written.getvalue()


def page(parent: Shipped) -> str:
    """Return what each column means, and the command that locks the table."""
    policy, task = parent.policy, locked_task(parent.policy)
    name, meaning = _REFERENCE[task]
    context = policy.context
    meaning = meaning.format(positive=context.positive or "the finding", structures=", ".join(context.structures))
    rows = {
        "case_id": f"a name for the case (one {context.unit}); it is printed, so it holds no patient id",
        "patient_id": "who it is of; leaves this table only as a keyed hash",
        "image": "a file below this folder, or a folder with one DICOM series",
        name: meaning,
        "repeat_of": "the `case_id` of which this is a true repeat, such as a second scan; else empty",
        "must_refuse": f"why nobody may answer this input ({', '.join(policy.refusals)}); empty for every real case",
    }
    listed = "\n".join(f"| `{column}` | {rows.get(column) or _of_group(column)} |" for column in columns(policy))
    option = "" if task == "classification" else f" --task {task}"
    return f"""\
# The test set

`cases.csv` has a row for each case. Images lie below this folder. Further columns are attributes for subgroups.

| column | what goes into it |
|---|---|
{listed}

```
gatekeeper lock create --table testset/cases.csv --out testset/cases.lock{option}
```

The lock binds every file to its patient and its reference, and is signed; it holds no patient id. It belongs into the
repository. The table, the images and `cases.lock.secret` do not. `gatekeeper check --dry-run` says whether there are
too few cases to decide what the policy requires.
"""


def _has_repeats(policy: Policy) -> bool:
    return any(requirement.level == "R4" for requirement in policy.requirements.values())


def _of_group(column: str) -> str:
    return f"the {column.replace('_', ' ')} by which the policy looks at groups; empty where it is not known"
