"""The reference of the language, policies/README.md, is held to the schema."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import BaseModel

from gatekeeper.policy import Policy, load_policy
from gatekeeper.policy.schema import Champion, Context, LatencyProtocol, Requirement, Subgroups, Waiver

REFERENCE = Path(__file__).parents[2] / "policies" / "README.md"
EXAMPLES = re.findall(r"```yaml\n(.*?)```", REFERENCE.read_text(encoding="utf-8"), re.DOTALL)


def test_the_example_of_everything_is_a_sound_policy(tmp_path: Path) -> None:
    path = tmp_path / "example.yaml"
    path.write_text(EXAMPLES[0], encoding="utf-8")
    policy = load_policy(str(path)).policy
    assert policy.id == "example.triage"
    assert policy.requirements["precision_in_use"].at_prevalence == "13.1 %"


def test_the_example_shows_every_key_of_a_policy() -> None:
    def keys(model: type[BaseModel]) -> set[str]:
        return set(model.model_fields)

    shown = set(re.findall(r"\b([a-z_]+):", EXAMPLES[0] + REFERENCE.read_text(encoding="utf-8")))
    special = {"classes", "structures", "interval", "structure", "tolerance", "of", "perturbation", "severity"}
    special |= {name for name in keys(Requirement) if name.startswith("at_")} | {"max_score_psi", "refusals"}
    for model in (Policy, Context, Requirement, Subgroups, LatencyProtocol, Champion, Waiver):
        assert keys(model) - shown - special == set(), model.__name__


def test_the_site_override_changes_the_prevalence_of_every_requirement_that_is_declared(tmp_path: Path) -> None:
    base = tmp_path / "policies" / "neuro"
    base.mkdir(parents=True)
    (base / "lvo_triage.yaml").write_text(EXAMPLES[0], encoding="utf-8")
    site = tmp_path / "policies" / "site.yaml"
    site.write_text(EXAMPLES[-1], encoding="utf-8")
    policy = load_policy(str(site)).policy
    assert policy.requirements["precision_in_use"].prevalence == 0.08
    assert policy.context.prevalence is not None
    assert policy.context.prevalence.basis.source == "stroke register of the site, 2025"


def test_the_examples_of_stress_and_of_unusable_inputs_are_sound(tmp_path: Path) -> None:
    head = EXAMPLES[0][: EXAMPLES[0].index("requirements:")]
    order = {"sensitivity:": "order: [sensitivity, less_dose, steady, holds]\n", "declines:": "order: [found]\n"}
    found = "  found: {metric: sensitivity, lower_limit: {at_least: 80 %}}\n"
    for example in EXAMPLES[1:-1]:
        named = next(name for name in order if name in example)
        body = example.replace("requirements:\n", f"requirements:\n{found}", 1) if named == "declines:" else example
        path = tmp_path / "example.yaml"
        path.write_text(head + body + order[named], encoding="utf-8")
        assert load_policy(str(path)).policy.requirements
