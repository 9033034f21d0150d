"""Passphrases and PINs: from an environment variable, or asked for on a terminal; never from an argument or a file."""

from __future__ import annotations

import os
import sys

from gatekeeper.errors import Code, UsageError


def passphrase(role: str, where: str) -> str:
    """Return the passphrase of the key that signs as ``role``; ``where`` names the key in errors.

    It is read from ``GATEKEEPER_PASSPHRASE_<ROLE>``, else asked for on the terminal. Raises UsageError where there is
    neither.
    """
    variable = f"GATEKEEPER_PASSPHRASE_{role.upper()}"
    given = os.environ.get(variable)
    if given is not None:
        return given
    if not sys.stdin.isatty():
        raise UsageError(
            Code.MISSING_KEY,
            f"the key of the {role} is locked, and nobody can be asked for its passphrase",
            where=where,
            mend=f"set {variable} in the environment, or run this on a terminal",
        )
    import getpass

    return getpass.getpass(f"passphrase of the key that signs as {role}: ", stream=sys.stderr)
