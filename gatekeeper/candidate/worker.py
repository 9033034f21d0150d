"""The process that runs a candidate. It sees inputs and conditions, never labels, names of cases, keys or the ledger.

Started by the engine as ``python -I -m gatekeeper.candidate.worker LINE INPUT.. OUTPUT..`` with open file descriptors:
the line of ``protocol``, then a slot for each input and each output. It walls itself in before it touches the
candidate, says that it is ready, and answers questions until the line ends. What it says is checked by the engine.
"""

from __future__ import annotations

import mmap
import os
import resource
import sys
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import numpy as np
from numpy.typing import NDArray

from gatekeeper.candidate.adapters import (
    Batch,
    CaseFacts,
    Model,
    Setting,
    check_setting,
    declined,
    fault_of,
    load,
    make_deterministic,
)
from gatekeeper.candidate.contract import Format
from gatekeeper.candidate.isolation import Confinement, confine
from gatekeeper.candidate.protocol import (
    MOST_OUTPUTS,
    SLOTS,
    Answer,
    ArrayAt,
    Declined,
    DeviceLost,
    Ended,
    Failed,
    Given,
    Line,
    Order,
    Part,
    Question,
    Ready,
    write_arrays,
)
from gatekeeper.candidate.stress import perturbed
from gatekeeper.errors import Code, GatekeeperError, UsageError
from gatekeeper.evidence import Condition, Record

if TYPE_CHECKING:
    import torch

_LONGEST_NAME = 80
_TOLD: tuple[Format, ...] = ("python", "command")
_DTYPES = set(get_args(ArrayAt.model_fields["dtype"].annotation))


class Start(Record):
    """The first line: the walls to stand within, and the order."""

    confinement: Confinement
    level: str
    order: Order


class _Lost(Exception):
    """The device cannot be used any more."""


@dataclass
class _Slots:
    """The shared memory: questions are read from ``inputs``, answers are put into ``outputs``."""

    inputs: Sequence[int]
    outputs: Sequence[int]

    def __post_init__(self) -> None:
        self._mapped: dict[int, mmap.mmap] = {}

    def array(self, number: int, place: ArrayAt) -> NDArray[np.generic]:
        """Return a read-only view of an array of a question."""
        memory = self._memory(number % SLOTS, place.offset + place.size)
        flat = np.frombuffer(memory, dtype=place.dtype, count=int(np.prod(place.shape)), offset=place.offset)
        return flat.reshape(place.shape)

    def data(self, number: int, offset: int, length: int) -> bytes:
        """Copy some bytes of a question."""
        return bytes(self._memory(number % SLOTS, offset + length)[offset : offset + length])

    def _memory(self, slot: int, size: int) -> mmap.mmap:
        mapped = self._mapped.get(slot)
        if mapped is None or len(mapped) < size:
            mapped = mmap.mmap(self.inputs[slot], os.fstat(self.inputs[slot]).st_size, prot=mmap.PROT_READ)
            self._mapped[slot] = mapped
        return mapped


def main(arguments: Sequence[str]) -> None:
    """Answer the engine's questions until it hangs up."""
    line, *slots = (int(argument) for argument in arguments)
    with suppress(Ended):
        serve(Line(line), _Slots(slots[:SLOTS], slots[SLOTS:]))


def serve(line: Line, slots: _Slots) -> None:
    """Wall in, load, and answer questions. Raises Ended when the engine hangs up."""
    start = line.hear_as(Start)
    order = start.order
    try:
        walls = confine(start.confinement, start.level)
        device = _device(order)
        if order.deterministic:
            make_deterministic(order.threads)
        model = load(order.contract, Path(order.folder), device, order.threads)
        for condition in order.conditions:
            if condition.numeric_format is None:  # the engine leaves out conditions whose own format cannot be run
                check_setting(order.contract, _setting(order, condition), device)
    except GatekeeperError as error:
        if error.__cause__ is not None:
            traceback.print_exception(error.__cause__)
        problem = error.problems[0]
        line.say(Declined(what=problem.what, why=problem.why, mend=problem.mend))
        return
    line.say(_ready(order, model, walls, device))
    while True:
        question = line.hear_as(Question)
        try:
            for answer in _answers(question, order, model, slots, device):
                line.say(answer)
        except _Lost as error:
            line.say(DeviceLost(error=_type_of(error.__cause__)))
            return


def _answers(question: Question, order: Order, model: Model, slots: _Slots, device: str) -> Iterator[Answer]:
    """Give the answer under each condition in turn; their outputs lie one after another in the slot."""
    images = slots.array(question.number, question.images)
    cases = tuple(_facts(given, question.number, slots) for given in question.cases) or (CaseFacts(),) * len(images)
    offset = 0
    for index, shown in _shown(question, images, order, model, device):
        condition = order.conditions[index]
        batch = Batch(shown, cases)
        seconds: list[float] = []
        answered, failed = _called(model, batch, _setting(order, condition), order, seconds if question.timed else None)
        parts = []
        for of, outputs in answered:
            placed = write_arrays(slots.outputs[question.number % SLOTS], outputs, offset)
            offset = max((at.offset + -(-at.size // 64) * 64 for at in placed), default=offset)
            parts.append(Part(cases=of, outputs=placed))
        yield Answer(
            number=question.number,
            condition=index,
            parts=tuple(parts),
            failed=tuple(failed),
            seconds=(seconds[0], seconds[1], seconds[2]) if len(seconds) == 3 else None,
            peak_device=_peak_of_device(device) if question.timed else None,
            peak_children=_peak_of_children() if question.timed else None,
        )


_Answered = tuple[tuple[int, ...], list[tuple[str, NDArray[np.generic]]]]


def _called(
    model: Model, batch: Batch, setting: Setting, order: Order, seconds: list[float] | None
) -> tuple[list[_Answered], list[Failed]]:
    """Call the model on a batch; when that fails, on each of its cases alone, since one case may fail and no other."""
    everyone = tuple(range(len(batch.cases)))
    refuses = order.contract.output.refuses
    try:
        outputs = _outputs(model, batch, setting, seconds)
    except Exception as error:
        if (fault := fault_of(error, refuses)) == "device_lost":
            raise _Lost from error
        if len(everyone) == 1:
            if fault != "refused":
                traceback.print_exception(error)
            return [], [Failed(case=0, fault=fault, error=_type_of(error))]
    else:
        refused = declined(outputs, refuses, len(everyone))
        numbers = _numbers(outputs)
        if not refused.any():
            return [(everyone, numbers)], []
        kept = np.flatnonzero(~refused)
        failed = [Failed(case=int(case), fault="refused", error="") for case in np.flatnonzero(refused)]
        numbers = [(name, array[kept]) for name, array in numbers if len(array) == len(everyone)]
        return ([(tuple(map(int, kept)), numbers)] if len(kept) else []), failed
    answered: list[_Answered] = []
    failed = []
    for case in everyone:
        alone = Batch(batch.images[case : case + 1], batch.cases[case : case + 1])
        those, lost = _called(model, alone, setting, order, None)
        answered += [((case,), outputs) for _, outputs in those]
        failed += [one.model_copy(update={"case": case}) for one in lost]
    return answered, failed


def _outputs(
    model: Model, batch: Batch, setting: Setting, seconds: list[float] | None
) -> Mapping[str, NDArray[np.generic]]:
    if seconds is None:
        return model.fetch(model.forward(model.stage(batch), setting))
    marks = _Marks(model)
    staged = model.stage(batch)
    marks.set()
    raw = model.forward(staged, setting)
    marks.set()
    outputs = model.fetch(raw)
    marks.set()
    seconds += marks.seconds()
    return outputs


class _Marks:
    """Points in time between the steps of a call; the first is set at once.

    Each is set once the device is idle: where torch runs the network on a GPU as an event of its stream, elsewhere by
    the monotonic clock.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self._events: list[torch.cuda.Event] = []
        self._clock: list[float] = []
        self._on_stream = model.takes_tensors and "torch" in sys.modules and sys.modules["torch"].cuda.is_initialized()
        self.set()

    def set(self) -> None:
        self._model.synchronize()  # images are copied on a stream of their own
        if self._on_stream:
            import torch

            event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
            event.record()
            self._events.append(event)
            return
        self._clock.append(time.perf_counter())

    def seconds(self) -> list[float]:
        """Return the time from each mark to the next; all work before the last has been waited for."""
        if self._on_stream:
            self._events[-1].synchronize()
            return [before.elapsed_time(after) / 1e3 for before, after in pairwise(self._events)]
        return [after - before for before, after in pairwise(self._clock)]


def _peak_of_device(device: str) -> int | None:
    """Return the most bytes that torch held on the device; None where it was another library, or a CPU."""
    torch_there = sys.modules.get("torch")
    if device != "cuda" or torch_there is None:
        return None
    return int(torch_there.cuda.max_memory_allocated()) or None


def _peak_of_children() -> int | None:
    """Return the most resident bytes of one process that was started and is gone, or None without any."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 or None


def _numbers(outputs: Mapping[str, NDArray[np.generic]]) -> list[tuple[str, NDArray[np.generic]]]:
    """Keep what is an array of numbers: an output that is not there is what the engine finds invalid."""
    kept = [(str(name)[:200], array) for name, array in outputs.items() if str(array.dtype) in _DTYPES and array.ndim]
    return kept[:MOST_OUTPUTS]


def _type_of(error: BaseException | None) -> str:
    """Return the name of an exception's type: all that is told of it, since its text may say anything."""
    name = type(error).__name__
    return name if name.isidentifier() and name.isascii() and len(name) < _LONGEST_NAME else "an exception"


def _facts(given: Given, number: int, slots: _Slots) -> CaseFacts:
    files = {file.name: slots.data(number, file.offset, file.length) for file in given.files}
    affine = None if given.affine is None else np.array(given.affine, dtype=np.float64)
    return CaseFacts(given.spacing_mm, affine, given.modality, files or None)


def _setting(order: Order, condition: Condition) -> Setting:
    return Setting(
        numeric_format=condition.numeric_format or order.numeric_format,
        channels_last=order.channels_last,
        compiled=order.compiled,
    )


def _shown(
    question: Question, images: NDArray[np.generic], order: Order, model: Model, device: str
) -> Iterator[tuple[int, NDArray[np.generic] | torch.Tensor]]:
    """Give the images under each condition; those of one perturbation share what its severities have in common."""
    of = groupby(
        zip(question.conditions, question.seeds, strict=True), key=lambda pair: order.conditions[pair[0]].perturbation
    )
    for perturbation, pairs in of:
        indices, seeds = zip(*pairs, strict=True)
        if perturbation is None:
            yield from ((index, images) for index in indices)
            continue
        magnitudes = [order.conditions[index].magnitude or 0.0 for index in indices]
        axes = images.ndim - 2
        spacing = np.array([given.spacing_mm or (1.0,) * axes for given in question.cases], dtype=np.float64)
        drawn = seeds[0] or (0,) * len(images)
        steps = perturbed(images, spacing, order.contract.input, perturbation, magnitudes, drawn, device)
        for index, shown in zip(indices, steps, strict=True):
            if model.takes_tensors:
                yield index, shown
                continue
            array = np.ascontiguousarray(shown.cpu().numpy())
            array.flags.writeable = False
            yield index, array


def _device(order: Order) -> str:
    """Return the device to use. ONNX on a CPU does without torch, whose import takes longer than many a run."""
    if order.device == "cpu":
        return "cpu"
    there = _cuda_is_there()
    if order.device == "cuda" and not there:
        raise UsageError(Code.MISMATCH, "no CUDA device can be used here", mend="set engine.device=cpu, or auto")
    return "cuda" if there else "cpu"


def _cuda_is_there() -> bool:
    if not any(os.path.exists(node) for node in ("/dev/nvidiactl", "/dev/dxg")):
        return False
    import torch

    return torch.cuda.is_available()


def _ready(order: Order, model: Model, walls: tuple[str, ...], device: str) -> Ready:
    name, packages = "CPU", dict[str, str]()
    for package in ("torch", "onnxruntime", "monai"):
        if package in sys.modules:
            packages[package] = str(sys.modules[package].__version__)[:200]
    if device == "cuda":
        import torch

        name = torch.cuda.get_device_name()
        packages["cuda"] = str(torch.version.cuda)
    return Ready(
        walls=walls,
        device=device,
        device_name=name,
        packages=packages,
        deterministic=order.deterministic,
        parameters=model.parameters,
        told=order.contract.format in _TOLD or any(one.perturbation is not None for one in order.conditions),
    )


if __name__ == "__main__":
    main(sys.argv[1:])
