"""How a run is made, as opposed to what is required: device, batch size, threads, time allowed."""

from __future__ import annotations

import os
from typing import Literal

from pydantic import Field, field_validator

from gatekeeper.evidence import Record
from gatekeeper.quantities import parse_quantity


class EngineSettings(Record):
    """Settings of the engine. ``threads`` 0 takes every core that this process may use."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    batch_size: int = Field(default=64, ge=1)
    threads: int = Field(default=0, ge=0)
    timeout: str = "30 min"

    @field_validator("timeout")
    @classmethod
    def _is_a_time(cls, written: str) -> str:
        if parse_quantity(written, "s") <= 0:
            raise ValueError("the time allowed must be longer than nothing")
        return written

    @property
    def timeout_seconds(self) -> float:
        """The wall time that one worker may take."""
        return parse_quantity(self.timeout, "s")

    @property
    def thread_count(self) -> int:
        """The number of threads that the worker uses."""
        return self.threads or len(os.sched_getaffinity(0))
