"""The demonstration of segmentation, step by step: two heads on disk and locked, a published candidate checked."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gatekeeper.demo.brain import find_heads, find_macaque, write_heads
from gatekeeper.demo.deepbet_plugin import FOLDER, WEIGHTS, require_deepbet, weights_folder
from gatekeeper.demo.writing import written_below
from gatekeeper.evidence import VerdictWord
from gatekeeper.gate import CheckRequest, CheckResult, check
from gatekeeper.locking import lock_testset
from gatekeeper.policy import load_policy
from gatekeeper.testset import Manifest
from gatekeeper.verdict import shortfalls

Progress = Callable[[str, int, int], None]

POLICY = "neuro/brain_extraction"
SHIPPED = Path(__file__).parent / "candidates" / "brain" / "deepbet.yaml"
# Who the heads are is public, so the secret that hides it is none, and the lock is the same everywhere.
_SECRET = b"the heads of both templates are public\n"
_NOTES = (
    "Neither head is a patient: one is the average of 27 scans of one man, the other of 152 people.",
    "No reference was drawn by an expert: one is the outline that BET gave, the other where the published volume is "
    "not 0. What is measured is agreement with other programs, not accuracy.",
    "The skull of mni152 was taken off before it was published, which makes it easy.",
)


@dataclass(frozen=True)
class BrainSet:
    """The locked heads."""

    table: Path
    lock: Path
    manifest: Manifest
    words: str


def build_brain_set(out: Path, home: Path, progress: Progress) -> BrainSet:
    """Write both heads with their masks and their table, and lock them.

    Raises UsageError, with what to install, when a head or the candidate's package is missing.
    """
    heads = find_heads()
    require_deepbet()
    progress("writing the heads", 0, 1)
    folder = out / "testset"
    macaque = find_macaque()
    table = write_heads(folder, heads, macaque)
    progress("writing the heads", 1, 1)
    secret = folder / "public.secret"
    secret.write_bytes(_SECRET)
    lock = folder / "brains.lock"
    manifest = lock_testset(table, lock, home, task="segmentation", secret_file=secret, progress=progress)
    words = (
        f"test set  {table}\n"
        f"          {len(heads)} heads on T1-weighted MR, with masks of the brain that other programs made\n"
        + ("          and the brain of a macaque, which should be declined\n" if macaque else "")
        + f"lock      {lock}   {manifest.digest}"
    )
    return BrainSet(table, lock, manifest, words)


def write_candidate(out: Path) -> Path:
    """Put the candidate's YAML and the weights of the installed package into one folder; return the YAML's path.

    So its digest is that of the weights that are run, not of a name.
    """
    folder = out / "candidate"
    source = weights_folder()
    with written_below(folder, "candidate"):
        (folder / FOLDER).mkdir(parents=True, exist_ok=True)
        for name in WEIGHTS:
            shutil.copyfile(source / name, folder / FOLDER / name)
        return Path(shutil.copyfile(SHIPPED, folder / SHIPPED.name))


def check_brain(candidate: Path, testset: BrainSet, out: Path, home: Path, progress: Progress) -> CheckResult:
    """Check the candidate under the shipped policy."""
    request = CheckRequest(policy=POLICY, candidate=candidate, testset=testset.lock, out=out, home=home, notes=_NOTES)
    return check(request, progress)


def what_it_means(result: CheckResult, testset: BrainSet) -> str:
    """Say what two heads can decide, and what it would take."""
    verdict = result.verdict.verdict.value
    short = [item for item in shortfalls(load_policy(POLICY).policy, testset.manifest) if item.closes_the_gate]
    needs = [f"{item.title} {item.needed:,} {item.n_of}" for item in short if item.needed is not None]
    return (
        f"Two heads decide little. The verdict is {verdict}, however good the outlines look: an interval over two of "
        "them reaches to values that nobody has seen, and what is not decided keeps the gate shut. Even a candidate "
        f"without errors would need more: {'; '.join(needs)}."
    )


def ran(result: CheckResult) -> bool:
    """Whether the gate came to a verdict."""
    return result.verdict.verdict is not VerdictWord.INVALID
