"""The Merkle tree hash of RFC 6962, section 2.1: one digest that binds every entry of a list, in order."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence


def merkle_root(leaves: Sequence[bytes]) -> str:
    """Return ``sha256:<hex>`` of the tree over ``leaves``; of the empty string for an empty list."""
    if not leaves:
        return "sha256:" + hashlib.sha256(b"").hexdigest()
    level = [hashlib.sha256(b"\x00" + leaf).digest() for leaf in leaves]
    # Pairing neighbours and carrying an odd last node up gives RFC 6962's split at the largest power of two.
    while len(level) > 1:
        pairs = [
            hashlib.sha256(b"\x01" + left + right).digest()
            for left, right in zip(level[0::2], level[1::2], strict=False)
        ]
        level = pairs + level[len(pairs) * 2 :]
    return "sha256:" + level[0].hex()
