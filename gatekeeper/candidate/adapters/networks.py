"""Networks of torch, of whatever format: to the device, through the network, and back."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gatekeeper.candidate.adapters.determinism import allow_tf32
from gatekeeper.candidate.adapters.faults import NoDeterministicImplementation
from gatekeeper.candidate.adapters.model import Batch, Setting
from gatekeeper.candidate.adapters.outputs import asked_for, gathered_boxes, named
from gatekeeper.candidate.adapters.settings import check_setting
from gatekeeper.candidate.adapters.sliding import windowed
from gatekeeper.candidate.contract import Contract

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Staged:
    """Images on their way to the device: ``arrived`` is the event to wait for, on CUDA."""

    images: torch.Tensor
    arrived: torch.cuda.Event | None = None


class Network:
    """A module of torch as a Model. It is in evaluation mode, on its device, and never learns.

    One that ``reads_only`` leaves its input as it is, and is given images where they lie.
    """

    takes_tensors = True

    def __init__(self, module: torch.nn.Module, contract: Contract, device: str, *, reads_only: bool = False) -> None:
        import torch

        self._module = module
        self._contract = contract
        self._device = device
        self._cuda = torch.device(device).type == "cuda"
        self._reads_only = reads_only
        self._staging: _Staging = _Pinned() if self._cuda else _Seen() if reads_only else _Copied()
        self._compiled: Callable[[torch.Tensor], object] | None = None
        self._channels_last = False
        self._cases = 0
        self.parameters: int | None = sum(parameter.numel() for parameter in module.parameters())

    def stage(self, batch: Batch) -> Staged:
        """Bring the images to the device; those that are there are copied, since a network may work in place."""
        if isinstance(batch.images, np.ndarray):
            return self._staging.stage(batch.images, self._device)
        return Staged(batch.images if self._reads_only else batch.images.clone())

    def forward(self, staged: Staged, setting: Setting) -> object:
        """Return what the network returns. Raises UsageError for a setting that it cannot be run with."""
        import torch

        check_setting(self._contract, setting, "cuda" if self._cuda else "cpu")
        images = staged.images
        if staged.arrived is not None:
            stream = torch.cuda.current_stream()
            stream.wait_event(staged.arrived)
            images.record_stream(stream)
        self._cases = len(images)
        self._lay_out(setting.channels_last)
        if setting.channels_last:
            images = images.contiguous(memory_format=_channels_last(images.dim()))
        call = windowed(self._called(setting), self._contract.input.sliding_window)
        half = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(setting.numeric_format)
        allow_tf32(setting.numeric_format == "tf32")
        try:
            with (
                torch.inference_mode(),
                torch.autocast("cuda" if self._cuda else "cpu", dtype=half) if half else nullcontext(),
            ):
                return call(images)
        except RuntimeError as error:
            if "deterministic" in str(error):
                raise NoDeterministicImplementation from error
            raise
        finally:
            allow_tf32(False)

    def fetch(self, outputs: object) -> dict[str, NDArray[np.generic]]:
        """Wait for the device and return the outputs that the contract asks for."""
        tensors = asked_for(dict(named(outputs)), self._contract.output)
        arrays = {name: _array(tensor) for name, tensor in tensors.items()}
        if self._contract.output.kind == "boxes":
            return gathered_boxes(arrays, self._cases, self._contract.input.axes)
        return arrays

    def synchronize(self) -> None:
        """Wait for the device."""
        if self._cuda:
            import torch

            torch.cuda.synchronize()

    def _called(self, setting: Setting) -> Callable[[torch.Tensor], object]:
        if not setting.compiled:
            return self._module
        if self._compiled is None:
            import torch

            self._compiled = torch.compile(self._module)
        return self._compiled

    def _lay_out(self, channels_last: bool) -> None:
        """Lay the weights out like the images: 4 axes for images, 5 for volumes."""
        import torch

        if channels_last == self._channels_last:
            return
        with torch.no_grad():
            for weight in self._module.parameters():
                if weight.dim() in (4, 5):
                    layout = _channels_last(weight.dim()) if channels_last else torch.contiguous_format
                    weight.data = weight.data.contiguous(memory_format=layout)
        self._channels_last = channels_last


def _channels_last(axes: int) -> torch.memory_format:
    import torch

    return torch.channels_last if axes == 4 else torch.channels_last_3d


def _array(tensor: Any) -> NDArray[np.generic]:
    """Copy to the host. numpy has no bf16, and an output in half precision loses nothing as float32."""
    import torch

    plain = tensor.detach().as_subclass(torch.Tensor) if isinstance(tensor, torch.Tensor) else torch.as_tensor(tensor)
    if plain.dtype in (torch.bfloat16, torch.float16):
        plain = plain.float()
    return np.asarray(plain.cpu().numpy())


class _Staging(Protocol):
    def stage(self, images: NDArray[np.generic], device: str) -> Staged: ...


class _Seen:
    """Staging on a CPU of what only reads its input: images where they lie.

    They may lie in memory that cannot be written to, so that a network which did would end the process.
    """

    def __init__(self) -> None:
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable", category=UserWarning)

    def stage(self, images: NDArray[np.generic], device: str) -> Staged:
        import torch

        return Staged(torch.from_numpy(images))


@dataclass
class _Copied:
    """Staging on a CPU. Images that may be written to are used in place.

    Others are copied into a buffer that is used again: a network that works in place would else end the process on
    memory that is shared for reading alone, or spoil what the next condition is given.
    """

    buffer: NDArray[np.uint8] = field(default_factory=lambda: np.empty(0, dtype=np.uint8))

    def stage(self, images: NDArray[np.generic], device: str) -> Staged:
        import torch

        if images.flags.writeable:
            return Staged(torch.from_numpy(images))
        if self.buffer.nbytes < images.nbytes:
            self.buffer = np.empty(images.nbytes, dtype=np.uint8)
        copy = self.buffer[: images.nbytes].view(images.dtype).reshape(images.shape)
        np.copyto(copy, images)
        return Staged(torch.from_numpy(copy))


class _Pinned:
    """Staging for CUDA: two pinned buffers in turn, copied from on a stream of their own."""

    def __init__(self) -> None:
        import torch

        self._stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        self._buffers: list[tuple[torch.Tensor, torch.cuda.Event] | None] = [None, None]
        self._turn = 0

    def stage(self, images: NDArray[np.generic], device: str) -> Staged:
        import torch

        turn, self._turn = self._turn, 1 - self._turn
        held = self._buffers[turn]
        if held is not None:
            held[1].synchronize()
        if held is None or held[0].numel() < images.nbytes:
            pinned = torch.empty(images.nbytes, dtype=torch.uint8, pin_memory=True)
            held = (pinned, torch.cuda.Event())  # type: ignore[no-untyped-call]
        pinned = held[0][: images.nbytes]
        np.copyto(pinned.numpy().view(images.dtype).reshape(images.shape), images)
        kind = torch.from_numpy(np.empty(0, dtype=images.dtype)).dtype
        with torch.cuda.stream(self._stream):
            there = pinned.view(kind).reshape(images.shape).to(device, non_blocking=True)
            held[1].record(self._stream)
        self._buffers[turn] = held
        return Staged(there, held[1])
