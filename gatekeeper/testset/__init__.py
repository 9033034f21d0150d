"""Cases to try a candidate on: the table, the readers, the lock."""

from gatekeeper.testset.lock import LockedTestSet, create_lock, open_lock, verify_files
from gatekeeper.testset.manifest import LockedCase, Manifest, Task

__all__ = ["LockedCase", "LockedTestSet", "Manifest", "Task", "create_lock", "open_lock", "verify_files"]
