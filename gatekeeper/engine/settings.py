"""How a run is made, as opposed to what is required: device, batch size, threads, memory and time allowed."""

from __future__ import annotations

import os
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from gatekeeper.candidate import Contract
from gatekeeper.canonical import JSON
from gatekeeper.evidence import Record
from gatekeeper.quantities import parse_quantity

_MIB = 1 << 20


def _is_a_time(written: str) -> str:
    if parse_quantity(written, "s") <= 0:
        raise ValueError("the time allowed must be longer than nothing")
    return written


Time = Annotated[str, AfterValidator(_is_a_time)]
Mebibytes = Annotated[int, Field(ge=0, le=1 << 30)]


class EngineSettings(Record):
    """Settings of the engine.

    ``threads`` 0 takes every core that this process may use. ``batch_size`` is of images, and of volumes 1 unless the
    candidate declares its own. ``timeout`` is for the whole run, ``start_timeout`` for loading the candidate,
    ``case_timeout`` for one answer. ``memory`` (MiB) bounds the decoded images held at once, ``candidate_memory`` the
    candidate's process (0: three quarters of the machine's), ``candidate_processes`` those that a command may start.
    """

    device: Literal["auto", "cpu", "cuda"] = "auto"
    numeric_format: Literal["fp32", "tf32", "bf16", "fp16"] = "fp32"
    channels_last: bool = False
    deterministic: bool = True
    batch_size: int = Field(default=64, ge=1, le=65536)
    threads: int = Field(default=0, ge=0, le=4096)
    timeout: Time = "720 min"
    start_timeout: Time = "5 min"
    case_timeout: Time = "2 min"
    memory: Mebibytes = Field(default=2048, ge=64)
    candidate_memory: Mebibytes = 0
    candidate_processes: int = Field(default=64, ge=1, le=4096)
    isolation: Literal["auto", "bubblewrap", "landlock"] = "auto"

    @property
    def timeout_seconds(self) -> float:
        """The wall time that the run may take."""
        return parse_quantity(self.timeout, "s")

    @property
    def start_seconds(self) -> float:
        """The wall time in which a candidate must be loaded."""
        return parse_quantity(self.start_timeout, "s")

    @property
    def case_seconds(self) -> float:
        """The wall time that one answer may take."""
        return parse_quantity(self.case_timeout, "s")

    @property
    def thread_count(self) -> int:
        """The number of threads that the worker uses."""
        return self.threads or len(os.sched_getaffinity(0))

    @property
    def memory_bytes(self) -> int:
        """The memory for decoded images, in bytes."""
        return self.memory * _MIB

    @property
    def candidate_bytes(self) -> int:
        """The memory that the candidate's process may take, in bytes."""
        return self.candidate_memory * _MIB or os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * 3 // 4

    def batch_size_for(self, contract: Contract) -> int:
        """Return how many cases a candidate is asked at once, where a condition does not say."""
        default = self.batch_size if contract.input.axes == 2 else 1
        return min(self.batch_size, contract.batch_size or default)

    def deciding(self) -> dict[str, JSON]:
        """Return the settings that answers may depend on, and no time or memory allowed."""
        names = ("device", "numeric_format", "channels_last", "deterministic", "batch_size", "threads")
        return {name: value for name, value in self.to_json().items() if name in names}
