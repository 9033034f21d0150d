"""Which settings a candidate can be run with on a device; asked before a run begins."""

from __future__ import annotations

from gatekeeper.candidate.adapters.model import Setting
from gatekeeper.candidate.contract import Contract, Format
from gatekeeper.errors import Code, UsageError

_NETWORKS: tuple[Format, ...] = ("safetensors", "torchscript", "export", "monai_bundle")


def check_setting(contract: Contract, setting: Setting, device: str) -> None:
    """Raise UsageError when a candidate cannot be run with ``setting`` on ``device`` (``cpu`` or ``cuda``)."""
    wanted = setting.numeric_format
    if wanted not in contract.numeric_formats:
        raise UsageError(
            Code.MISMATCH,
            f"the candidate does not declare the numeric format {wanted}",
            mend=f"add it to numeric_formats, or choose among: {', '.join(contract.numeric_formats)}",
        )
    network = contract.format in _NETWORKS
    if wanted in ("bf16", "fp16") and not network:
        raise UsageError(
            Code.MISMATCH,
            f"{wanted} cannot be set for a candidate of the format {contract.format}: its file decides",
            mend="make a candidate of its own, whose file is of that format",
        )
    if wanted == "tf32" and not network and contract.format != "onnx":
        raise UsageError(
            Code.MISMATCH,
            f"tf32 cannot be set for a candidate of the format {contract.format}",
            mend="leave it out of numeric_formats",
        )
    if wanted in ("tf32", "fp16") and device == "cpu":
        raise UsageError(
            Code.MISMATCH,
            f"{wanted} needs a CUDA device",
            why="a CPU has no TF32" if wanted == "tf32" else "a CPU takes minutes for a volume in fp16",
            mend="run on a CUDA device, or choose bf16 or fp32",
        )
    if setting.compiled and (contract.format not in ("safetensors", "export", "monai_bundle")):
        raise UsageError(
            Code.MISMATCH,
            f"a candidate of the format {contract.format} cannot be compiled",
            mend="leave compile out of its YAML",
        )
