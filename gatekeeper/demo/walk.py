"""The demonstration, step by step: a test set on disk and locked, two candidates checked, size alone beside them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gatekeeper.demo.lidc import read_lidc
from gatekeeper.demo.testset import area_baseline, write_test_set
from gatekeeper.evidence import VerdictWord
from gatekeeper.gate import CheckRequest, CheckResult, check
from gatekeeper.locking import lock_testset
from gatekeeper.statistics import auroc_interval, cluster_index
from gatekeeper.testset import Manifest

Progress = Callable[[str, int, int], None]

POLICY = "chest_ct/nodule_malignancy"
CANDIDATES = Path(__file__).parent / "candidates"
# The patient ids of LIDC-IDRI are public, so the secret that hides them is none, and the lock is the same everywhere.
_SECRET = b"LIDC-IDRI patient ids are public\n"


@dataclass(frozen=True)
class TestSet:
    """The demonstration's locked test set."""

    table: Path
    lock: Path
    manifest: Manifest
    words: str


@dataclass(frozen=True)
class SizeBaseline:
    """How well the area of the contour alone ranks the nodules, on the same originals as the candidates."""

    auroc: float
    lower: float
    upper: float
    words: str


def build_test_set(out: Path, home: Path, progress: Progress) -> TestSet:
    """Write the readings of the test patients as DICOM files with their table, and lock them."""
    progress("reading LIDC-IDRI", 0, 1)
    lidc = read_lidc()
    progress("reading LIDC-IDRI", 1, 1)
    folder = out / "testset"
    table = write_test_set(folder, lidc)
    secret = folder / "public.secret"
    secret.write_bytes(_SECRET)
    lock = folder / "lidc-nodules.lock"
    manifest = lock_testset(table, lock, home, secret_file=secret, progress=progress)
    part = lidc.counts.test
    words = (
        f"test set  {table}\n"
        f"          {part.readings:,} readings of {part.nodules:,} nodules of {part.patients:,} patients, as DICOM "
        f"files; {part.malignant:,} nodules malignant by radiologists' consensus\n"
        f"lock      {lock}   {manifest.digest}"
    )
    return TestSet(table, lock, manifest, words)


def size_baseline(testset: TestSet) -> SizeBaseline:
    """Rank the originals by the area of their contour, with the interval that the gate uses."""
    areas = area_baseline(testset.table)
    originals = [case for case in testset.manifest.cases if case.case_id == case.subject]
    scores = np.array([areas[case.case_id] for case in originals])
    labels = np.array([case.label for case in originals])
    codes, _ = cluster_index([case.patient for case in originals])
    estimate, interval = auroc_interval(scores, labels, codes)
    words = (
        f"size alone  The area of the contour by itself ranks these {len(originals)} nodules with an AUROC of "
        f"{estimate:.3f} ({interval.lower:.3f} to {interval.upper:.3f}): the network mostly learns size."
    )
    return SizeBaseline(estimate, interval.lower, interval.upper, words)


def check_candidate(
    name: str, testset: TestSet, baseline: SizeBaseline, out: Path, home: Path, progress: Progress
) -> CheckResult:
    """Check one of the shipped candidates under the shipped policy."""
    request = CheckRequest(
        policy=POLICY,
        candidate=CANDIDATES / f"{name}.yaml",
        testset=testset.lock,
        out=out,
        home=home,
        notes=(baseline.words.removeprefix("size alone  "),),
    )
    return check(request, progress)


def is_blocked(result: CheckResult) -> bool:
    """Whether the gate stayed shut for a candidate because a requirement is not met."""
    return result.verdict.verdict is VerdictWord.FAIL
