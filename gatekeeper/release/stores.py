"""What a store of runs can be asked for, whatever it is made of, and the one place that reads ``--store``.

A store is a courier and no witness: what it gives is believed only where a signature holds. It can hide a record, a
revocation or the newest state of an alias, which nobody who reads it can notice.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from gatekeeper.errors import Code, UsageError

# Those of ``run_records``, which reads evidence and is slow to import; a test holds that they are the same.
ATTESTATION, DOSSIER, STATEMENT = "attestation.dsse.json", "dossier.pdf", "statement.dsse.json"
LARGEST_ENVELOPE = 16 << 20
LARGEST_DOSSIER = 512 << 20

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True)
class StoredRecord:
    """One run as a store holds it; nothing of it is believed yet.

    ``where`` names it in messages. ``attestation`` is the detached envelope, ``dossier`` reads the PDF when called and
    raises ValueError or OSError where it cannot; one of them is there unless ``problem`` says why none could be read.
    ``filed`` is false where the store does not say of which candidate it is, so that to be of another is no fault.
    """

    where: str
    attestation: bytes | None = None
    dossier: Callable[[], bytes] | None = None
    problem: str | None = None
    filed: bool = True


@dataclass(frozen=True)
class StoredRevocation:
    """The envelope of a revocation as a store holds it, not believed yet; without it, ``problem`` says why."""

    where: str
    envelope: bytes | None = None
    problem: str | None = None


@dataclass(frozen=True)
class NewRecord:
    """A run to be put into a store, whose signatures were found to hold.

    ``candidate`` is the candidate's digest, ``artefacts`` the digests of its files, ``run`` the run's id (letters,
    digits, ``.``, ``_`` and ``-``). Either of ``attestation`` and ``dossier`` may be missing, not both.
    """

    candidate: str
    artefacts: tuple[str, ...]
    run: str
    attestation: bytes | None
    dossier: bytes | None


@dataclass(frozen=True)
class Pointer:
    """What an alias points to: a candidate's digest, the run that admitted it, the policy's id, since when (UTC)."""

    candidate: str
    run: str
    context: str
    since: str


@dataclass(frozen=True)
class Alias:
    """Where an alias points, and where it pointed before; the oldest first."""

    history: tuple[Pointer, ...] = ()

    @property
    def current(self) -> Pointer | None:
        """What it points to now; None when it was never set."""
        return self.history[-1] if self.history else None


class Store(Protocol):
    """Runs, revocations and aliases. Digests are ``sha256:<hex>``; what cannot be reached raises UsageError.

    Content that is damaged or hostile is no exception: it is yielded with its ``problem``, so that one broken file
    hides no other. Nothing of it is interpreted here beyond what finds it.
    """

    @property
    def where(self) -> str:
        """The store as people name it."""
        ...

    def records(self, candidate: str) -> Iterator[StoredRecord]:
        """Give every record that claims to be of this candidate, PASS or not."""
        ...

    def candidates_of(self, artefact: str) -> tuple[str, ...]:
        """Return the digests of candidates one of whose files has this digest, as far as records claim."""
        ...

    def revocations(self, candidate: str) -> Iterator[StoredRevocation]:
        """Give every revocation that is filed under this candidate."""
        ...

    def publish(self, record: NewRecord) -> str:
        """Add a run and return where it is. Nothing is replaced; the same run again changes nothing."""
        ...

    def revoke(self, candidate: str, envelope: bytes) -> str:
        """Add a signed revocation and return where it is. Nothing is ever removed."""
        ...

    def alias(self, name: str) -> Alias:
        """Return where an alias points, wholly as one writer left it. Raises IntegrityError where it is damaged."""
        ...

    def switching(self, name: str) -> AbstractContextManager[None]:
        """Hold an alias, so that no other process changes it meanwhile; waits, then raises UsageError."""
        ...

    def point(self, name: str, alias: Alias) -> None:
        """Set an alias at once: a reader sees the old state or the new one. Call it within ``switching``."""
        ...


def open_store(given: str, *, new: bool = False) -> Store:
    """Return the store that ``--store`` names: a folder, which may be an OCI layout, or ``KIND:PLACE``.

    Raises UsageError when its kind is not known, or there is none and ``new`` does not allow to make one.
    """
    kind, colon, rest = given.partition(":")
    if colon and kind not in _KINDS and not os.path.lexists(given):
        from gatekeeper.mlflow_server import without_credentials

        known = ", ".join(f"{name}:…" for name in _KINDS)
        mend, where = f"give a folder, or {known}", without_credentials(given)
        raise UsageError(Code.UNKNOWN_NAME, f'there is no kind of store "{kind}"', where=where, mend=mend)
    if colon and kind in _KINDS:
        return _KINDS[kind](rest, new)
    path = _folder(given, new)
    return _layout(given, new) if os.path.lexists(path / "oci-layout") else _plain(given, new)


def _folder(given: str, new: bool) -> Path:
    path = Path(given)
    if not path.is_dir() and (os.path.lexists(path) or not new):
        found = "this is a file" if path.is_file() else "there is no such folder"
        mend = "name the folder that holds the runs; `gatekeeper promote` makes one"
        raise UsageError(Code.FILE_NOT_FOUND, "the store cannot be read", where=given, why=found, mend=mend)
    return path


def _plain(given: str, new: bool) -> Store:
    from gatekeeper.release.folder import FolderStore

    return FolderStore(_folder(given, new))


def _layout(given: str, new: bool) -> Store:
    from gatekeeper.release.layout import LayoutStore

    return LayoutStore(_folder(given, new))


def _registry(given: str, new: bool) -> Store:
    from gatekeeper.release.mlflow_store import open_mlflow

    return open_mlflow(given, new)


# A kind to what opens it, given what follows the colon, and whether it may be made.
_KINDS: Mapping[str, Callable[[str, bool], Store]] = {"folder": _plain, "oci": _layout, "mlflow": _registry}


def is_digest(text: str) -> bool:
    """Return whether this is ``sha256:<64 hex digits>``."""
    return _DIGEST.fullmatch(text) is not None


def hexadecimal(digest: str) -> str:
    """Return the 64 hex digits of a digest. Raises UsageError unless it is ``sha256:<64 hex digits>``.

    Whatever becomes part of a path goes through here: a digest cannot lead anywhere.
    """
    if not is_digest(digest):
        raise UsageError(
            Code.BAD_VALUE,
            "this is not a digest",
            where=digest[:100],
            mend="give sha256: and 64 hex digits in small letters, as `gatekeeper candidate digest` prints them",
        )
    return digest.removeprefix("sha256:")


def plain_name(name: str, what: str) -> str:
    """Return a name that may become a file's. Raises UsageError for another; ``what`` it names is told."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            Code.BAD_VALUE,
            f"this is not a name of {what}",
            where=name[:100],
            mend="use letters, digits, dot, dash and underscore, a letter or digit first, up to 100 of them",
        )
    return name
