from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.testset.merkle import merkle_root

# The eight leaves of the certificate-transparency project's reference tests, and the root over the first n of them.
LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def by_the_rfc(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, word by word: split at the largest power of two smaller than n."""
    count = len(leaves)
    if count == 0:
        return hashlib.sha256(b"").digest()
    if count == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < count:
        split *= 2
    return hashlib.sha256(b"\x01" + by_the_rfc(leaves[:split]) + by_the_rfc(leaves[split:])).digest()


@pytest.mark.parametrize("count", range(1, 9))
def test_roots_are_those_of_the_reference_tests(count: int) -> None:
    assert merkle_root(LEAVES[:count]) == f"sha256:{ROOTS[count - 1]}"
    assert by_the_rfc(LEAVES[:count]).hex() == ROOTS[count - 1]


def test_the_root_of_nothing_is_the_digest_of_nothing() -> None:
    assert merkle_root([]) == "sha256:" + hashlib.sha256(b"").hexdigest()


@pytest.mark.parametrize("count", [*range(70), 127, 128, 129, 1000])
def test_any_number_of_leaves_is_split_as_the_rfc_says(count: int) -> None:
    leaves = [number.to_bytes(2, "big") for number in range(count)]
    assert merkle_root(leaves) == f"sha256:{by_the_rfc(leaves).hex()}"


@given(st.lists(st.binary(max_size=4), min_size=1, max_size=12), st.data())
def test_another_leaf_or_another_order_is_another_root(leaves: list[bytes], data: st.DataObject) -> None:
    other = list(leaves)
    at = data.draw(st.integers(0, len(leaves) - 1))
    kind = data.draw(st.sampled_from(["change", "drop", "repeat", "swap"]))
    if kind == "change":
        other[at] += b"\x00"
    elif kind == "drop":
        del other[at]
    elif kind == "repeat":
        other.insert(at, other[at])
    else:
        other[at], other[0] = other[0], other[at]
    assert (merkle_root(other) == merkle_root(leaves)) == (other == leaves)


def test_a_node_is_no_leaf() -> None:
    left, right = (hashlib.sha256(b"\x00" + leaf).digest() for leaf in (b"a", b"b"))
    assert merkle_root([left + right]) != merkle_root([b"a", b"b"])
