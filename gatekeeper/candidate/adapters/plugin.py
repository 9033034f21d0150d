"""Plug-ins: Python packages that offer a candidate by entry point. Found by name, never by a path.

A package is installed, or lies with its metadata (``name-version.dist-info``, as ``pip install --target`` leaves it) in
the folder that is the candidate's artefact: then its files are digested with the candidate.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint, distributions, entry_points
from pathlib import Path
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from gatekeeper.candidate.adapters.determinism import set_up_torch
from gatekeeper.candidate.adapters.model import Batch, PluginCase, Setting
from gatekeeper.candidate.adapters.outputs import BOXES, SCORES, asked_for, padded_boxes
from gatekeeper.candidate.adapters.settings import check_setting
from gatekeeper.candidate.contract import Contract
from gatekeeper.catalogue import nearest
from gatekeeper.errors import Code, UsageError

GROUP = "gatekeeper.candidates"
Answer: TypeAlias = "NDArray[Any] | Mapping[str, NDArray[Any]]"
Called: TypeAlias = Callable[[PluginCase], Answer]


def plugin_distribution(name: str, folder: Path | None) -> tuple[str, str]:
    """Return the name and the version of the package that offers the plug-in. Nothing of it is imported.

    Raises UsageError when no package, or more than one, offers it.
    """
    distribution = _point(name, folder).dist
    if distribution is None:
        raise UsageError(
            Code.UNKNOWN_NAME,
            f'the package of the plug-in "{name}" has no metadata',
            mend="install it with pip",
        )
    return distribution.name, distribution.version


def _point(name: str, folder: Path | None) -> EntryPoint:
    offered: list[EntryPoint] = [*entry_points(group=GROUP), *_brought(folder)]
    points = [point for point in offered if point.name == name]
    if len(points) > 1:
        raise UsageError(
            Code.DUPLICATE,
            f'{len(points)} packages offer a plug-in called "{name}"',
            mend="uninstall all but one of them",
        )
    if not points:
        known = sorted({point.name for point in offered})
        near = nearest(name, known)
        raise UsageError(
            Code.UNKNOWN_NAME,
            f'unknown plug-in "{name}"',
            why=f"known: {', '.join(known)}" if known else "no package offers one",
            mend=f'did you mean "{near}"?' if near else f"install the package with the entry point {GROUP}: {name}",
        )
    return points[0]


def _brought(folder: Path | None) -> list[EntryPoint]:
    """Return the plug-ins of packages in a candidate's own folder."""
    if folder is None or not folder.is_dir():
        return []
    found = distributions(path=[str(folder)])
    return [point for one in found for point in one.entry_points if point.group == GROUP]


def load_plugin(contract: Contract, folder: Path, device: str, threads: int) -> Plugin:
    """Ask the plug-in for its candidate: ``load(folder, device)``, folder None where it has no files."""
    assert contract.plugin is not None
    own = None if contract.artefact is None else folder / contract.artefact
    point = _point(contract.plugin, own)
    if own is not None and own.is_dir():
        sys.path.insert(0, str(own))
    try:
        load = point.load()
    except Exception as error:
        raise UsageError(
            Code.MISMATCH,
            f'the plug-in "{contract.plugin}" cannot be imported',
            why=type(error).__name__,
            mend="reinstall the package that offers it, with what it needs",
        ) from error
    files = contract.artefact is not None or bool(contract.files)
    call = load(folder if files else None, device)
    if not callable(call):
        raise TypeError(type(call).__name__)
    return Plugin(cast("Called", call), contract, device, threads)


class Plugin:
    """A plug-in as a Model. It is called once a case, on arrays of the host; the device is its own affair."""

    takes_tensors = False

    def __init__(self, call: Called, contract: Contract, device: str, threads: int) -> None:
        self._call = call
        self._contract = contract
        self._device = device
        self._threads = threads
        parameters = getattr(call, "parameters", None)
        self.parameters: int | None = parameters if type(parameters) is int and parameters >= 0 else None
        self._torch_is_set = False

    def stage(self, batch: Batch) -> list[PluginCase]:
        """Give each case an image of its own, which it may write to."""
        return [
            PluginCase(
                image=np.array(image),
                spacing_mm=facts.spacing_mm,
                affine=facts.affine,
                modality=facts.modality,
                files=facts.files,
            )
            for image, facts in zip(batch.images, batch.cases, strict=True)
        ]

    def forward(self, staged: list[PluginCase], setting: Setting) -> list[Answer]:
        """Call the plug-in, case by case."""
        check_setting(self._contract, setting, self._device)
        # A plug-in may import torch at its first case alone.
        if "torch" in sys.modules and not self._torch_is_set:
            set_up_torch(self._threads)
            self._torch_is_set = True
        return [self._call(case) for case in staged]

    def fetch(self, outputs: list[Answer]) -> dict[str, NDArray[np.generic]]:
        """Put the answers together. Raises ValueError when those of a batch differ in names or shapes."""
        answers = [_named(answer) for answer in outputs]
        names = list(answers[0])
        if any(list(answer) != names for answer in answers):
            raise ValueError("the answers of a batch differ")
        contract = self._contract
        if contract.output.kind == "boxes":
            pairs = [(answer[BOXES], answer[SCORES]) for answer in answers]
            others = [name for name in names if name not in (BOXES, SCORES)]
            stacked = {name: np.stack([answer[name] for answer in answers]) for name in others}
            return {**stacked, **padded_boxes(pairs, contract.input.axes)}
        wanted = asked_for(answers[0], contract.output)
        return {name: np.stack([answer[name] for answer in answers]) for name in wanted}

    def synchronize(self) -> None:
        """Wait for the device, where the plug-in uses one by torch."""
        torch = sys.modules.get("torch")
        if torch is not None and self._device != "cpu" and torch.cuda.is_initialized():
            torch.cuda.synchronize()


def _named(answer: Answer) -> dict[str, NDArray[Any]]:
    if isinstance(answer, Mapping):
        return {str(name): np.asarray(array) for name, array in answer.items()}
    return {"output": np.asarray(answer)}
