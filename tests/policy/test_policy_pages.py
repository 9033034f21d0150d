"""Pictures of patients in dossiers: off unless a policy says otherwise, and then a reviewer is told."""

from __future__ import annotations

import pytest

from gatekeeper.policy import load_policy, policy_names
from gatekeeper.policy.review import review


@pytest.mark.parametrize("name", policy_names())
def test_only_the_policy_over_published_templates_shows_pictures(name: str) -> None:
    assert load_policy(name).policy.dossier.pictures == (name == "neuro/brain_extraction")


def test_a_reviewer_is_told_that_dossiers_show_heads() -> None:
    told = [remark for remark in review("neuro/brain_extraction").remarks if remark.rule == "pictures"]
    assert len(told) == 1
    assert "can be recognised" in told[0].what
    assert not [remark for remark in review("neuro/brain_mr_volumetry").remarks if remark.rule == "pictures"]


def test_masks_and_repeats_are_no_longer_told_to_be_unmeasured() -> None:
    told = [remark.what for remark in review("neuro/brain_mr_volumetry").remarks if remark.rule == "not-measured"]
    assert told == []
