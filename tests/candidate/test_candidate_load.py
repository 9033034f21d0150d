from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_up_bench import CANDIDATE

from gatekeeper.candidate import CandidateRecord, load_candidate
from gatekeeper.canonical import digest_json
from gatekeeper.errors import Code, Problem, UsageError

TEXT = CANDIDATE.format(operating_point=0.5)
WEIGHTS = bytes(range(200))


@pytest.fixture
def candidate(tmp_path: Path) -> Path:
    """A candidate whose weights are 200 bytes that no network could use: nothing of it is run."""
    path = tmp_path / "cnn.yaml"
    path.write_text(TEXT)
    (tmp_path / "nodule_cnn.safetensors").write_bytes(WEIGHTS)
    return path


def edit(candidate: Path, old: str, new: str) -> Path:
    assert old in TEXT
    candidate.write_text(TEXT.replace(old, new, 1))
    return candidate


def refused(candidate: Path) -> tuple[Problem, ...]:
    with pytest.raises(UsageError) as caught:
        load_candidate(candidate)
    return caught.value.problems


def test_a_candidate_is_named_by_its_contract_and_its_files(candidate: Path) -> None:
    loaded = load_candidate(candidate)
    assert loaded.record.name == "cnn"
    assert list(loaded.record.files) == ["nodule_cnn.safetensors"]
    assert loaded.artefact.read_bytes() == WEIGHTS
    again = CandidateRecord.model_validate_json(json.dumps(loaded.record.to_json()))
    assert again == loaded.record


# The digest

CHANGES = [
    ("description: the demo's", "description: another"),
    ("{name: nodule_cnn}", "{name: nodule_cnn, arguments: {width: 8}}"),
    ("size: [64, 64]", "size: [64, 65]"),
    ("spacing_mm: [0.75, 0.75]", "spacing_mm: [0.75, 0.7500000001]"),
    ("spacing_mm: [0.75, 0.75], ", ""),
    ("zero_at: 0", "zero_at: -1"),
    ("one_at: 255", "one_at: 254"),
    ("kind: logit", "kind: probability"),
    ("[small, large]", "[tiny, large]"),
    ("positive: large", "positive: small"),
    ("operating_point: 0.5", "operating_point: 0.5000000000000001"),
    ("producer: trusted", "producer: untrusted"),
]


@pytest.mark.parametrize(("old", "new"), CHANGES)
def test_every_field_of_the_contract_is_in_the_digest(candidate: Path, old: str, new: str) -> None:
    before = load_candidate(candidate).record.digest
    assert load_candidate(edit(candidate, old, new)).record.digest != before


def leaves(value: object, path: str = "") -> dict[str, object]:
    """Return every innermost value by its dotted path."""
    if not isinstance(value, dict) or not value:
        return {path: value}
    return {key: leaf for name, below in value.items() for key, leaf in leaves(below, f"{path}.{name}").items()}


def test_no_value_of_a_contract_can_change_and_the_digest_stay(candidate: Path) -> None:
    record = load_candidate(candidate).record
    content = record.contract.to_json()
    for path, value in leaves(content).items():
        changed = json.loads(json.dumps(content))
        place, *rest = path.removeprefix(".").split(".")
        at = changed
        for name in rest:
            at, place = at[place], name
        at[place] = [value, "changed"]
        other = digest_json({"contract": changed, "files": dict(record.files)})
        assert other != record.digest, path
    assert record.recomputed == record.digest
    assert record.model_copy(update={"plugin": "other 1.0"}).recomputed != record.digest


def test_the_name_of_the_artefact_is_in_the_digest_but_not_that_of_the_yaml(candidate: Path) -> None:
    before = load_candidate(candidate).record.digest
    renamed = candidate.rename(candidate.with_name("other.yaml"))
    assert load_candidate(renamed).record.digest == before
    (candidate.parent / "nodule_cnn.safetensors").rename(candidate.parent / "w.safetensors")
    assert load_candidate(edit(candidate, "nodule_cnn.safetensors", "w.safetensors")).record.digest != before


def test_comments_blanks_and_order_of_keys_are_not_in_the_digest(candidate: Path) -> None:
    before = load_candidate(candidate).record.digest
    candidate.write_text(
        "# a comment\n\n" + "\n".join(f"{line}   # why" for line in reversed(TEXT.splitlines())) + "\n"
    )
    assert load_candidate(candidate).record.digest == before


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.integers(0, len(WEIGHTS) - 1), change=st.integers(1, 255))
def test_every_byte_of_the_weights_is_in_the_digest(candidate: Path, position: int, change: int) -> None:
    weights = candidate.parent / "nodule_cnn.safetensors"
    weights.write_bytes(WEIGHTS)
    before = load_candidate(candidate).record.digest
    changed = bytearray(WEIGHTS)
    changed[position] ^= change
    weights.write_bytes(changed)
    assert load_candidate(candidate).record.digest != before


@pytest.mark.parametrize("data", [b"", WEIGHTS + b"\0", WEIGHTS[:-1]])
def test_the_length_of_the_weights_is_in_the_digest(candidate: Path, data: bytes) -> None:
    before = load_candidate(candidate).record.digest
    (candidate.parent / "nodule_cnn.safetensors").write_bytes(data)
    assert load_candidate(candidate).record.digest != before


# Errors

BROKEN = [
    ("architecture: {name: nodule_cnn}", "architecture: {name: nodul_cnn}", Code.UNKNOWN_NAME, '"nodule_cnn"'),
    ("{name: nodule_cnn}", "{name: nodule_cnn, arguments: {widht: 8}}", Code.UNKNOWN_KEY, '"width"'),
    ("{name: nodule_cnn}", "{name: nodule_cnn, arguments: {width: 0}}", Code.BAD_VALUE, ""),
    ("{name: nodule_cnn}", "{name: nodule_cnn, arguments: {width: 100000000000000000000}}", Code.BAD_VALUE, ""),
    ("{name: nodule_cnn}", "{name: nodule_cnn, arguments: {width: 8.5}}", Code.BAD_VALUE, ""),
    ("artefact:", "artifact:", Code.UNKNOWN_KEY, '"artefact"'),
    ("operating_point: 0.5", "operating_pont: 0.5", Code.UNKNOWN_KEY, '"operating_point"'),
    ("size: [64", "sise: [64", Code.UNKNOWN_KEY, '"size"'),
    ("zero_at: 0", "zeroat: 0", Code.UNKNOWN_KEY, '"zero_at"'),
    ("kind: logit", "kin: logit", Code.UNKNOWN_KEY, '"kind"'),
    ("operating_point: 0.5", "operating_point: 0", Code.BAD_VALUE, ""),
    ("operating_point: 0.5", "operating_point: 1", Code.BAD_VALUE, ""),
    ("operating_point: 0.5", "operating_point: 1.5", Code.BAD_VALUE, ""),
    ("operating_point: 0.5", "operating_point: 50 %", Code.BAD_VALUE, ""),
    ("operating_point: 0.5", "operating_point: .nan", Code.BAD_VALUE, ""),
    ("size: [64, 64]", "size: [64]", Code.BAD_VALUE, ""),
    ("size: [64, 64]", "size: [64, 0]", Code.BAD_VALUE, ""),
    ("size: [64, 64]", "size: [64, 1000000000]", Code.BAD_VALUE, ""),
    ("spacing_mm: [0.75, 0.75]", "spacing_mm: [0.75, -0.75]", Code.BAD_VALUE, ""),
    ("one_at: 255", "one_at: 0", Code.BAD_VALUE, ""),
    ("one_at: 255", "one_at: 1e999", Code.BAD_VALUE, ""),
    ("positive: large", "positive: huge", Code.BAD_VALUE, ""),
    ("kind: logit", "kind: logitz", Code.BAD_VALUE, ""),
    ("format: safetensors", "format: pickle", Code.BAD_VALUE, ""),
    ("artefact: nodule_cnn.safetensors", 'artefact: ""', Code.BAD_VALUE, ""),
    ("producer: trusted", "producer: me", Code.BAD_VALUE, ""),
]


@pytest.mark.parametrize(("old", "new", "code", "nearest"), BROKEN)
def test_a_contract_that_does_not_hold_is_told_at_its_line(
    candidate: Path, old: str, new: str, code: Code, nearest: str
) -> None:
    problem = refused(edit(candidate, old, new))[0]
    assert problem.code is code
    assert nearest in (problem.mend or "")
    assert problem.where is not None
    assert problem.where.path == str(candidate)
    assert problem.where.line == TEXT[: TEXT.index(old)].count("\n") + 1


def test_all_that_is_wrong_with_a_contract_comes_at_once(candidate: Path) -> None:
    text = TEXT.replace("operating_point: 0.5", "operating_point: 2").replace("kind: logit", "kind: x")
    candidate.write_text(text.replace("producer:", "maker:"))
    assert len(refused(candidate)) == 3


def test_a_candidate_that_is_not_there_is_said(tmp_path: Path) -> None:
    for path in (tmp_path / "none.yaml", tmp_path, tmp_path / ("a" * 300)):
        assert refused(path)[0].code is Code.FILE_NOT_FOUND


def test_a_missing_artefact_is_said(candidate: Path) -> None:
    (candidate.parent / "nodule_cnn.safetensors").unlink()
    (problem,) = refused(candidate)
    assert problem.code is Code.FILE_NOT_FOUND
    assert "nodule_cnn.safetensors" in problem.what


@pytest.mark.parametrize(("artefact", "code"), [("none", Code.FILE_NOT_FOUND), ("a" * 300, Code.BAD_VALUE)])
def test_an_artefact_that_is_not_there_is_said(candidate: Path, artefact: str, code: Code) -> None:
    path = edit(candidate, "artefact: nodule_cnn.safetensors", f'artefact: "{artefact}"')
    assert refused(path)[0].code is code


@pytest.mark.parametrize("artefact", [".", "folder"])
def test_a_folder_is_no_artefact_of_a_format_that_is_one_file(candidate: Path, artefact: str) -> None:
    (candidate.parent / "folder").mkdir()
    path = edit(candidate, "artefact: nodule_cnn.safetensors", f'artefact: "{artefact}"')
    (problem,) = refused(path)
    assert (problem.code, "folder" in problem.what) == (Code.MISMATCH, True)


def test_every_file_of_a_folder_is_in_the_digest_and_a_link_in_it_is_refused(candidate: Path) -> None:
    folder = candidate.parent / "code"
    (folder / "below").mkdir(parents=True)
    (folder / "a.json").write_text("1")
    (folder / "below" / "b.pt").write_text("2")
    candidate.write_text(
        TEXT.replace("format: safetensors\narchitecture: {name: nodule_cnn}", "format: monai_bundle").replace(
            "artefact: nodule_cnn.safetensors", "artefact: code"
        )
    )
    record = load_candidate(candidate).record
    assert list(record.files) == ["code/a.json", "code/below/b.pt"]
    (folder / "below" / "b.pt").write_text("3")
    assert load_candidate(candidate).record.digest != record.digest
    (folder / "below" / "link").symlink_to("/etc/passwd")
    assert refused(candidate)[0].code is Code.FORBIDDEN


@pytest.mark.parametrize("artefact", ["../outside.bin", "/etc/passwd", "folder/../../outside.bin"])
def test_an_artefact_outside_the_folder_is_refused(candidate: Path, artefact: str) -> None:
    (candidate.parent.parent / "outside.bin").write_bytes(WEIGHTS)
    (problem,) = refused(edit(candidate, "artefact: nodule_cnn.safetensors", f"artefact: {artefact}"))
    assert problem.code is Code.FORBIDDEN


def test_a_linked_artefact_is_refused_and_so_is_one_below_a_linked_folder(candidate: Path) -> None:
    weights = candidate.parent / "nodule_cnn.safetensors"
    outside = candidate.parent.parent / f"{candidate.parent.name}-outside"
    outside.mkdir()
    weights.rename(outside / weights.name)
    weights.symlink_to(outside / weights.name)
    assert refused(candidate)[0].code is Code.FORBIDDEN
    (candidate.parent / "sub").symlink_to(outside)
    assert (
        refused(edit(candidate, f"artefact: {weights.name}", f"artefact: sub/{weights.name}"))[0].code is Code.FORBIDDEN
    )


def test_an_artefact_in_a_folder_below_is_found(candidate: Path) -> None:
    (candidate.parent / "sub").mkdir()
    (candidate.parent / "nodule_cnn.safetensors").rename(candidate.parent / "sub" / "w")
    loaded = load_candidate(edit(candidate, "artefact: nodule_cnn.safetensors", "artefact: sub/w"))
    assert list(loaded.record.files) == ["sub/w"]
