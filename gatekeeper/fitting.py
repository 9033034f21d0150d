"""Policy, candidate and test set held against one another, before anything is run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from gatekeeper.candidate import Candidate, Contract
from gatekeeper.candidate.contract import CALLS, MASKS
from gatekeeper.canonical import digest_file
from gatekeeper.engine.measuring import Asked
from gatekeeper.engine.outputs import check_answerable
from gatekeeper.errors import Code, UsageError
from gatekeeper.evidence import Plan
from gatekeeper.evidence.conditions import UnusableKind
from gatekeeper.metrics import Suite
from gatekeeper.perturbations import PERTURBATIONS
from gatekeeper.policy import Policy
from gatekeeper.suites import asked_of
from gatekeeper.testset import LockedTestSet, Manifest
from gatekeeper.testset.unusable import MADE, OF_VOLUMES, chosen, inputs_of

# task of a policy -> what a test set for it is locked for
LOCKED_TASKS: Mapping[str, str] = MappingProxyType(
    {
        "classification": "classification",
        "segmentation": "segmentation",
        "quantification": "segmentation",
        "detection": "detection",
    }
)


def check_test_set(policy: Policy, manifest: Manifest) -> None:
    """Hold a test set against a policy: its task, and the attributes of subgroups. Raises UsageError."""
    task = LOCKED_TASKS.get(policy.context.task)
    if task != manifest.task:
        raise UsageError(
            Code.MISMATCH,
            f"the policy is of {policy.context.task}, and this test set is locked for {manifest.task}",
            why=None if task else "references of this kind cannot be locked by this version",
            mend="choose a policy of that task, or lock the cases with --task" if task else "choose another policy",
        )
    known = {name for case in manifest.cases for name in case.attributes}
    for attribute in policy.subgroups.by if policy.subgroups else ():
        if attribute not in known:
            raise UsageError(
                Code.MISMATCH,
                f'the policy asks for subgroups by "{attribute}", which the test set does not have',
                mend=f"attributes of the test set: {', '.join(sorted(known)) or 'none'}",
            )


def check_candidate(policy: Policy, plan: Plan, contract: Contract) -> Asked:
    """Hold what a candidate declares against a policy; return what the evidence must hold. Raises UsageError."""
    kinds = {"classification": CALLS, "segmentation": MASKS, "detection": ("boxes",)}
    wanted = kinds[LOCKED_TASKS[policy.context.task]]
    if contract.output.kind not in wanted:
        raise UsageError(
            Code.MISMATCH,
            f"the candidate's output is of the kind {contract.output.kind}, and the policy is of {policy.context.task}",
            mend=f"choose another policy, or a candidate whose output.kind is one of: {', '.join(wanted)}",
        )
    if len(contract.output.classes) > 2 and contract.output.positive is None:
        raise UsageError(
            Code.MISMATCH,
            "the candidate tells several classes apart, and the policy calls cases positive or negative",
            why="the labels of a locked test set are 0 or 1",
            mend="say by output.positive of the candidate which of its classes is looked for",
        )
    asked = asked_of(policy, contract)
    check_answerable(contract, asked)
    _check_perturbations(plan, contract)
    return asked


def check_refusals(policy: Policy, contract: Contract, manifest: Manifest) -> None:
    """See that there is an input of each kind that a blocking requirement wants refused. Raises UsageError.

    An advisory requirement is not decided where there is none.
    """
    demands = [item for item in policy.requirements.values() if item.spec.suite is Suite.REFUSAL]
    if contract.format == "predictions" or not any(item.blocking for item in demands):
        return
    taken = contract.input
    volumes, original = taken.axes == 3, taken.gives == "original"
    for kind in policy.refusals:
        if not chosen(kind, 1, manifest, policy.context.modality, volumes=volumes, original=original):
            raise UsageError(
                Code.MISMATCH,
                f'the policy requires that inputs of the kind "{kind}" are refused, and there is none',
                why=_why_not_made(kind, volumes=volumes, original=original),
                mend=f"add a row with {kind} in the column must_refuse to the table, and lock it with "
                "`gatekeeper lock create`; or take the kind out of refusals",
            )


def _why_not_made(kind: UnusableKind, *, volumes: bool, original: bool) -> str:
    if kind not in MADE:
        return "it cannot be made of other images"
    if kind in OF_VOLUMES and not volumes:
        return "it is made of volumes, and the candidate takes images of two axes"
    return "the candidate is given the original files" if original else "no case can be spoiled"


def _check_perturbations(plan: Plan, contract: Contract) -> None:
    """See that every perturbation of a plan can be made of what the candidate takes."""
    perturbed = [condition for condition in plan.conditions if condition.perturbation]
    if perturbed and contract.input.gives == "original":
        raise UsageError(
            Code.MISMATCH,
            "the policy asks for perturbations, and the candidate is given the original files",
            why="what is perturbed is the prepared array",
            mend="give it the array (input.gives: array or nifti), or choose a policy without robustness and level R3",
        )
    for condition in perturbed:
        perturbation = PERTURBATIONS.get(condition.perturbation or "")
        key = "robustness" if condition.suite == Suite.ROBUSTNESS.value else "repeatability.benign"
        mend = f'choose a policy without "{perturbation.name}" under {key}'
        if contract.input.axes not in perturbation.axes:
            fits = " or ".join(str(axes) for axes in sorted(perturbation.axes))
            raise UsageError(
                Code.MISMATCH,
                f"{perturbation.name} is a perturbation of images of {fits} axes, "
                f"and the candidate takes {contract.input.axes}",
                mend=mend,
            )
        if perturbation.colour and contract.input.channels != 3:
            raise UsageError(
                Code.MISMATCH,
                f"{perturbation.name} is a perturbation of images in colour, and the candidate takes one channel",
                mend=mend,
            )


def check_hidden(candidate: Candidate, testset: LockedTestSet, lock: Path, folders: Sequence[Path]) -> None:
    """See that the candidate could read neither labels nor ``folders``, of keys and runs. Raises UsageError.

    Python's and the system's folders are open to every candidate, and so are the files that it names.
    """
    from gatekeeper.candidate.isolation import exposed

    locked = {file.sha256 for case in inputs_of(testset.manifest) for file in case.files} | {digest_file(lock)}
    shared = [name for name, digest in candidate.record.files.items() if digest in locked]
    if shared and candidate.record.contract.format != "predictions":
        raise UsageError(
            Code.FORBIDDEN,
            "a file of the candidate is one of the test set, or its lock",
            where=str(candidate.folder / shared[0]),
            why="whoever runs the candidate hands it all that it names",
            mend="keep the candidate in a folder of its own, and name no other files",
        )
    seen = exposed([str(path) for path in (lock, testset.root, *folders)])
    if seen:
        raise UsageError(
            Code.FORBIDDEN,
            "the test set, its lock, the keys or the runs lie where a candidate can read them",
            where=seen[0],
            why="Python's and the system's folders are open to every candidate",
            mend="move them to a folder of their own",
        )
