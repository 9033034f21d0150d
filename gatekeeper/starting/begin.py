"""The use case: from a few wishes to a project whose every file holds."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from gatekeeper.candidate.contract import Format
from gatekeeper.candidate.load import named_files
from gatekeeper.canonical import JSON
from gatekeeper.errors import Code, UsageError
from gatekeeper.starting.candidate_template import ARTEFACTS, candidate_yaml
from gatekeeper.starting.learnt import Learnt, learn
from gatekeeper.starting.nearest import Shipped, shipped_policy
from gatekeeper.starting.notation import check_path, quoted
from gatekeeper.starting.policy_template import policy_yaml
from gatekeeper.starting.testset_template import IGNORED, locked_task, page, table
from gatekeeper.starting.workflow_template import PLACEHOLDER, check_action, workflow_yaml
from gatekeeper.starting.writing import write_together

_ID = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
WORKFLOW = PurePosixPath(".github/workflows/model-release.yml")
LOCK = PurePosixPath("testset/cases.lock")
_TELL_NOTHING: tuple[Format, ...] = ("python", "command", "predictions")


@dataclass(frozen=True)
class Wishes:
    """What a project is to be: ``context`` is the name of a shipped policy, ``id`` that of the new one.

    ``artefact`` is a file (or a bundle's folder) that is there, as seen from the working folder; without it the
    candidate names one that is still to be put beside it. ``action`` is OWNER/REPOSITORY@COMMIT.
    """

    context: str
    id: str
    format: Format | None = None
    artefact: Path | None = None
    task: str | None = None
    workflow: bool = True
    action: str = PLACEHOLDER


@dataclass(frozen=True)
class Started:
    """What was written, in its order, each with what it is, and the commands that come next.

    ``task`` is what the test set is locked for; ``unnamed_action`` says that the workflow does not know its action
    yet, ``off_root`` that the folder is not the root of its repository, where alone GitHub looks for workflows.
    """

    folder: Path
    files: tuple[tuple[PurePosixPath, str], ...]
    parent: str
    task: str
    next: tuple[str, ...]
    unnamed_action: bool
    off_root: bool

    def to_json(self) -> dict[str, JSON]:
        """Return it as plain data."""
        listed: list[JSON] = [{"path": str(path), "what": what} for path, what in self.files]
        return {"folder": str(self.folder), "over": self.parent, "files": listed, "next": [*self.next]}


def missing_wishes(given: Iterable[tuple[str, object]]) -> UsageError:
    """Return the error of flags that nobody can be asked for, since there is no terminal."""
    flags = ", ".join(flag for flag, value in given if value is None)
    return UsageError(
        Code.MISSING_KEY,
        f"not given: {flags}",
        why="there is no terminal on which to ask",
        mend="give these options, such as --context chest_ct/nodule_malignancy --id our_site.nodules --format onnx; "
        "or --yes, which takes what would be proposed for all but the context",
    )


def default_id(context: str) -> str:
    """Return the id that is proposed for a policy over a shipped one."""
    return f"our_site.{context.rpartition('/')[2]}"


def begin(folder: Path, wishes: Wishes, *, force: bool = False) -> Started:
    """Write ``gatekeeper.yaml``, a policy, a candidate, a test set and a workflow. Raises UsageError.

    Nothing is written before every file is made and everything that could be in the way is looked for.
    """
    if not _ID.fullmatch(wishes.id):
        raise UsageError(
            Code.BAD_VALUE,
            "this is no id of a policy",
            where=f"--id {wishes.id[:100]}",
            mend="begin with a small letter or a digit, and go on with these and . _ - (64 at most)",
        )
    check_action(wishes.action)
    parent = shipped_policy(wishes.context)
    if wishes.id == parent.policy.id:
        raise UsageError(
            Code.DUPLICATE,
            "this is the id of the shipped policy",
            where=f"--id {wishes.id}",
            mend=f"give yours another, such as {default_id(parent.name)}: releases tell policies apart by it",
        )
    _check_task(wishes, parent)
    artefact, learnt = _artefact(folder, wishes)
    form = _format(wishes, parent, learnt)
    candidate = (artefact.parent if artefact else PurePosixPath("model")) / "candidate.yaml"
    policy = PurePosixPath("policies") / f"{wishes.id.replace('.', '_')}.yaml"
    files: dict[PurePosixPath, tuple[str, str]] = {
        PurePosixPath("gatekeeper.yaml"): (_project(policy, candidate), "what a bare `gatekeeper check` works on"),
        policy: (policy_yaml(parent, wishes.id, policy), f"what is required, over {parent.name}"),
        candidate: (
            candidate_yaml(parent.policy.context, form, artefact.name if artefact else None, learnt),
            "the model, its input and its output",
        ),
        PurePosixPath("testset/cases.csv"): (table(parent.policy), "one row a case"),
        PurePosixPath("testset/README.md"): (page(parent), "what goes into its columns"),
        PurePosixPath("testset/.gitignore"): (IGNORED, "keeps images and patient ids out of the repository"),
    }
    if wishes.workflow:
        files[WORKFLOW] = (workflow_yaml(policy, candidate, LOCK, wishes.action), "the gate on every change")
    write_together(folder, {path: text for path, (text, _) in files.items()}, force=force)
    task = locked_task(parent.policy)
    return Started(
        folder=folder,
        files=tuple((path, what) for path, (_, what) in files.items()),
        parent=parent.name,
        task=task,
        next=(
            f"gatekeeper policy lint {policy}",
            "gatekeeper lock create --table testset/cases.csv --out testset/cases.lock"
            + ("" if task == "classification" else f" --task {task}"),
            "gatekeeper check",
        ),
        unnamed_action=wishes.workflow and wishes.action == PLACEHOLDER,
        off_root=wishes.workflow and _is_off_root(folder),
    )


def _is_off_root(folder: Path) -> bool:
    real = folder.resolve()
    return not (real / ".git").exists() and any((above / ".git").exists() for above in real.parents)


def _check_task(wishes: Wishes, parent: Shipped) -> None:
    task = parent.policy.context.task
    if wishes.task is not None and wishes.task not in (task, locked_task(parent.policy)):
        raise UsageError(
            Code.MISMATCH,
            f"{parent.name} is of {task}",
            where=f"--task {wishes.task[:40]}",
            mend="leave --task out, or give another --context (`gatekeeper policy list`)",
        )


def _artefact(folder: Path, wishes: Wishes) -> tuple[PurePosixPath | None, Learnt | None]:
    """Return the artefact relative to the folder, and what it tells."""
    if wishes.artefact is None:
        return None, None
    relative = PurePosixPath(os.path.relpath(os.path.abspath(wishes.artefact), os.path.abspath(folder)))
    check_path(relative, "--artefact")
    # What a candidate may name: what is there, and reached by no link.
    next(iter(named_files(folder / "gatekeeper.yaml", [str(relative)])), None)
    return relative, None if wishes.format in _TELL_NOTHING else learn(folder / relative)


def _format(wishes: Wishes, parent: Shipped, learnt: Learnt | None) -> Format:
    form = wishes.format or (learnt.format if learnt else "onnx")
    if form not in ARTEFACTS:
        raise UsageError(
            Code.UNKNOWN_NAME,
            "there is no such format of candidates",
            where=f"--format {str(form)[:40]}",
            mend=f"give one of: {', '.join(ARTEFACTS)}",
        )
    if learnt is not None and form != learnt.format:
        raise UsageError(
            Code.MISMATCH,
            f"the artefact is of the format {learnt.format}",
            where=f"--format {form}",
            mend="leave --format out, or give another --artefact",
        )
    if form == "predictions" and parent.policy.context.task == "detection":
        raise UsageError(
            Code.MISMATCH,
            "findings that were made elsewhere are not read",
            where=f"--format {form}",
            mend="give the format of the model that makes them",
        )
    return form


def _project(policy: PurePosixPath, candidate: PurePosixPath) -> str:
    return f"""\
# What `gatekeeper check` works on where its options are left out. Paths are seen from this folder.
policy: {quoted(str(policy))}
candidate: {quoted(str(candidate))}
testset: {quoted(str(LOCK))}
out: "reports"   # a folder for each run: verdict, evidence, dossier
# Where the images of the test set lie, if not beside its lock:
#root: "/data/testset"
# The approval of the policy, if it is neither beside the policy nor kept on this machine:
#approval: "policies/approval.json"
"""
