"""What is to be started, by digest: a candidate with all that belongs to it, or a file alone."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from gatekeeper.errors import Code, UsageError

_YAML = (".yaml", ".yml")


@dataclass(frozen=True)
class Model:
    """``digest`` is the candidate's; where ``alone`` that of a file, which binds no adapter and no operating point."""

    where: str
    digest: str
    alone: bool


def digest_model(path: Path, *, artefact_only: bool) -> Model:
    """Digest a candidate by its YAML; a file alone only where ``artefact_only`` says that this is meant.

    Raises UsageError for what is no candidate, and for a file alone that was not asked for so.
    """
    if path.suffix in _YAML:
        if artefact_only:
            mend = "leave --artefact-only out, or name the artefact itself"
            raise UsageError(Code.BAD_VALUE, "a candidate's YAML is no artefact", where=str(path), mend=mend)
        from gatekeeper.candidate.load import load_candidate

        return Model(str(path), load_candidate(path).record.digest, alone=False)
    if not os.path.isfile(path):
        found = "this is a folder" if os.path.isdir(path) else "there is no such file"
        mend = "give the candidate's YAML, which names its files and folders"
        raise UsageError(Code.FILE_NOT_FOUND, "the model cannot be read", where=str(path), why=found, mend=mend)
    if not artefact_only:
        raise UsageError(
            Code.MISSING_KEY,
            "an artefact alone does not say how it is to be used",
            where=str(path),
            why="a record is of artefact, adapter and operating point together",
            mend="give the candidate's YAML; or --artefact-only, where nothing but the file's bytes needs to be known",
        )
    from gatekeeper.canonical import digest_file

    try:
        return Model(str(path), digest_file(path), alone=True)
    except OSError as error:
        mend = "make the file readable"
        raise UsageError(
            Code.FILE_NOT_FOUND, "the model cannot be read", where=str(path), why=error.strerror, mend=mend
        ) from error
