"""The process in which a candidate's files are parsed.

Started as ``python -I -m gatekeeper.candidate.adapters.dissection FD`` by ``gatekeeper.candidate.inspection``: it gets
one line with the walls and the task, walls itself in, and says one line. A TorchScript file is loaded, which can run
its code; of the others nothing is deserialised but plain weights.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from gatekeeper.candidate.adapters.anatomy import Anatomy, Task, Told
from gatekeeper.candidate.contract import Format
from gatekeeper.candidate.isolation import confine
from gatekeeper.candidate.protocol import Line


def dissect(form: Format, artefact: Path) -> Anatomy:
    """Look at an artefact. Raises whatever a parser raises on a hostile file; only behind walls."""
    look = _LOOKS.get(form)
    return Anatomy() if look is None else look(artefact)


def _onnx(path: Path) -> Anatomy:
    from gatekeeper.candidate.adapters.anatomy_onnx import dissect_onnx

    return dissect_onnx(path)


def _torchscript(path: Path) -> Anatomy:
    from gatekeeper.candidate.adapters.anatomy_torch import dissect_torchscript

    return dissect_torchscript(path)


def _export(path: Path) -> Anatomy:
    from gatekeeper.candidate.adapters.anatomy_torch import dissect_exported

    return dissect_exported(path)


def _monai_bundle(path: Path) -> Anatomy:
    from gatekeeper.candidate.adapters.anatomy_torch import dissect_bundle

    return dissect_bundle(path)


_LOOKS: Mapping[Format, Callable[[Path], Anatomy]] = MappingProxyType(
    {"onnx": _onnx, "torchscript": _torchscript, "export": _export, "monai_bundle": _monai_bundle}
)


def main(fd: int) -> None:
    """Answer one task."""
    line = Line(fd)
    task = line.hear_as(Task)
    confine(task.confinement, task.level)
    try:
        told = Told(anatomy=dissect(task.format, Path(task.artefact)))
    except Exception as error:
        told = Told(error=type(error).__name__[:200])
    line.say(told)


if __name__ == "__main__":
    main(int(sys.argv[1]))
