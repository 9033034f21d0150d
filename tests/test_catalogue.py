from __future__ import annotations

from dataclasses import dataclass

import pytest

from gatekeeper.catalogue import Catalogue
from gatekeeper.errors import UsageError


@dataclass(frozen=True)
class _Entry:
    name: str
    aliases: tuple[str, ...] = ()


def test_an_alias_leads_to_its_entry() -> None:
    entry = _Entry("precision", ("ppv",))
    assert Catalogue("metric", [entry]).get("ppv") is entry


def test_a_misspelt_name_suggests_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        Catalogue("metric", [_Entry("precision"), _Entry("recall")]).get("precison")
    assert caught.value.problems[0].mend == 'did you mean "precision"?'


def test_two_entries_of_one_name_are_an_error() -> None:
    with pytest.raises(ValueError, match="ppv"):
        Catalogue("metric", [_Entry("precision", ("ppv",)), _Entry("ppv")])
