"""ONNX by onnxruntime: a graph of known operators. On a CPU, and without a sliding window, torch is not imported."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gatekeeper.candidate.adapters.determinism import is_deterministic, set_up_torch
from gatekeeper.candidate.adapters.graph_inputs import GraphInput, check_input
from gatekeeper.candidate.adapters.model import Batch, Setting
from gatekeeper.candidate.adapters.outputs import asked_for, gathered_boxes, named
from gatekeeper.candidate.adapters.settings import check_setting
from gatekeeper.candidate.contract import Contract
from gatekeeper.errors import Code, UsageError

if TYPE_CHECKING:
    import onnxruntime
    import torch

# Older ones read external data through "..", absolute paths and links (seen in 1.23.2).
_SAFE = (1, 24, 4)
_DTYPES = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(float16)": "float16",
    "tensor(uint8)": "uint8",
    "tensor(int16)": "int16",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
}


def load_onnx(contract: Contract, folder: Path, device: str, threads: int) -> OnnxGraph:
    """Load a graph and hold its input against the contract."""
    check_runtime()
    if contract.input.sliding_window is not None:
        set_up_torch(threads)
    assert contract.artefact is not None
    path = folder / contract.artefact
    graph = OnnxGraph(_session(path, device, threads, tf32=False), contract, device, path, threads)
    graph.parameters = count_parameters(path)
    return graph


def check_runtime() -> None:
    """Raise UsageError unless onnxruntime is here, of a version that keeps to the model's folder."""
    try:
        # Two distributions offer the same package: with CUDA, and without.
        found = next(filter(None, map(_version, ("onnxruntime", "onnxruntime-gpu"))), None)
        if found is None or find_spec("onnxruntime") is None:
            raise PackageNotFoundError
    except PackageNotFoundError:
        raise UsageError(
            Code.MISSING_PACKAGE,
            "the format onnx needs onnxruntime, which is not installed",
            mend="pip install 'gatekeeper-imaging[models]'",
        ) from None
    if tuple(int(part) for part in found.split(".")[:3] if part.isdigit()) < _SAFE:
        raise UsageError(
            Code.MISSING_PACKAGE,
            f"onnxruntime {found} is too old",
            why="a graph could read files outside its folder",
            mend="pip install --upgrade 'onnxruntime>=1.24.4'",
        )


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def _session(path: Path, device: str, threads: int, *, tf32: bool) -> onnxruntime.InferenceSession:
    import onnxruntime

    providers: list[Any] = ["CPUExecutionProvider"]
    if device != "cpu":
        if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
            raise UsageError(
                Code.MISMATCH,
                "this onnxruntime has no CUDA",
                mend="install onnxruntime-gpu in place of onnxruntime, or set engine.device=cpu",
            )
        providers.insert(0, ("CUDAExecutionProvider", {"use_tf32": str(int(tf32))}))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # fatal: the rest may quote the candidate
    options.use_deterministic_compute = is_deterministic()
    session = onnxruntime.InferenceSession(str(path), options, providers=providers)
    if device != "cpu" and session.get_providers()[0] != "CUDAExecutionProvider":
        raise UsageError(
            Code.MISMATCH,
            "onnxruntime fell back to the CPU",
            why="its CUDA provider could not be loaded",
            mend="install the CUDA and cuDNN that this onnxruntime was made for, or set engine.device=cpu",
        )
    return session


def count_parameters(path: Path) -> int | None:
    """Return how many floating-point numbers the graph's initialisers hold, or None where `onnx` is not installed."""
    if find_spec("onnx") is None:
        return None
    import onnx

    try:
        graph = onnx.load(str(path), load_external_data=False).graph
    except Exception:
        return None
    floats = {onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE, onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16}
    return sum(int(np.prod(of.dims, dtype=object)) for of in graph.initializer if of.data_type in floats)


@dataclass(frozen=True)
class _Staged:
    """Images on the host, or on the device as well."""

    images: NDArray[np.generic]
    there: Any = None


class OnnxGraph:
    """A session of onnxruntime as a Model."""

    takes_tensors = False

    def __init__(
        self, session: onnxruntime.InferenceSession, contract: Contract, device: str, path: Path, threads: int
    ) -> None:
        inputs = session.get_inputs()
        check_input([GraphInput(_DTYPES.get(of.type, of.type), _shape(of.shape)) for of in inputs], contract)
        self._sessions = {False: session}
        self._place = (path, device, threads)
        self._contract = contract
        self._device = device
        self._input: str = inputs[0].name
        names = {of.name: of.name for of in session.get_outputs()}
        for key, wanted in (("name", contract.output.name), ("refuses.flag", contract.output.refuses.flag)):
            if wanted is not None and wanted not in names:
                raise UsageError(
                    Code.MISMATCH,
                    f"the graph has no output of the name that output.{key} gives",
                    mend="`gatekeeper candidate inspect` lists its outputs",
                )
        self._names: list[str] = [*names] if contract.output.kind == "boxes" else [*asked_for(names, contract.output)]
        self._cases = 0
        self.parameters: int | None = None

    def stage(self, batch: Batch) -> _Staged:
        """Bring the images to the device; on a CPU they are used where they lie, since no graph writes to its input."""
        images = np.ascontiguousarray(batch.images)
        if self._device == "cpu" or self._contract.input.sliding_window is not None:
            return _Staged(images)
        import onnxruntime

        return _Staged(images, onnxruntime.OrtValue.ortvalue_from_numpy(images, "cuda", 0))

    def forward(self, staged: _Staged, setting: Setting) -> dict[str, Any]:
        """Return the outputs that the contract asks for."""
        check_setting(self._contract, setting, "cpu" if self._device == "cpu" else "cuda")
        session = self._session_for(setting)
        self._cases = len(staged.images)
        if self._contract.input.sliding_window is not None:
            return self._over_windows(session, staged.images)
        if staged.there is not None:
            binding = session.io_binding()
            binding.bind_ortvalue_input(self._input, staged.there)
            for name in self._names:
                binding.bind_output(name, "cuda")
            session.run_with_iobinding(binding)
            return dict(zip(self._names, binding.get_outputs(), strict=True))
        return self._run(session, staged.images)

    def fetch(self, outputs: dict[str, Any]) -> dict[str, NDArray[np.generic]]:
        """Return the outputs as arrays of the host."""
        arrays = {
            name: output if isinstance(output, np.ndarray) else output.numpy() for name, output in outputs.items()
        }
        if self._contract.output.kind == "boxes":
            return gathered_boxes(arrays, self._cases, self._contract.input.axes)
        return arrays

    def synchronize(self) -> None:
        """Nothing to wait for: a run of onnxruntime returns when it is done."""

    def _session_for(self, setting: Setting) -> onnxruntime.InferenceSession:
        tf32 = setting.numeric_format == "tf32"
        if tf32 not in self._sessions:
            path, device, threads = self._place
            self._sessions[tf32] = _session(path, device, threads, tf32=tf32)
        return self._sessions[tf32]

    def _run(self, session: onnxruntime.InferenceSession, images: NDArray[np.generic]) -> dict[str, NDArray[Any]]:
        return dict(zip(self._names, session.run(self._names, {self._input: images}), strict=True))

    def _over_windows(self, session: onnxruntime.InferenceSession, images: NDArray[np.generic]) -> dict[str, Any]:
        import torch

        from gatekeeper.candidate.adapters.sliding import windowed

        def call(windows: torch.Tensor) -> dict[str, torch.Tensor]:
            found = self._run(session, np.ascontiguousarray(windows.cpu().numpy()))
            return {name: torch.from_numpy(array) for name, array in found.items()}

        # Windows are cut from a copy: images may be for reading alone.
        whole = torch.from_numpy(np.array(images))
        return dict(named(windowed(call, self._contract.input.sliding_window)(whole)))


def _shape(shape: list[int | str | None]) -> tuple[int | None, ...]:
    return tuple(length if isinstance(length, int) else None for length in shape)
