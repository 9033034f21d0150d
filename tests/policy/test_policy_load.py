from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from made_up_bench import POLICY

from gatekeeper.canonical import JSON, canonical_json, digest_bytes
from gatekeeper.engine import EngineSettings
from gatekeeper.errors import Code, Problem, UsageError
from gatekeeper.policy import Policy, load_policy, load_settings, policy_names
from gatekeeper.policy.notation import policy_yaml

NAME = "chest_ct/nodule_malignancy"
BASE = """\
requirements:
  rerun:
    metric: max_deviation
    level: R0
    estimate: {at_most: 0.5}
    basis: {source: base, status: project_choice}
latency: {warm_up_calls: 7, timed_calls: 70}
"""


KEYWORDS = {
    *("$defs", "$ref", "additionalProperties", "anyOf", "const", "default", "description", "enum"),
    *("exclusiveMaximum", "exclusiveMinimum", "items", "maximum", "minItems", "minLength", "minProperties", "minimum"),
    *("pattern", "patternProperties", "properties", "propertyNames", "required", "title", "type"),
}


def refused(name: str | Path, *overrides: str) -> tuple[Problem, ...]:
    with pytest.raises(UsageError) as caught:
        load_policy(str(name), overrides)
    return caught.value.problems


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with policies of its own."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "policies" / "base" / "ours.yaml", BASE)
    return tmp_path


# The shipped policy


def test_the_shipped_policy_is_a_policy() -> None:
    loaded = load_policy(NAME)
    assert loaded.policy.id == "chest_ct.nodule_malignancy"
    assert not loaded.exploratory
    assert [Path(layer).name for layer in loaded.layers] == ["repeatable.yaml", "nodule_malignancy.yaml"]
    assert NAME in policy_names()
    assert not any(name.startswith("base/") for name in policy_names())


@pytest.mark.parametrize("name", policy_names())
def test_a_policy_survives_json_and_yaml_with_its_digest(name: str, tmp_path: Path) -> None:
    policy = load_policy(name).policy
    assert Policy.model_validate_json(json.dumps(policy.to_json())) == policy
    assert digest_bytes(canonical_json(policy.to_json())) == policy.digest
    written = load_policy(str(write(tmp_path / "shown.yaml", policy_yaml(policy)))).policy
    assert written == policy
    assert written.digest == policy.digest


@pytest.mark.parametrize(
    "title",
    [
        "y",
        "NO",
        "1e3",
        "12:30",
        "1.10",
        "0o17",
        "0x1F",
        "null",
        "~",
        "true",
        "2027-01-01",
        ".5",
        "# none",
        "a: b",
        "é ≥ 3",
        "- a",
        "{a}",
        "two\nlines\n",
        " blank ",
        "'quoted\"",
        "1_000",
        "=",
        "%",
        "@x",
        "trailing:",
        "\ttab",
        "a" * 300,
    ],
)
def test_any_text_survives_being_shown_as_yaml(title: str, tmp_path: Path) -> None:
    plain = load_policy(NAME).policy.to_json() | {"title": title, "notes": [title]}
    policy = Policy.model_validate_json(json.dumps(plain))
    assert load_policy(str(write(tmp_path / "shown.yaml", policy_yaml(policy)))).policy == policy


def test_the_json_schema_is_one() -> None:
    schema = Policy.model_json_schema()
    definitions = schema["$defs"]
    types = {"object", "array", "string", "number", "integer", "boolean", "null"}

    def visit(node: JSON, named: bool = False) -> None:
        if isinstance(node, list):
            for item in node:
                visit(item)
        if not isinstance(node, dict):
            return
        for key, value in node.items():
            if named:
                visit(value)
                continue
            assert key in KEYWORDS
            if key == "$ref":
                assert str(value).removeprefix("#/$defs/") in definitions
            elif key == "type":
                assert value in types
            elif key == "pattern":
                re.compile(str(value))
            elif key == "required":
                assert set(value) <= set(node["properties"])  # type: ignore[arg-type]
            elif key not in ("default", "const", "enum"):
                visit(value, named=key in ("properties", "patternProperties", "$defs"))

    visit(schema)
    assert schema["additionalProperties"] is False


# Composition


def test_a_child_overrides_its_base_key_by_key(site: Path) -> None:
    child = "defaults: [base/ours]\n" + POLICY.replace("    level: R0\n    estimate: {at_most: 0}\n", "")
    policy = load_policy(str(write(site / "child.yaml", child.replace("{warm_up_calls: 2, ", "{")))).policy
    assert policy.requirements["rerun"].threshold.at_most == 0.5
    assert policy.requirements["rerun"].basis.source == "made up"
    assert (policy.latency.warm_up_calls, policy.latency.timed_calls) == (7, 100)


def test_a_layer_that_names_another_source_does_not_keep_the_note_of_the_one_below(tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    basis = "{source: our register, status: verified}"
    site.write_text(f"defaults: [neuro/ich_triage]\ncontext: {{prevalence: {{value: 8 %, basis: {basis}}}}}\n")
    prevalence = load_policy(str(site)).policy.context.prevalence
    assert prevalence is not None
    assert (prevalence.basis.source, prevalence.basis.note) == ("our register", None)
    site.write_text("defaults: [neuro/ich_triage]\ncontext: {prevalence: {basis: {note: as read by us}}}\n")
    prevalence = load_policy(str(site)).policy.context.prevalence
    assert prevalence is not None
    assert (prevalence.basis.source, prevalence.basis.note) == ("K201310", "as read by us")


def test_later_layers_go_over_earlier_ones(site: Path) -> None:
    write(site / "policies" / "base" / "later.yaml", "latency: {timed_calls: 9}\n")
    rest = POLICY.replace("latency: {warm_up_calls: 2, timed_calls: 100}\n", "")
    for defaults, calls in (("[base/ours, base/later]", 9), ("[base/later, base/ours]", 70)):
        path = write(site / "child.yaml", f"defaults: {defaults}\n{rest}")
        assert load_policy(str(path)).policy.latency.timed_calls == calls


def test_bases_of_bases_are_composed_and_listed_lowest_first(site: Path) -> None:
    write(site / "policies" / "base" / "middle.yaml", "defaults: [base/ours]\nlatency: {timed_calls: 8}\n")
    rest = POLICY.replace("latency: {warm_up_calls: 2, timed_calls: 100}\n", "")
    loaded = load_policy(str(write(site / "child.yaml", f"defaults: base/middle\n{rest}")))
    assert (loaded.policy.latency.warm_up_calls, loaded.policy.latency.timed_calls) == (7, 8)
    assert [Path(layer).name for layer in loaded.layers] == ["ours.yaml", "middle.yaml", "child.yaml"]


def test_the_user_s_own_folder_comes_before_the_shipped_one(site: Path) -> None:
    write(site / "policies" / f"{NAME}.yaml", POLICY)
    assert load_policy(NAME).policy.id == "made_up_discs"
    shipped_base = "defaults: [base/repeatable]\n" + POLICY
    assert len(load_policy(str(write(site / "child.yaml", shipped_base))).layers) == 2
    write(site / "policies" / "base" / "repeatable.yaml", BASE)
    loaded = load_policy(str(site / "child.yaml"))
    assert loaded.layers[0] == str(site / "policies" / "base" / "repeatable.yaml")


def test_a_file_finds_layers_beside_itself(tmp_path: Path) -> None:
    write(tmp_path / "ours.yaml", BASE)
    loaded = load_policy(str(write(tmp_path / "child.yaml", "defaults: [ours]\n" + POLICY)))
    assert [Path(layer).parent for layer in loaded.layers] == [tmp_path, tmp_path]


@pytest.mark.parametrize(
    ("in_base", "in_child", "line"),
    [
        ("latency: {warm_up_calls: 7, timed_cals: 70}", None, 7),
        ("    estimate: {at_most: -1}", None, 5),
        ("    level: R7", None, 4),
    ],
)
def test_an_error_names_the_layer_that_set_the_key(site: Path, in_base: str, in_child: None, line: int) -> None:
    key = in_base.strip().partition(":")[0]
    base = "\n".join(in_base if part.strip().startswith(f"{key}:") else part for part in BASE.splitlines())
    write(site / "policies" / "base" / "ours.yaml", base + "\n")
    child = "defaults: [base/ours]\n" + POLICY.replace("    level: R0\n    estimate: {at_most: 0}\n", "")
    (problem,) = refused(write(site / "child.yaml", child))
    assert problem.where is not None
    assert (problem.where.path, problem.where.line) == (str(site / "policies" / "base" / "ours.yaml"), line)


def test_an_error_in_a_key_of_both_layers_names_the_child(site: Path) -> None:
    child = "defaults: [base/ours]\n" + POLICY.replace("timed_calls: 100", "timed_calls: none")
    (problem,) = refused(write(site / "child.yaml", child))
    assert problem.where is not None
    assert problem.where.path == str(site / "child.yaml")
    assert "timed_calls: none" in (problem.where.excerpt or "")


def test_a_list_in_the_place_of_a_mapping_is_told_at_its_line(site: Path) -> None:
    child = "defaults: [base/ours]\n" + POLICY.replace("latency: {warm_up_calls: 2, timed_calls: 100}", "latency: [1]")
    (problem,) = refused(write(site / "child.yaml", child))
    assert problem.code is Code.BAD_VALUE
    assert problem.where is not None
    assert problem.where.excerpt == "latency: [1]"


def test_layers_in_a_circle_are_told(site: Path) -> None:
    write(site / "policies" / "base" / "a.yaml", "defaults: [base/b]\n")
    write(site / "policies" / "base" / "b.yaml", "defaults: [base/a]\n")
    (problem,) = refused(write(site / "child.yaml", "defaults: [base/a]\n" + POLICY))
    assert "circle" in problem.what
    assert problem.where is not None
    assert problem.where.path == str(site / "policies" / "base" / "b.yaml")
    assert problem.where.line == 1


def test_an_unknown_layer_of_a_base_names_the_base_s_line(site: Path) -> None:
    write(site / "policies" / "base" / "a.yaml", "# ours\ndefaults:\n  - base/ours\n  - base/repeatble\n")
    (problem,) = refused(write(site / "child.yaml", "defaults: [base/a]\n" + POLICY))
    assert problem.code is Code.UNKNOWN_NAME
    assert problem.mend == 'did you mean "base/repeatable"?'
    assert problem.where is not None
    place = (Path(problem.where.path).name, problem.where.line, problem.where.column)
    assert place == ("a.yaml", 4, 5)


# Names


@pytest.mark.parametrize(
    "name",
    ["chest_ct/nodule_malignacy", "nodule_malignancy", "chest_ct.nodule_malignancy", "Chest_ct/nodule_malignancy"],
)
def test_an_unknown_policy_suggests_the_nearest(name: str) -> None:
    (problem,) = refused(name)
    assert problem.code is Code.UNKNOWN_NAME
    assert problem.mend == f'did you mean "{NAME}"?'


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../x",
        "base",
        "chest_ct",
        "chest_ct/",
        "/",
        "a b",
        "${x}",
        "a" * 300,
        "given_file",
        "hydra/default",
        "x@y",
        "a\x00b",
        "hydra",
        "~",
        f"../policies/{NAME}",
    ],
)
def test_what_is_no_name_is_an_unknown_policy(name: str) -> None:
    (problem,) = refused(name)
    assert problem.code is Code.UNKNOWN_NAME
    assert any(known in (problem.mend or "") for known in policy_names())


def test_a_missing_policy_file_is_said() -> None:
    assert refused("no-such.yaml")[0].code is Code.FILE_NOT_FOUND


def test_a_base_asked_for_as_a_policy_says_what_it_lacks() -> None:
    assert {problem.code for problem in refused("base/repeatable")} == {Code.MISSING_KEY}


# Overrides


def test_an_override_changes_a_value_and_makes_the_policy_exploratory() -> None:
    plain = load_policy(NAME)
    changed = load_policy(NAME, ["requirements.sensitivity.lower_limit.at_least=60 %", "latency.timed_calls=5"])
    assert changed.exploratory
    assert changed.policy.requirements["sensitivity"].threshold.at_least == 0.6
    assert changed.policy.latency.timed_calls == 5
    assert changed.policy.digest != plain.policy.digest
    assert load_policy(NAME).policy.digest == plain.policy.digest


def test_an_override_can_set_a_list_and_a_quoted_text() -> None:
    changed = load_policy(NAME, ["robustness.contour_erosion=[1 mm,2 mm]", 'title="a, b = c"']).policy
    assert changed.magnitudes("contour_erosion") == (1.0, 2.0)
    assert changed.title == "a, b = c"


@pytest.mark.parametrize(
    ("override", "nearest"),
    [
        ("requirements.sensitivty.lower_limit.at_least=0.5", "requirements.sensitivity.lower_limit.at_least"),
        ("latency.timed_cals=3", "latency.timed_calls"),
        ("titel=x", "title"),
        ("zzz=1", "title"),
        ("hydra.run.dir=x", "title"),
        ("defaults=[]", "title"),
        ("_self_=1", "title"),
    ],
)
def test_an_override_of_an_unknown_key_suggests_the_nearest(override: str, nearest: str) -> None:
    (problem,) = refused(NAME, override)
    assert problem.code is Code.UNKNOWN_KEY
    assert nearest in (problem.mend or "")


@pytest.mark.parametrize(
    "override",
    [
        "+x=1",
        "++x=1",
        "~title",
        "~x",
        "title=${oc.env:HOME}",
        "a=b=c",
        "title=a=b",
        "title=[1",
        "title={a:1",
        "title=a,b",
        "title=glob(*)",
        "title=range(1,3)",
        "title=extend_list(1)",
        "title=???",
        "title=[???]",
        "title",
        "=1",
        "=",
        "",
        "base/repeatable=x",
        "title@x=1",
        "Title=1",
        "title='",
        "title[0]=1",
    ],
)
def test_what_is_no_plain_override_is_refused(override: str) -> None:
    (problem,) = refused(NAME, override)
    assert problem.code is Code.BAD_VALUE
    assert override in problem.what


@pytest.mark.parametrize(
    "override",
    [
        "id=",
        "id=null",
        "title=3",
        "title=int(3)",
        "latency.timed_calls=1e3",
        "latency.timed_calls=nan",
        "order=[a,b]",
        "requirements.sensitivity.lower_limit.at_least=2",
        "requirements.sensitivity={metric: foo}",
        "order.0=zzz",
        "requirements.rerun=null",
        "requirements.time_to_answer.upper_limit.at_most=200",
        "context=[]",
    ],
)
def test_a_bad_value_is_blamed_on_the_override_not_on_the_file(override: str) -> None:
    assert all(str(problem.where) == f"the override {override}" for problem in refused(NAME, override))


def test_all_that_is_wrong_with_overrides_comes_at_once() -> None:
    assert len(refused(NAME, "titel=x", "+y=1", "title=x")) == 2


def test_settings_of_the_engine_are_composed_like_policies() -> None:
    assert load_settings(EngineSettings, "engine/default", ["batch_size=7"]).batch_size == 7
    for override, code in (
        ("batch_siz=7", Code.UNKNOWN_KEY),
        ("batch_size=0", Code.BAD_VALUE),
        ("timeout=3", Code.BAD_VALUE),
    ):
        with pytest.raises(UsageError) as caught:
            load_settings(EngineSettings, "engine/default", [override])
        assert caught.value.problems[0].code is code
