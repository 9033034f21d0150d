from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from broken_policies import BROKEN
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_up_bench import POLICY

from gatekeeper.errors import Code, Problem, UsageError
from gatekeeper.policy import Policy, load_policy, shipped

SHIPPED = (shipped("policies") / "chest_ct" / "nodule_malignancy.yaml").read_text()


def problems_of(text: str, folder: Path) -> tuple[Problem, ...]:
    """Load a policy that must be refused; return all that was said."""
    path = folder / "policy.yaml"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        load_policy(str(path))
    return caught.value.problems


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_policy_is_refused_at_its_place(name: str, tmp_path: Path) -> None:
    broken = BROKEN[name]
    problems = problems_of(broken.text, tmp_path)
    found = [(problem.code, problem.where.line if problem.where else None) for problem in problems]
    assert (broken.code, broken.line) in found
    problem = problems[found.index((broken.code, broken.line))]
    assert problem.where is not None
    assert problem.where.path == str(tmp_path / "policy.yaml")
    if broken.mend is not None:
        assert broken.mend in (problem.mend or "")


def test_the_corpus_is_made_of_edits_of_a_sound_policy(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY)
    assert load_policy(str(path)).policy.id == "made_up_discs"
    assert len(BROKEN) >= 150
    assert all(broken.text != POLICY for broken in BROKEN.values())


def test_a_column_points_at_the_misspelt_key(tmp_path: Path) -> None:
    (problem,) = problems_of(POLICY.replace("min_cases", "min_case"), tmp_path)
    assert problem.where is not None
    assert problem.where.excerpt is not None
    assert problem.where.excerpt[(problem.where.column or 0) - 1 :].startswith("min_case:")


def test_all_errors_of_a_file_come_at_once(tmp_path: Path) -> None:
    text = (
        POLICY.replace("modality: CT", "modality: CAT")
        .replace("metric: specificity", "metric: specifity")
        .replace("at_most: 90 %", "at_most: 900 %")
        .replace("contour_erosion: [0.75 mm, 6 mm]", "contour_erosion: [0.75, 6000 mm]")
        .replace("warm_up_calls: 2,", "warm_up: 2,")
        .replace("title: Discs, made up for tests\n", "")
    )
    codes = [problem.code for problem in problems_of(text, tmp_path)]
    assert sorted(codes) == sorted(
        [Code.BAD_VALUE, Code.UNKNOWN_NAME, Code.BAD_VALUE, Code.BAD_VALUE, Code.UNKNOWN_KEY, Code.MISSING_KEY]
    )


def test_all_names_that_lead_nowhere_come_at_once(tmp_path: Path) -> None:
    text = (
        POLICY.replace("of: sensitivity", "of: rerun")
        .replace("requirements: [sensitivity]", "requirements: [zzz], largest_gap: {time: 1 ms}")
        .replace("order: [sensitivity, specificity,", "order: [specificity, specificity,")
    )
    assert len(problems_of(text, tmp_path)) == 5


def test_a_policy_in_which_nothing_blocks_is_refused(tmp_path: Path) -> None:
    text = POLICY.replace("    basis:", "    blocking: false\n    basis:")
    assert "nothing judged is never a pass" in problems_of(text, tmp_path)[0].what


def test_a_policy_without_requirements_is_refused(tmp_path: Path) -> None:
    head, _, tail = POLICY.partition("requirements:\n")
    text = head + "requirements: {}\n" + tail[tail.index("robustness:") :]
    assert problems_of(text, tmp_path)[0].what.startswith("requirements:")


@pytest.mark.parametrize("text", ["requirements:\n  rerun:\n", "requirements:\n  rerun: {metric:}\n"])
def test_a_child_cannot_take_away_what_its_base_requires(text: str, tmp_path: Path) -> None:
    rest = POLICY.partition("  rerun:\n")
    child = "defaults: [base/repeatable]\n" + rest[0] + text.removeprefix("requirements:\n")
    child += rest[2][rest[2].index("  flips:") :]
    problems = problems_of(child, tmp_path)
    assert all(problem.where and problem.where.path == str(tmp_path / "policy.yaml") for problem in problems)


line_numbers = st.integers(0, SHIPPED.count("\n") - 1)


@st.composite
def mutations(draw: st.DrawFn) -> str:
    """Delete, repeat or move lines of the shipped policy, or put other characters in."""
    lines = SHIPPED.splitlines()
    for _ in range(draw(st.integers(1, 3))):
        at = draw(line_numbers) % len(lines)
        kind = draw(st.sampled_from(["delete", "repeat", "move", "character", "indent", "cut"]))
        line = lines[at]
        if kind == "delete":
            del lines[at]
        elif kind == "repeat":
            lines.insert(draw(line_numbers) % len(lines), line)
        elif kind == "move":
            lines.insert(draw(line_numbers) % len(lines), lines.pop(at))
        elif kind == "character":
            place = draw(st.integers(0, len(line)))
            new = draw(st.text(alphabet=" :-,{}[]\"'#&*!%@|>?~0123456789.eabZé\t\x00$", min_size=1, max_size=3))
            lines[at] = line[:place] + new + line[place + draw(st.integers(0, 2)) :]
        elif kind == "indent":
            lines[at] = " " * draw(st.integers(0, 6)) + line.lstrip()
        else:
            lines[at] = line[: draw(st.integers(0, len(line)))]
    return "\n".join(lines) + "\n"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=mutations())
def test_no_mutation_ends_in_anything_but_a_policy_or_a_usage_error(text: str, tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(text, encoding="utf-8")
    with contextlib.suppress(UsageError):
        policy = load_policy(str(path)).policy
        assert Policy.model_validate_json(policy.model_dump_json()).digest == policy.digest
