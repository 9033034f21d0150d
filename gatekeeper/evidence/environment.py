"""Where and with what a run was made."""

from __future__ import annotations

from pydantic import Field

from gatekeeper.evidence.record import Record


class Environment(Record):
    """The machine, the versions and the settings under which evidence was made; nothing here changes a verdict.

    ``isolation`` names the walls around the candidate, ``restarts`` counts workers that were lost and replaced.
    """

    gatekeeper: str
    python: str
    platform: str
    processor: str
    cores: int
    device: str
    device_name: str
    numeric_format: str
    batch_size: int
    threads: int
    deterministic: bool
    isolation: str
    restarts: int = Field(default=0, ge=0)
    packages: dict[str, str]
