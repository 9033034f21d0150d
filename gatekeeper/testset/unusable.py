"""Inputs that a candidate must decline: cases that are spoiled, odd files of a lock, odd files that pydicom brings.

pydicom's package holds two small real scans for its own tests (a CT and an MR of de-identified people). Whichever is
of another modality than a policy's is handed in as ``wrong_modality``, beside what a lock holds of that kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path

from gatekeeper.canonical import digest_bytes
from gatekeeper.errors import Code, IntegrityError
from gatekeeper.evidence.conditions import UnusableKind
from gatekeeper.testset.lock import LockedTestSet
from gatekeeper.testset.manifest import LockedCase, LockedFile, Manifest, UnusableCase

# Kinds that are made of locked cases; any other is a real input, or none.
MADE: frozenset[UnusableKind] = frozenset(
    {"blank", "inverted", "cropped", "noise", "corrupted", "missing_slices", "mixed_orientation"}
)
OF_VOLUMES: frozenset[UnusableKind] = frozenset({"missing_slices", "mixed_orientation"})
# A candidate that is given the original files is given these overwritten; a file is not made anew.
OF_FILES: frozenset[UnusableKind] = frozenset({"corrupted"})


def _brought(modality: str, sha256: str, size: int) -> tuple[str, UnusableCase]:
    file = LockedFile(role="image", path=f"{modality}_small.dcm", sha256=f"sha256:{sha256}", size=size)
    name = f"pydicom {file.path}"
    case = LockedCase(case_id=name, patient=sha256, files=(file,), label=0, subject=name, attributes={})
    return modality, UnusableCase(must_refuse="wrong_modality", case=case)


_BROUGHT = (
    _brought("CT", "3dd31e5cc835b3f2cdd46c9da1982f59251e78518fefa8163d914631c66437d6", 39206),
    _brought("MR", "3f27d1c22f1a66e80d7bb7c911e8610fd0bb70325a76746a7adb1c0ddefcf2bb", 9830),
)


def inputs_of(manifest: Manifest) -> tuple[LockedCase, ...]:
    """Return all that can be handed in: the cases, then what is locked as unusable, then what pydicom brings."""
    return (*manifest.inputs, *(one.case for _, one in _BROUGHT))


def chosen(
    kind: UnusableKind, tries: int, manifest: Manifest, modality: str, *, volumes: bool = True, original: bool = False
) -> tuple[int, ...]:
    """Choose what is handed in as one kind, by its place in ``inputs_of``, in that order; the same every time.

    Real inputs come first, up to ``tries``. The rest are cases to be spoiled: originals, one of each patient before the
    second of any, spread evenly over the lock. ``volumes`` says whether the candidate takes images of three axes,
    ``original`` whether it is given the files themselves. Empty where there is no such input.
    """
    cases = len(manifest.cases)
    real = [cases + at for at, one in enumerate(manifest.unusable) if one.must_refuse == kind]
    first = len(manifest.inputs)
    if kind == "wrong_modality":
        real += [first + at for at, (of, _) in enumerate(_BROUGHT) if of != modality]
    can_be_made = kind in MADE and (volumes or kind not in OF_VOLUMES) and (not original or kind in OF_FILES)
    spoilt = _spread(manifest.cases, tries - len(real)) if can_be_made else []
    return tuple(sorted([*real[:tries], *spoilt]))


def read_input(testset: LockedTestSet, index: int) -> dict[str, bytes]:
    """Return the bytes of an input by path. Raises IntegrityError when they are not the known ones."""
    case = inputs_of(testset.manifest)[index]
    if index < len(testset.manifest.inputs):
        return testset.read(case)
    (file,) = case.files
    found = find_spec("pydicom")
    folder = Path(found.origin).parent if found and found.origin else Path()
    path = folder / "data" / "test_files" / file.path
    data = path.read_bytes() if path.is_file() else b""
    if digest_bytes(data) != file.sha256:
        raise IntegrityError(
            Code.DIGEST_MISMATCH,
            f"the file {file.path} that pydicom brings is not the known one",
            why="it is handed in as an image of the wrong modality",
            mend="install pydicom again",
        )
    return {file.path: data}


def _spread(cases: Sequence[LockedCase], most: int) -> list[int]:
    rounds: list[list[int]] = []
    seen: dict[str, int] = {}
    for index, case in enumerate(cases):
        if case.subject != case.case_id:
            continue
        turn = seen[case.patient] = seen.get(case.patient, -1) + 1
        if turn == len(rounds):
            rounds.append([])
        rounds[turn].append(index)
    found: list[int] = []
    for those in rounds:
        found += _evenly(those, most - len(found))
    return found


def _evenly(those: Sequence[int], most: int) -> Iterable[int]:
    if len(those) <= most:
        return those
    return [those[at * len(those) // most] for at in range(max(0, most))]
