from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from made_up_reports import OWN_POLICY, judged

from gatekeeper.errors import Code, Place, Problem
from gatekeeper.policy import load_policy
from gatekeeper.reporters import Asked
from gatekeeper.reporters.places import Location, anchor, place_of_problem, place_of_requirement


def test_a_requirement_stands_where_the_last_layer_sets_it(tmp_path: Path) -> None:
    made = judged(tmp_path)
    assert place_of_requirement(made, "specificity") == Location("ours.yaml", 5, 3)
    assert place_of_requirement(made, "specificity[slice_thickness=over 2.5 mm]") == Location("ours.yaml", 5, 3)


def test_what_a_layer_outside_the_workspace_sets_stands_where_it_is_named(tmp_path: Path) -> None:
    made = judged(tmp_path)
    assert place_of_requirement(made, "sensitivity") == Location("ours.yaml", 2, 1)


def test_a_layer_of_one_s_own_is_named_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "policies" / "base").mkdir(parents=True)
    layer = OWN_POLICY.replace("# a policy", "\n\n# a layer")
    (tmp_path / "policies" / "base" / "house.yaml").write_text(layer)
    (tmp_path / "ours.yaml").write_text("defaults: [base/house]\nid: ours\n")
    loaded = load_policy("ours.yaml")
    made = replace(judged(tmp_path), written_at=loaded.written_at, layers=loaded.layers)
    assert place_of_requirement(made, "specificity") == Location("policies/base/house.yaml", 7, 3)


def test_what_the_command_line_changed_still_stands_in_its_file(tmp_path: Path) -> None:
    (tmp_path / "ours.yaml").write_text(OWN_POLICY)
    loaded = load_policy(str(tmp_path / "ours.yaml"), ["requirements.specificity.lower_limit.at_least=0.95"])
    assert "override" in str(loaded.place_of(("requirements", "specificity")))
    made = replace(judged(tmp_path), written_at=loaded.written_at)
    assert place_of_requirement(made, "specificity") == Location("ours.yaml", 5, 3)


def test_a_shipped_policy_stands_where_the_user_names_it(tmp_path: Path) -> None:
    project = tmp_path / "gatekeeper.yaml"
    project.write_text("candidate: cnn.yaml\npolicy: chest_ct/nodule_malignancy\n")
    loaded = load_policy("chest_ct/nodule_malignancy")
    asked = Asked(tmp_path, anchors=(Path("chest_ct/nodule_malignancy"), project))
    made = replace(judged(tmp_path), asked=asked, written_at=loaded.written_at, layers=loaded.layers)
    assert place_of_requirement(made, "specificity") == Location("gatekeeper.yaml", 2)
    project.unlink()
    assert place_of_requirement(made, "specificity") is None


def test_a_file_that_is_not_in_the_workspace_is_never_named(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "secret.yaml").write_text("policy: x\n")
    (tmp_path / "work" / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    asked = Asked(tmp_path / "work", anchors=(tmp_path / "secret.yaml",))
    assert anchor(asked) is None
    for path in ("../secret.yaml", str(tmp_path / "secret.yaml"), "", "\0", "x" * 5000, "the override a=b", "\ud800"):
        assert place_of_problem(Problem(Code.BAD_VALUE, "bad", Place(path, 3)), asked) is None


def test_a_workspace_that_is_a_link_is_the_same_workspace(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    made = judged(tmp_path / "real")
    linked = replace(made, asked=replace(made.asked, workspace=tmp_path / "link"))
    assert place_of_requirement(linked, "specificity") == Location("ours.yaml", 5, 3)
