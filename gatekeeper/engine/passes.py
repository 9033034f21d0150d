"""The conditions of a plan, grouped by what can be asked in one go: one reading of the cases for all of a group."""

from __future__ import annotations

from dataclasses import dataclass

from gatekeeper.candidate import Contract
from gatekeeper.candidate.adapters import Setting, check_setting
from gatekeeper.engine.settings import EngineSettings
from gatekeeper.errors import UsageError
from gatekeeper.evidence import Condition, Plan


@dataclass(frozen=True)
class Pass:
    """One walk over the cases: ``conditions`` by their index in the plan, ``batch_size`` where they say one.

    Passes of one ``process`` share a worker; ``timed`` ones have one condition, which asks call after call; ``reverse``
    ones begin with the last case; ``refusal`` ones have one condition, of unusable inputs.
    """

    process: int
    conditions: tuple[int, ...]
    batch_size: int | None = None
    timed: bool = False
    reverse: bool = False
    refusal: bool = False


def passes_of(plan: Plan) -> tuple[Pass, ...]:
    """Group a plan: first all that shares a worker, then the clock and what may end it, then the fresh processes."""
    shared: dict[tuple[int | None, bool], list[int]] = {}
    timed, refusals, fresh = [], [], []
    for index, condition in enumerate(plan.conditions):
        if condition.fresh_process:
            fresh.append(index)
        elif condition.recorded_calls:
            timed.append(index)
        elif condition.refusal is not None:
            refusals.append(index)
        else:
            shared.setdefault((condition.batch_size, condition.reverse), []).append(index)
    passes = [Pass(0, tuple(indices), size, reverse=reverse) for (size, reverse), indices in shared.items()]
    cold = [index for index in timed if plan.conditions[index].cold_starts]
    passes += [Pass(0, (index,), timed=True) for index in timed if index not in cold]
    passes += [Pass(0, (index,), refusal=True) for index in refusals]
    passes += [Pass(0, (index,), timed=True) for index in cold]  # new workers last: the folder becomes theirs
    return (*passes, *(_alone(process, index, plan.conditions[index]) for process, index in enumerate(fresh, start=1)))


def _alone(process: int, index: int, condition: Condition) -> Pass:
    return Pass(process, (index,), condition.batch_size, condition.timed_calls > 0, condition.reverse)


def can_be_run(condition: Condition, contract: Contract, settings: EngineSettings, device: str) -> bool:
    """Say whether a condition can be run on ``device`` (``cpu``, ``cuda``) and differs from the run's own setting.

    A numeric format that a policy asks for may be none that the candidate declares, or the device has; that of the run
    itself would be compared with itself. Such a condition is left out, and what needs it is not decided.
    """
    asked = condition.numeric_format
    if asked is None:
        return True
    try:
        check_setting(contract, Setting(asked, settings.channels_last, contract.compile), device)
    except UsageError:
        return False
    return asked != settings.numeric_format
