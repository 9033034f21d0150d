"""The policies that are shipped: what every one of them must hold, whatever its values."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gatekeeper.evidence import Record
from gatekeeper.metrics import METRICS, Suite
from gatekeeper.policy import Policy, load_policy, policy_names
from gatekeeper.policy.explain import explain_policy
from gatekeeper.policy.notation import policy_yaml
from gatekeeper.policy.review import review
from gatekeeper.policy.schema import Basis
from gatekeeper.policy.sources import sources_markdown

NAMES = [
    "breast/mammography_screening",
    "cardiac/lvef_mr",
    "chest_ct/lung_nodule_detection",
    "chest_ct/nodule_malignancy",
    "chest_ct/pe_triage",
    "chest_xr/pneumothorax_triage",
    "fundus/diabetic_retinopathy",
    "neuro/brain_extraction",
    "neuro/brain_mr_volumetry",
    "neuro/ich_triage",
    "neuro/lvo_triage",
]
STROKE = ["neuro/ich_triage", "neuro/lvo_triage"]
TRIAGE = [*STROKE, "chest_xr/pneumothorax_triage", "chest_ct/pe_triage"]
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def policies() -> dict[str, Policy]:
    return {name: load_policy(name).policy for name in NAMES}


def test_these_are_shipped() -> None:
    assert policy_names() == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_it_resolves_lints_clean_and_explains_every_requirement(name: str, policies: dict[str, Policy]) -> None:
    policy, found = policies[name], review(name)
    assert (found.errors, found.warnings) == ((), ())
    explained = explain_policy(policy)
    assert {item.id for item in explained} == set(policy.requirements)
    for item in explained:
        assert item.demand.endswith(".")
        assert item.basis not in ("", "No basis is given.")
        assert item.sizes.sizes or item.sizes.fewest or item.sizes.notes


@pytest.mark.parametrize("name", NAMES)
def test_what_show_prints_is_the_same_policy(name: str, policies: dict[str, Policy], tmp_path: Path) -> None:
    file = tmp_path / "shown.yaml"
    file.write_text(policy_yaml(policies[name]))
    assert load_policy(str(file)).policy.digest == policies[name].digest


def bases(value: object) -> list[Basis]:
    """Return every basis within a part of a policy."""
    if isinstance(value, Basis):
        return [value]
    if isinstance(value, Record):
        return [basis for name in type(value).model_fields for basis in bases(getattr(value, name))]
    if isinstance(value, dict):
        return [basis for item in value.values() for basis in bases(item)]
    return [basis for item in value for basis in bases(item)] if isinstance(value, tuple) else []


@pytest.mark.parametrize("name", NAMES)
def test_every_number_has_a_basis_and_what_nobody_checked_blocks_nothing(
    name: str, policies: dict[str, Policy]
) -> None:
    policy = policies[name]
    for requirement in policy.requirements.values():
        assert requirement.basis is not None
        assert requirement.basis.note
        assert requirement.hazard is not None
        assert requirement.basis.status != "unverified" or not requirement.blocking
    for basis in bases(policy):
        assert basis.source != "project" or basis.status in ("project_choice", "computed")


@pytest.mark.parametrize("name", NAMES)
def test_time_blocks_where_it_is_brain_and_elsewhere_only_when_a_source_asks_for_it(
    name: str, policies: dict[str, Policy]
) -> None:
    policy = policies[name]
    timed = {id_: item for id_, item in policy.requirements.items() if item.spec.suite is Suite.LATENCY}
    assert timed
    if name in STROKE:
        blocking = [id_ for id_ in policy.order if id_ in timed]
        assert len(blocking) == 2
        assert policy.order[0] == "sensitivity"
        assert set(policy.order[1:3]) == set(blocking)
        return
    for requirement in timed.values():
        assert requirement.basis is not None
        assert not requirement.blocking or requirement.basis.status == "verified"


@pytest.mark.parametrize("name", NAMES)
def test_limits_of_intervals_decide_but_where_a_source_read_asks_for_the_estimate(
    name: str, policies: dict[str, Policy]
) -> None:
    for requirement in policies[name].requirements.values():
        estimated = requirement.estimate is not None and requirement.spec.interval is not None
        if requirement.blocking and estimated:
            assert requirement.basis is not None
            assert requirement.basis.status == "verified"


# The floor of precision, computed again from the lower limits that its note quotes (Bayes' rule)
QUOTED = re.compile(r"sensitivity ([\d.]+) % and specificity ([\d.]+) %")


@pytest.mark.parametrize("name", [*TRIAGE, "fundus/diabetic_retinopathy"])
def test_the_floor_of_precision_is_that_of_the_limits_quoted(name: str, policies: dict[str, Policy]) -> None:
    precision = policies[name].requirements["precision"]
    assert precision.basis is not None
    assert precision.basis.status == "computed"
    quoted = QUOTED.search(" ".join((precision.basis.note or "").split()))
    assert quoted is not None
    sensitivity, specificity = (float(text) / 100 for text in quoted.groups())
    prevalence = precision.prevalence
    assert prevalence is not None
    alarms = sensitivity * prevalence + (1 - specificity) * (1 - prevalence)
    assert precision.threshold.value == pytest.approx(sensitivity * prevalence / alarms, abs=0.005)


@pytest.mark.parametrize("name", [*TRIAGE, "breast/mammography_screening", "fundus/diabetic_retinopathy"])
def test_a_site_declares_its_own_prevalence_and_nothing_else_changes(
    name: str, policies: dict[str, Policy], tmp_path: Path
) -> None:
    site = tmp_path / "site.yaml"
    basis = "{source: register of our site, status: verified, note: of 2025}"
    site.write_text(f"defaults: [{name}]\ncontext:\n  prevalence: {{value: 0.08, basis: {basis}}}\n")
    shipped, own = policies[name].to_json(), load_policy(str(site)).policy.to_json()
    changed = {id_ for id_ in own["requirements"] if own["requirements"][id_] != shipped["requirements"][id_]}
    assert changed == {id_ for id_, item in policies[name].requirements.items() if item.at_prevalence is not None}
    for id_ in changed:
        was, now = shipped["requirements"][id_], own["requirements"][id_]
        assert {key for key in now if now[key] != was[key]} == {"at_prevalence"}
        assert now["at_prevalence"] == 0.08
    assert {key for key in own if own[key] != shipped[key]} == {"context", "requirements"}


def test_every_task_and_every_level_of_repeatability_is_used(policies: dict[str, Policy]) -> None:
    tasks = {policy.context.task for policy in policies.values()}
    assert tasks == {"classification", "detection", "segmentation", "quantification"}
    levels = {item.level for policy in policies.values() for item in policy.requirements.values() if item.level}
    assert {"R0", "R3", "R4"} <= levels
    assert all(item.metric in METRICS for policy in policies.values() for item in policy.requirements.values())


def test_the_table_of_sources_is_that_of_the_policies(policies: dict[str, Policy]) -> None:
    written = (ROOT / "policies" / "SOURCES.md").read_text(encoding="utf-8")
    assert written == sources_markdown(list(policies.values())), "renew it with `make sources`"
