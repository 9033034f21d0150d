"""What a candidate is made of, and what a person should look at. Nothing of it is run in this process.

The header of safetensors is read here, by a bounded reader; every other format is parsed in a walled-in process.
"""

from __future__ import annotations

import json
import math
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from socket import socketpair
from types import MappingProxyType
from typing import Any, Literal

from pydantic import ValidationError

from gatekeeper.candidate.adapters.anatomy import MOST_NAMES, Anatomy, Sign, Task, Told
from gatekeeper.candidate.contract import NEED_TRUST, Format
from gatekeeper.candidate.isolation import Confinement, Drain, choose, start
from gatekeeper.candidate.load import load_candidate, named_files
from gatekeeper.candidate.protocol import Ended, Garbled, Late, Line
from gatekeeper.canonical import digest_file, digest_json
from gatekeeper.errors import Code, UsageError
from gatekeeper.evidence import Record

_SECONDS = 180.0
_MEMORY = 16 << 30
_LARGEST_HEADER = 32 << 20
_SUFFIXES: Mapping[str, Format] = MappingProxyType(
    {
        ".safetensors": "safetensors",
        ".onnx": "onnx",
        ".ts": "torchscript",
        ".pt": "torchscript",
        ".pth": "torchscript",
        ".pt2": "export",
    }
)
_BYTES = MappingProxyType(
    {"BOOL": 1, "U8": 1, "I8": 1, "F8_E4M3": 1, "F8_E5M2": 1, "F16": 2, "BF16": 2, "I16": 2, "U16": 2}
    | {"F32": 4, "I32": 4, "U32": 4, "F64": 8, "I64": 8, "U64": 8}
)
_TRUST: Mapping[Format, str] = MappingProxyType(
    {
        "torchscript": "a TorchScript file holds code, which can write files when the network is called",
        "export": "torch evaluates expressions and unpickles sample inputs when it reads a .pt2 file",
        "monai_bundle": "MONAI evaluates the bundle's configuration: `$` runs Python, `_target_` calls anything",
        "python": "a plug-in is a Python package, which can do what it likes",
    }
)
_ADVICE: Mapping[Sign, str] = MappingProxyType(
    {
        Sign.PICKLE: "there is a pickle inside; read without weights_only it would run what it says",
        Sign.FOREIGN_PICKLE: "a pickle inside calls more than torch needs for weights",
        Sign.SAMPLE_INPUTS: "the file has sample inputs: a pickle, and perhaps images of patients",
        Sign.STRANGE_EXPRESSION: "an expression in the graph is no plain arithmetic of sizes; torch would evaluate it",
        Sign.EXPRESSIONS: "the configuration has expressions ($), which are Python",
        Sign.TARGETS: "the configuration names what to call (_target_); see the list of operators",
        Sign.FILE_OPERATIONS: "the network has operations that touch files or call Python",
        Sign.OWN_OPERATORS: "the graph has operators of its own, which need a library that comes with it",
        Sign.DATA_OUTSIDE: "the graph asks for data outside its folder; it will be refused",
        Sign.NOT_PARSED: "the artefact could not be parsed as its format",
    }
)
NO_PROOF = "advice: nothing found is no proof that there is nothing; a scanner can be deceived"


class FileEntry(Record):
    """A file by its path relative to the candidate's folder (``/`` between folders), its SHA-256 in hex, its bytes.

    The sorted list is what model-signing signs: one resource a file, named by its path, hashed by SHA-256.
    """

    path: str
    sha256: str
    size: int


class Inspection(Record):
    """What ``gatekeeper candidate inspect`` tells.

    ``digest`` is the candidate's where PATH is its YAML, else that of the list of files. ``parse_error`` is the type
    of the exception where the artefact could not be parsed.
    """

    name: str
    format: Format
    digest: str
    files: tuple[FileEntry, ...]
    plugin: str | None
    anatomy: Anatomy
    needs_trust: bool
    why: str | None
    producer: Literal["trusted", "untrusted"] | None
    advice: tuple[str, ...]
    parse_error: str | None


def inspect(path: Path) -> Inspection:
    """Look at a candidate: its YAML, or a bare artefact (a file, or a folder of MONAI's bundle).

    Raises UsageError when it is not there or of no known format, InvalidRunError where no isolation works.
    """
    plugin: str | None = None
    producer: Literal["trusted", "untrusted"] | None = None
    if path.suffix.lower() in (".yaml", ".yml"):
        candidate = load_candidate(path)
        record = candidate.record
        form, folder = record.contract.format, candidate.folder
        artefact = None if record.contract.artefact is None else candidate.artefact
        listed = sorted(record.files)
        name, plugin, producer = record.name, record.plugin, record.contract.producer
    else:
        form, folder, artefact, name = _format_of(path), path.parent, path, path.name
        listed = sorted(named_files(path, [path.name]))
    files = tuple(_entry(folder, relative) for relative in listed)
    digest = digest_json({"files": [file.to_json() for file in files]}) if producer is None else record.digest
    anatomy, error = Anatomy(), None
    if artefact is not None:
        anatomy, error = _anatomy(form, artefact)
    return Inspection(
        name=name,
        format=form,
        digest=digest,
        files=files,
        plugin=plugin,
        anatomy=anatomy,
        needs_trust=form in NEED_TRUST,
        why=_TRUST.get(form),
        producer=producer,
        advice=(*(_ADVICE[sign] for sign in anatomy.signs), NO_PROOF),
        parse_error=error,
    )


def _format_of(path: Path) -> Format:
    if path.is_dir() and (path / "configs").is_dir():
        return "monai_bundle"
    form = _SUFFIXES.get(path.suffix.lower())
    if not path.is_file():
        raise UsageError(
            Code.FILE_NOT_FOUND, "there is no candidate", where=str(path), mend="give its YAML, or its artefact"
        )
    if form is None:
        raise UsageError(
            Code.BAD_VALUE,
            "the format of this file is not known by its name",
            where=str(path),
            mend=f"give the candidate's YAML, or a file ending in {', '.join(_SUFFIXES)}, or a MONAI bundle",
        )
    return form


def _entry(folder: Path, relative: str) -> FileEntry:
    place = folder / relative
    return FileEntry(path=relative, sha256=digest_file(place).removeprefix("sha256:"), size=place.stat().st_size)


def _anatomy(form: Format, artefact: Path) -> tuple[Anatomy, str | None]:
    if form == "safetensors":
        try:
            return read_safetensors_header(artefact), None
        except (ValueError, RecursionError) as error:
            return Anatomy(signs=(Sign.NOT_PARSED,)), type(error).__name__
    if form not in ("onnx", "torchscript", "export", "monai_bundle"):
        return Anatomy(), None
    told = _asked(form, artefact.resolve())
    if told.anatomy is None:
        return Anatomy(signs=(Sign.NOT_PARSED,)), told.error
    return told.anatomy, None


def read_safetensors_header(path: Path) -> Anatomy:
    """Return tensors, dtypes and parameters of a safetensors file, from its header alone.

    The header is an unsigned 64-bit length and JSON; tensors lie end to end behind it. Raises ValueError for a header
    over 32 MiB, a key that stands twice, an unknown dtype, offsets that do not fit dtype and shape, overlap, gaps,
    and bytes that belong to no tensor.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if not 2 <= length <= min(_LARGEST_HEADER, size - 8):
            raise ValueError("the header does not fit")
        header = json.loads(stream.read(length), object_pairs_hook=_each_once)
    if not isinstance(header, dict):
        raise ValueError("the header is no mapping")
    header.pop("__metadata__", None)
    spans, dtypes, parameters = [], Counter[str](), 0
    for tensor in header.values():
        dtype, count, begin, end = _tensor(tensor)
        spans.append((begin, end))
        dtypes[dtype] += 1
        parameters += count if "F" in dtype else 0
    last = 0
    for begin, end in sorted(spans):
        if begin != last:
            raise ValueError("tensors overlap, or there is a gap")
        last = end
    if last != size - 8 - length:
        raise ValueError("bytes belong to no tensor")
    return Anatomy(parameters=parameters, tensors=len(spans), dtypes=dict(dtypes.most_common(MOST_NAMES)))


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)


def _tensor(tensor: object) -> tuple[str, int, int, int]:
    if not isinstance(tensor, dict) or set(tensor) != {"dtype", "shape", "data_offsets"}:
        raise ValueError("a tensor has other keys")
    dtype, shape, offsets = tensor["dtype"], tensor["shape"], tensor["data_offsets"]
    if not (isinstance(dtype, str) and dtype in _BYTES and isinstance(shape, list) and isinstance(offsets, list)):
        raise ValueError("a tensor has no known dtype, shape and offsets")
    if len(offsets) != 2 or not all(type(whole) is int and whole >= 0 for whole in (*shape, *offsets)):
        raise ValueError("a tensor's shape or offsets are no whole numbers")
    count = math.prod(shape)
    if offsets[1] - offsets[0] != count * _BYTES[dtype]:
        raise ValueError("a tensor's offsets do not fit its shape")
    return dtype, count, offsets[0], offsets[1]


def _asked(form: Format, artefact: Path) -> Told:
    """Let a walled-in process parse an artefact. What it says is held against ``Told``."""
    level = choose("auto")
    with tempfile.TemporaryDirectory(prefix="gatekeeper-inspect-", ignore_cleanup_errors=True) as folder:
        confinement = Confinement(
            read=(str(artefact),), write=folder, memory_bytes=_MEMORY, cpu_seconds=int(_SECONDS), file_bytes=1 << 20
        )
        ours, theirs = socketpair()
        reading, writing = os.pipe()
        with ours, Drain(reading):
            try:
                process = start(
                    [sys.executable, "-I", "-m", "gatekeeper.candidate.adapters.dissection", str(theirs.fileno())],
                    confinement,
                    level,
                    pass_fds=(theirs.fileno(),),
                    environment={"LANG": "C.UTF-8", "HOME": folder, "TMPDIR": folder, "OMP_NUM_THREADS": "1"},
                    output=writing,
                )
            finally:
                os.close(writing)
                theirs.close()
            line = Line(ours.fileno())
            try:
                line.say(Task(confinement=confinement, level=level.value, format=form, artefact=str(artefact)))
                return Told.model_validate_json(line.hear(time.monotonic() + _SECONDS))
            except (Ended, Garbled, Late, ValidationError) as error:
                return Told(error=type(error).__name__)
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
