"""What torch can run on, asked in a process of its own: a driver that hangs or crashes is a finding, not an end."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

from gatekeeper.doctor.finding import Finding, broken, missing, works

_AREA = "devices"
_SECONDS = 60.0
# Really multiplies on each device, in each format; prints one line of JSON.
_PROGRAM = """
import json, warnings
warnings.simplefilter("ignore")
import torch
def formats(device):
    found = []
    for name, kind in (("fp32", torch.float32), ("bf16", torch.bfloat16), ("fp16", torch.float16)):
        try:
            ones = torch.ones(16, 16, dtype=kind, device=device)
            if float((ones @ ones)[0, 0]) == 16.0:
                found.append(name)
        except Exception:
            pass
    return found
told = {"torch": torch.__version__, "cuda": torch.version.cuda, "cpu": formats("cpu"), "gpus": [], "fault": None}
try:
    for number in range(torch.cuda.device_count()):
        facts = torch.cuda.get_device_properties(number)
        found = formats(f"cuda:{number}")
        if "fp32" in found and facts.major >= 8:
            found.insert(1, "tf32")
        told["gpus"].append([facts.name, facts.total_memory, f"{facts.major}.{facts.minor}", found])
except Exception as error:
    told["fault"] = type(error).__name__
print(json.dumps(told))
"""


class DeviceTrial:
    """A trial that runs while other things are looked at."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", _PROGRAM],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def findings(self) -> Iterator[Finding]:
        """Wait for the trial and tell of torch, the processor and each GPU."""
        try:
            printed, _ = self._process.communicate(timeout=_SECONDS)
            told = json.loads(printed.splitlines()[-1]) if self._process.returncode == 0 else None
        except (subprocess.TimeoutExpired, ValueError, IndexError):
            told = None
        finally:
            self.stop()
        if not isinstance(told, dict):
            yield broken(_AREA, "torch", "it cannot be imported, or did not end", "pip install --force-reinstall torch")
            return
        yield from _of(told)

    def stop(self) -> None:
        """End the trial, whatever it is doing."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()


def _of(told: dict[str, object]) -> Iterator[Finding]:
    cuda, gpus, cpu = told["cuda"], told["gpus"], told["cpu"]
    assert isinstance(gpus, list)
    assert isinstance(cpu, list)
    yield works(_AREA, "torch", f"{told['torch']}, {f'for CUDA {cuda}' if cuda else 'a build for the processor alone'}")
    if "fp32" in cpu:
        yield works(_AREA, "cpu", ", ".join(cpu))
    else:
        yield broken(_AREA, "cpu", "torch cannot multiply here", "pip install --force-reinstall torch")
    for number, (name, memory, capability, formats) in enumerate(gpus):
        value = f"{name}, {memory / (1 << 30):.0f} GiB, compute capability {capability}: {', '.join(formats)}"
        if "fp32" in formats:
            yield works(_AREA, f"cuda:{number}", value)
        else:
            mend = "run nvidia-smi, then install a torch whose CUDA fits driver and device"
            yield missing(_AREA, f"cuda:{number}", f"{value or name}: torch cannot use it", mend)
    if not gpus:
        mend = (
            "nothing to mend without an NVIDIA GPU; with one, nvidia-smi must list it"
            if cuda
            else "nothing to mend without an NVIDIA GPU; with one, install a build of torch for CUDA"
        )
        yield missing(_AREA, "cuda", f"no device ({told['fault']})" if told["fault"] else "no device", mend)
