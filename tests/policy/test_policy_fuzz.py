"""Whatever is read as a policy is a policy or a UsageError; what is a policy reads back as the same."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_up_bench import POLICY

from gatekeeper.errors import ExitCode, UsageError
from gatekeeper.policy import Policy, load_policy, shipped
from gatekeeper.policy.notation import policy_yaml

SOUND = yaml.safe_load(POLICY)
SHIPPED = [
    yaml.safe_load((shipped("policies") / f"{name}.yaml").read_text(encoding="utf-8"))
    for name in ("neuro/lvo_triage", "neuro/brain_mr_volumetry", "base/triage", "chest_ct/nodule_malignancy")
]
FUZZ = settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

texts = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            "30 %",
            "-5 %",
            "1e400 s",
            "2.5 mm",
            "nan %",
            "declared",
            "sensitivity",
            "R4",
            "${x}",
            "???",
            "a\x00",
            "\ud800",
        ]
    ),
)
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**30), 10**30), st.floats(allow_nan=True, allow_infinity=True), texts
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=6
)


def paths_of(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every key and item."""
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [found for key, value in inner for found in [(*path, key), *paths_of(value, (*path, key))]]


def at(data: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        data = data[key]
    return data


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """Delete, rename, replace, copy or swap parts of a sound policy."""
    data = copy.deepcopy(draw(st.sampled_from([SOUND, *SHIPPED])))
    for _ in range(draw(st.integers(1, 4))):
        paths = paths_of(data)
        if not paths:
            break
        path = draw(st.sampled_from(paths))
        holder, key = at(data, path[:-1]), path[-1]
        kind = draw(st.sampled_from(["delete", "replace", "rename", "copy", "swap"]))
        if kind == "delete":
            del holder[key]
        elif kind == "replace":
            holder[key] = draw(values)
        elif kind == "rename" and isinstance(holder, dict):
            holder[draw(texts)] = holder.pop(key)
        elif kind == "copy":
            holder[key] = copy.deepcopy(at(data, draw(st.sampled_from(paths))))
        else:
            other = draw(st.sampled_from(paths))
            holder[key] = copy.deepcopy(at(data, other))
    return data


def read(path: Path, overrides: list[str] | None = None) -> Policy | None:
    """Load a policy; None when it is refused in the way that every bad policy must be."""
    try:
        return load_policy(str(path), overrides or ()).policy
    except UsageError as error:
        refusal = error
    told = str(refusal)
    assert refusal.exit_code is ExitCode.USAGE
    assert told.startswith("error[GK")
    assert all(letter.isprintable() or letter == "\n" for letter in told)
    return None


def reads_back(policy: Policy, folder: Path) -> None:
    shown = folder / "shown.yaml"
    shown.write_text(policy_yaml(policy), encoding="utf-8")
    assert load_policy(str(shown)).policy.digest == policy.digest
    assert Policy.model_validate_json(policy.model_dump_json()).digest == policy.digest


@FUZZ
@given(data=mutated())
def test_a_mutated_policy_is_one_or_is_refused(data: Any, tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_bytes(yaml.dump(data, allow_unicode=True, sort_keys=False).encode("utf-8", "surrogatepass"))
    policy = read(path)
    if policy is not None:
        reads_back(policy, tmp_path)


@FUZZ
@given(data=mutated())
def test_a_mutated_layer_over_a_sound_one_is_a_policy_or_is_refused(data: Any, tmp_path: Path) -> None:
    (tmp_path / "parent.yaml").write_text(POLICY)
    path = tmp_path / "child.yaml"
    layers = {"defaults": ["parent"]} | (data if isinstance(data, dict) else {})
    layers["defaults"] = ["parent"]
    path.write_bytes(yaml.dump(layers, allow_unicode=True, sort_keys=False).encode("utf-8", "surrogatepass"))
    policy = read(path)
    if policy is not None:
        reads_back(policy, tmp_path)


@FUZZ
@given(raw=st.binary(max_size=300) | st.text(alphabet="ab:-,{}[]\"'#&*!%@|>?~019. \n\t", max_size=200).map(str.encode))
def test_any_bytes_are_refused(raw: bytes, tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_bytes(raw)
    assert read(path) is None


@FUZZ
@given(raw=st.binary(min_size=1, max_size=4), where=st.integers(0, len(POLICY) - 1))
def test_bytes_put_into_a_sound_policy_leave_it_one_or_are_refused(raw: bytes, where: int, tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_bytes(POLICY.encode()[:where] + raw + POLICY.encode()[where + len(raw) :])
    read(path)


@settings(FUZZ, max_examples=80)
@given(
    key=st.sampled_from(
        ["title", "requirements.sensitivity.lower_limit.at_least", "latency.timed_calls", "order", "x"]
    ),
    value=texts | st.text(alphabet="ab:,{}[]\"'=$?\\ 0.%", max_size=20),
)
def test_any_override_is_taken_or_refused(key: str, value: str, tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY)
    read(path, [f"{key}={value}"])


@pytest.mark.parametrize("override", ["", "=", "a", "a=b=c", "~title", "+x=1", "++title=x", "title=1,2", "title={a:b}"])
def test_overrides_that_are_more_than_one_value_for_one_key_are_refused(override: str, tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY)
    assert read(path, [override]) is None
