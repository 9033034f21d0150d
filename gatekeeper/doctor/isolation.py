"""The walls around candidates, each put up and tried by the same probe that a check asks."""

from __future__ import annotations

from collections.abc import Iterator

from gatekeeper.candidate.isolation import Level, why_not
from gatekeeper.candidate.isolation.landlock import landlock_abi
from gatekeeper.candidate.isolation.system_calls import find_seccomp
from gatekeeper.candidate.isolation.trial import MENDS
from gatekeeper.doctor.finding import Finding, broken, missing, works
from gatekeeper.errors import GatekeeperError

_AREA = "isolation"
_NEWEST_NEEDED = 6  # Landlock's ABI 6 keeps signals and abstract sockets within the walls (Linux 6.12).


def examine_isolation() -> Iterator[Finding]:
    """Tell which walls hold. One is enough for `check`; without any it runs no candidate."""
    faults = {level: why_not(level) for level in Level}
    none = all(faults.values())
    for level, fault in faults.items():
        if fault is None:
            yield works(_AREA, level.value, "tried: it holds")
        else:
            yield (broken if none else missing)(_AREA, level.value, fault, MENDS[level])
    abi = landlock_abi()
    if abi >= _NEWEST_NEEDED:
        yield works(_AREA, "Landlock ABI", str(abi))
    else:
        value = f"{abi}: signals and sockets are kept in by the other walls alone" if abi else "none in this kernel"
        yield missing(_AREA, "Landlock ABI", value, "use Linux 6.12 or later, with landlock among its security modules")
    try:
        find_seccomp()
    except (GatekeeperError, OSError, ImportError) as error:
        told = error.problems[0].what if isinstance(error, GatekeeperError) else type(error).__name__
        yield broken(_AREA, "seccomp", told, "sudo apt-get install libseccomp2")
    else:
        yield works(_AREA, "seccomp", "libseccomp is found")
