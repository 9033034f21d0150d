"""Keys, their settings and the ledger, as they lie in the home folder. Nothing is made, opened for writing or unlocked.

No private key is read: a passphrase would be asked for, and a token spoken to.
"""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from gatekeeper.doctor.finding import Finding, broken, missing, works
from gatekeeper.errors import GatekeeperError

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

_AREA = "keys"
_SOON = timedelta(days=60)
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def examine_keys(home: Path) -> Iterator[Finding]:
    """Tell of the key set: its kind, its end, where each role's key lies, who may read it, and signing.yaml."""
    folder = home / "keys"
    try:
        there = folder.is_dir() and any(folder.iterdir())
    except OSError as error:
        mend = f"chmod u+rwx {shlex.quote(str(folder))}"
        yield broken(_AREA, "key set", f"the folder cannot be read ({error.strerror})", mend)
        return
    if not there:
        yield missing(_AREA, "key set", "none: a development set is made at the first check", "gatekeeper keys init")
        yield from _home_is_writable(home)
        return
    yield from _settings(folder)
    yield from _set(home)
    yield from _permissions(folder)
    yield from _home_is_writable(home)


def _settings(folder: Path) -> Iterator[Finding]:
    from gatekeeper.trust.settings import FILE, load_settings

    if not (folder / FILE).is_file():
        yield works(_AREA, FILE, "none: keys are the files of the folder, signatures PAdES B-B")
        return
    try:
        level = load_settings(folder).level
    except GatekeeperError as error:
        problem = error.problems[0]
        yield broken(_AREA, FILE, problem.what, problem.mend or f"mend {FILE}")
    else:
        yield works(_AREA, FILE, f"read; signatures are PAdES {level}")


def _set(home: Path) -> Iterator[Finding]:
    from gatekeeper.trust import is_development, key_places, own_trust

    try:
        root, places = own_trust(home).root, key_places(home)
        certificates = {role: _certificate(home / "keys", role) for role, place in places.items() if place}
    except (GatekeeperError, OSError, ValueError) as error:
        told = error.problems[0].what if isinstance(error, GatekeeperError) else type(error).__name__
        yield broken(_AREA, "key set", told, "complete the set, or move the folder away and run: gatekeeper keys init")
        return
    yield _end("root", root)
    for role, certificate in certificates.items():
        if certificate is not None:
            yield _end(role, certificate)
        else:
            told = "in a file or a token that is not opened here"
            yield missing(_AREA, f"{role} certificate", told, "see that it is valid: gatekeeper keys show")
    if is_development(root):
        mend = "put the keys of your authority into the folder: docs/signing.md"
        yield missing(_AREA, "kind", "development keys: nothing that they sign is released", mend)
    else:
        yield works(_AREA, "kind", "keys for release")
    without = [role for role, place in places.items() if place is None]
    if "tool" in without:
        yield broken(_AREA, "tool", "no key", "put tool.pem and tool.key.pem there, or name them in signing.yaml")
    for role, place in places.items():
        if place is not None:
            yield works(_AREA, f"key of {role}", "in a token" if place.startswith("pkcs11:") else place)


def _end(what: str, certificate: Certificate) -> Finding:
    now, start, end = datetime.now(UTC), certificate.not_valid_before_utc, certificate.not_valid_after_utc
    told = f"valid until {end:%Y-%m-%d}"
    mend = "ask your authority for a new certificate (development keys: move the folder away, gatekeeper keys init)"
    if now > end or now < start:
        return broken(_AREA, f"{what} certificate", f"{told}, from {start:%Y-%m-%d}: not valid now", mend)
    if end - now < _SOON:
        return missing(_AREA, f"{what} certificate", f"{told}: soon", mend)
    return works(_AREA, f"{what} certificate", told)


def _certificate(folder: Path, role: str) -> Certificate | None:
    from cryptography.x509 import load_pem_x509_certificate

    from gatekeeper.trust.settings import load_settings

    path = folder / (load_settings(folder).of(role).certificate or f"{role}.pem")
    return load_pem_x509_certificate(path.read_bytes()) if path.is_file() else None


def _permissions(folder: Path) -> Iterator[Finding]:
    """Tell of keys that somebody else may read, or a folder in which somebody else may put one."""
    open_to_others = [
        path.name
        for path in sorted(folder.iterdir())
        if path.name.endswith((".key.pem", ".p12", ".pfx")) and path.stat().st_mode & _OTHERS
    ]
    if open_to_others:
        mend = f"chmod 600 {' '.join(shlex.quote(str(folder / name)) for name in open_to_others)}"
        yield missing(_AREA, "permissions", f"others may read {', '.join(open_to_others)}", mend)
    elif folder.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        mend = f"chmod 700 {shlex.quote(str(folder))}"
        yield missing(_AREA, "permissions", "others may write into the folder of the keys", mend)
    else:
        yield works(_AREA, "permissions", "nobody else reads the keys")


def _home_is_writable(home: Path) -> Iterator[Finding]:
    nearest = next(path for path in (home, *home.absolute().parents) if path.exists())
    if not (nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)):
        mend = "export GATEKEEPER_HOME=/a/folder/that/can/be/written"
        yield broken(_AREA, "home", f"keys and ledger cannot be written below {nearest}", mend)


def examine_ledger(home: Path) -> Iterator[Finding]:
    """Verify the chain where there is one; none is made."""
    from gatekeeper.trust import Ledger

    path = home / "ledger.sqlite"
    if path.exists() and not os.access(path, os.W_OK):
        mend = f"chmod u+w {shlex.quote(str(path))}"
        yield broken("ledger", "ledger", "it cannot be written, and every check adds a line", mend)
        return
    if not path.is_file() or path.stat().st_size == 0:
        yield works("ledger", "ledger", "none yet: the first check begins it")
        return
    try:
        with Ledger(path) as ledger:
            end = ledger.verify()
    except GatekeeperError as error:
        problem = error.problems[0]
        yield broken("ledger", "ledger", problem.why or problem.what, problem.mend or "gatekeeper ledger verify")
    else:
        yield works("ledger", "ledger", f"{end.size:,} lines hold")
