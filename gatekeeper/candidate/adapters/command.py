"""Executables: a command that reads numbered cases from one folder and writes its answers into another."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from gatekeeper.candidate.adapters.case_files import case_name, write_case
from gatekeeper.candidate.adapters.command_answers import read_answers
from gatekeeper.candidate.adapters.faults import Refused
from gatekeeper.candidate.adapters.model import Batch, Setting
from gatekeeper.candidate.adapters.settings import check_setting
from gatekeeper.candidate.contract import Contract
from gatekeeper.errors import Code, UsageError

_PLACEHOLDERS = ("{input}", "{output}")


class CommandFailed(Exception):
    """The command ended with a status that is neither success nor the one that refuses."""


@dataclass(frozen=True)
class _Staged:
    """A folder with the cases of a batch, and what is needed to read the answers."""

    folder: Path
    batch: Batch

    def remove(self) -> None:
        """Remove the folder, whatever the command left in it."""
        shutil.rmtree(self.folder, ignore_errors=True)


def load_command(contract: Contract, folder: Path, device: str, threads: int) -> Command:
    """Make the argument list; a word that names one of the candidate's files becomes its path."""
    missing = [mark for mark in _PLACEHOLDERS if not any(mark in word for word in contract.command)]
    if missing:
        raise UsageError(
            Code.MISMATCH,
            f"the command is not told where {' and '.join(missing)} is",
            mend="let {input} and {output} stand among its arguments",
        )
    artefact = () if contract.artefact is None else (contract.artefact,)
    files = {str(PurePosixPath(name)): folder / name for name in (*artefact, *contract.files)}
    words = [str(files.get(str(PurePosixPath(word)), word)) for word in contract.command]
    if shutil.which(words[0]) is None:
        raise UsageError(
            Code.MISMATCH,
            f'the command "{contract.command[0]}" cannot be run here',
            why="it is neither a file of the candidate, nor a program in /usr/bin, nor another that it can see",
            mend="name it under artefact or files, or give a program of the system",
        )
    return Command(words, contract, device)


class Command:
    """A command as a Model: one call a batch, in a private folder that is emptied afterwards.

    The folder is made where TMPDIR says, which the worker may write to; the command gets the worker's environment.
    """

    takes_tensors = False

    parameters: int | None = None

    def __init__(self, words: Sequence[str], contract: Contract, device: str) -> None:
        self._words = words
        self._contract = contract
        self._device = device

    def stage(self, batch: Batch) -> _Staged:
        """Write the cases: ``case-0001``.. in the form that the contract asks for."""
        staged = _Staged(Path(tempfile.mkdtemp(prefix="batch-")), batch)
        inputs = staged.folder / "input"
        inputs.mkdir()
        (staged.folder / "output").mkdir()
        for index, (image, facts) in enumerate(zip(batch.images, batch.cases, strict=True)):
            write_case(inputs, case_name(index), image, facts, self._contract.input.gives)
        return staged

    def forward(self, staged: _Staged, setting: Setting) -> _Staged:
        """Run the command. Raises Refused or CommandFailed by its exit status."""
        check_setting(self._contract, setting, self._device)
        marks = {"{input}": str(staged.folder / "input"), "{output}": str(staged.folder / "output")}
        words = [_filled(word, marks) for word in self._words]
        try:
            status = subprocess.run(words, cwd=staged.folder, stdin=subprocess.DEVNULL, check=False).returncode
            if status == self._contract.output.refuses.status:
                raise Refused
            if status != 0:
                raise CommandFailed
        except BaseException:
            staged.remove()
            raise
        return staged

    def fetch(self, outputs: _Staged) -> dict[str, NDArray[np.generic]]:
        """Read what the command wrote, and remove it."""
        try:
            return read_answers(outputs.folder / "output", outputs.batch, self._contract)
        finally:
            outputs.remove()

    def synchronize(self) -> None:
        """Nothing to wait for: the command has ended."""


def _filled(word: str, marks: dict[str, str]) -> str:
    for mark, folder in marks.items():
        word = word.replace(mark, folder)
    return word
