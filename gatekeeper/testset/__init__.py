"""Cases to try a candidate on: the table, the readers, the lock."""

from gatekeeper.testset.lock import LockedTestSet, create_lock, open_lock
from gatekeeper.testset.manifest import Allowed, LockedCase, LockedFile, Manifest, Task
from gatekeeper.testset.verification import verify_files

__all__ = [
    "Allowed",
    "LockedCase",
    "LockedFile",
    "LockedTestSet",
    "Manifest",
    "Task",
    "create_lock",
    "open_lock",
    "verify_files",
]
