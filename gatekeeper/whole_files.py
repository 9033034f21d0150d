"""Files that are written whole or not at all, and those of others that are read so, within a bound."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from gatekeeper.errors import Code, UsageError

_TEMPORARY = ".partial"


def write_whole(path: Path, content: bytes) -> None:
    """Make ``path`` hold exactly ``content``, at once: a reader sees what was there before, or all of it.

    The bytes are on disk when this returns. A file that is replaced keeps its mode; a new one gets that of the umask.
    What stands under the name and is no regular file is refused: to follow a link would write elsewhere, and to
    replace it (or a device, as ``/dev/stdout``) would destroy what somebody made on purpose. Raises UsageError
    CANNOT_WRITE; then nothing is left behind.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}{_TEMPORARY}")
    try:
        mode = _mode_of(path)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666)
        try:
            with os.fdopen(handle, "wb") as stream:
                if mode is not None:
                    os.fchmod(stream.fileno(), mode)
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(draft, path)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        _settle(path.parent)
    except (OSError, ValueError) as error:
        raise UsageError(
            Code.CANNOT_WRITE,
            f"{path.name} cannot be written",
            where=str(path),
            why=in_short(error),
            mend="name a regular file in a folder that is there and can be written",
        ) from error


def read_whole(path: Path, largest: int) -> bytes:
    """Return the bytes of a regular file of at most ``largest`` bytes.

    Raises ValueError, in a few words, for a link, a device, a pipe, a folder or a larger file, and OSError where the
    system refuses. Links in the folders above are followed.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if os.path.islink(path):
            raise ValueError("it is a link") from error
        raise
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode):
        os.close(handle)
        raise ValueError("it is no regular file")
    with os.fdopen(handle, "rb") as stream:
        content = stream.read(largest + 1) if found.st_size <= largest else None
    if content is None or len(content) > largest:
        raise ValueError(f"it is larger than {largest >> 20} MiB" if largest >> 20 else f"it is over {largest:,} bytes")
    return content


def in_short(error: OSError | ValueError) -> str:
    """Return why a file could not be read or written, without its path."""
    return getattr(error, "strerror", None) or str(error)


def _mode_of(path: Path) -> int | None:
    """Return the permissions of the file that is replaced; None where there is none."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(found.st_mode):
        raise ValueError("there is a link under this name" if stat.S_ISLNK(found.st_mode) else "it is no regular file")
    return stat.S_IMODE(found.st_mode)


def _settle(folder: Path) -> None:
    """Bring the new name to disk as well."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
