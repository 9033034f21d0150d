"""Where and with what a run was made."""

from __future__ import annotations

from pydantic import Field

from gatekeeper.evidence.record import Record

_STEADY_DRIFT = 1.2
_STEADY_SPREAD = 3.0


class Clock(Record):
    """How steady the machine was while one condition was timed.

    ``before``, ``after``: the median time of a fixed calculation on the processor right before and right after, in
    seconds; ``spread``: the slowest of its times over the fastest. ``warm_up_calls`` is how many calls were made before
    the first recorded one; ``stable`` whether times had settled by then, None where none was asked for.
    """

    before: float = Field(gt=0.0)
    after: float = Field(gt=0.0)
    spread: float = Field(ge=1.0)
    warm_up_calls: int = Field(default=0, ge=0)
    stable: bool | None = None

    @property
    def drift(self) -> float:
        """By what factor the fixed calculation became slower, or faster; 1 on a machine that stays as it is."""
        return max(self.before, self.after) / min(self.before, self.after)

    @property
    def noisy(self) -> bool:
        """Whether the drift is above 20 %, or one of its times three times as long as another."""
        return self.drift > _STEADY_DRIFT or self.spread > _STEADY_SPREAD


class Environment(Record):
    """The machine, the versions and the settings under which evidence was made.

    Two things here bear on requirements on times alone: the device's name, and how steady the machine was.

    ``isolation`` names the walls around the candidate, ``restarts`` counts workers that were lost and replaced,
    ``clocks`` has an entry for each condition that was timed.
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
    clocks: dict[str, Clock] = Field(default_factory=dict)

    @property
    def timed_on(self) -> str:
        """The device for which times hold: its name, and that of the processor where there is no other."""
        return self.device_name if self.device != "cpu" else (self.processor or self.device_name)
