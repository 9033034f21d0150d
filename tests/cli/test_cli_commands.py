"""The commands of the program, in a process of their own: help, usage, output, exit codes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from command_line import call
from made_up_bench import Bench

import gatekeeper
from gatekeeper.policy import Policy, load_policy, policy_names
from gatekeeper.testset import Manifest

NAME = "chest_ct/nodule_malignancy"
GROUPS = ["lock", "policy", "candidate", "ledger", "keys"]
COMMANDS = [
    *(["demo"], ["init"], ["check"], ["evaluate"], ["verify"], ["sign"], ["doctor"]),
    *(["reissue"], ["promote"], ["admit"], ["rollback"], ["revoke"], ["track"]),
    *(["lock", "create"], ["lock", "verify"], ["lock", "show"], ["lock", "overlap"]),
    *(["policy", "list"], ["policy", "show"], ["policy", "schema"]),
    *(["policy", "explain"], ["policy", "lint"], ["policy", "diff"], ["policy", "approve"], ["policy", "sources"]),
    ["policy", "metrics"],
    ["policy", "perturbations"],
    *(
        ["candidate", "digest"],
        ["candidate", "inspect"],
        ["ledger", "show"],
        ["ledger", "verify"],
        ["keys", "init"],
        ["keys", "show"],
    ),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_of_every_command_has_an_example_that_calls_it(command: list[str], tmp_path: Path) -> None:
    done = call(*command, "--help", home=tmp_path)
    assert done.returncode == 0
    assert "Example:\n    gatekeeper " + " ".join(command) in done.stdout
    assert not list(tmp_path.iterdir())


def test_the_list_above_is_every_command(tmp_path: Path) -> None:
    def commands(*group: str) -> list[str]:
        listed = call(*group, "--help", home=tmp_path).stdout.partition("Commands:\n")[2]
        return [line.split()[0] for line in listed.splitlines() if line.startswith("  ") and line[2] != " "]

    assert set(commands()) == {command[0] for command in COMMANDS}
    assert {(group, name) for group in GROUPS for name in commands(group)} == {
        tuple(command) for command in COMMANDS if len(command) == 2
    }


def test_version_and_short_help(tmp_path: Path) -> None:
    assert call("--version", home=tmp_path).stdout == f"gatekeeper {gatekeeper.__version__}\n"
    assert call("-h", home=tmp_path).stdout == call("--help", home=tmp_path).stdout


@pytest.mark.parametrize("group", [[], *([name] for name in GROUPS)], ids=lambda group: " ".join(group) or "nothing")
def test_nothing_asked_for_gives_help_and_code_2(group: list[str], tmp_path: Path) -> None:
    done = call(*group, home=tmp_path)
    assert done.returncode == 2
    assert "Commands:" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["polcy"], "policy"),
        (["policy", "sow"], "show"),
        (["--nonsense"], "--nonsense"),
        (["verify", "--nonsense"], "--nonsense"),
        (["verify"], "dossier"),
        (["lock", "create"], "--table"),
        (["lock", "create", "--table"], "--table"),
        (["verify", "a.pdf", "b.pdf"], "b.pdf"),
    ],
)
def test_wrong_usage_is_named_with_code_2(arguments: list[str], words: str, tmp_path: Path) -> None:
    done = call(*arguments, home=tmp_path)
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stdout == ""


# policy


def test_policy_list_has_the_shipped_policies_and_one_s_own(tmp_path: Path, bench: Bench) -> None:
    (bench.folder / "policies" / "base").mkdir(parents=True)
    shutil.copy(bench.policy, bench.folder / "policies" / "discs.yaml")
    (bench.folder / "policies" / "base" / "ours.yaml").write_text("notes: [x]\n")
    done = call("policy", "list", home=tmp_path, cwd=bench.folder)
    assert done.returncode == 0
    head, *rows = [line.split() for line in done.stdout.splitlines()]
    assert head == ["policy", "modality", "task", "requirements"]
    assert [row[0] for row in rows] == sorted([*policy_names(), "discs"])
    assert [NAME, "CT", "classification", "12", "shipped"] in rows
    assert {row[0] for row in rows if row[-1] == "own"} == {"discs"}


def test_policy_show_prints_a_policy_with_the_same_digest(tmp_path: Path) -> None:
    shown = tmp_path / "shown.yaml"
    shown.write_text(call("policy", "show", NAME, home=tmp_path).stdout)
    assert load_policy(str(shown)).policy.digest == load_policy(NAME).policy.digest
    assert shown.read_text().startswith(f"# {load_policy(NAME).policy.digest}\n")
    printed = call("policy", "show", NAME, "--json", home=tmp_path).stdout
    assert Policy.model_validate_json(printed).digest == load_policy(NAME).policy.digest


def test_policy_schema_is_json(tmp_path: Path) -> None:
    assert json.loads(call("policy", "schema", home=tmp_path).stdout)["title"] == "Policy"


def test_an_unknown_policy_is_code_2_with_the_nearest(tmp_path: Path) -> None:
    done = call("policy", "show", "chest_ct/nodule_malignacy", home=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert f'did you mean "{NAME}"?' in done.stderr


# lock


def test_a_lock_is_created_verified_and_shown(bench: Bench) -> None:
    out = bench.folder / "again.lock"
    done = call("lock", "create", "--table", bench.table, "--out", out, home=bench.home)
    assert done.returncode == 0
    assert "90 cases of 30 patients, 90 files, sha256:" in done.stdout
    assert (bench.folder / "again.lock.secret").is_file()
    assert "all 90 files" in call("lock", "verify", out, home=bench.home).stdout
    shown = call("lock", "show", out, home=bench.home).stdout
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    assert {"cases 90", "subjects 60", "patients 30", "site north 20 patients", "south 10 patients"} <= set(lines)
    assert max(map(len, shown.splitlines())) <= 80
    manifest = Manifest.model_validate_json(call("lock", "show", out, "--json", home=bench.home).stdout)
    assert manifest.digest in shown
    (bench.folder / "images" / "disc-003-0.dcm").unlink()
    done = call("lock", "verify", out, home=bench.home)
    assert done.returncode == 3
    assert "disc-003-0" in done.stderr


def test_a_table_that_does_not_hold_is_code_2_with_every_line(bench: Bench) -> None:
    bench.table.write_text(bench.table.read_text().replace(",0,,", ",7,,"))
    done = call("lock", "create", "--table", bench.table, "--out", bench.folder / "a.lock", home=bench.home)
    assert done.returncode == 2
    assert done.stderr.count("error[GK104]") == 20
    assert f"{bench.table}:2" in done.stderr
    assert not (bench.folder / "a.lock").exists()


# candidate, ledger, keys


def test_candidate_digest_names_the_candidate_and_its_files(bench: Bench) -> None:
    lines = call("candidate", "digest", bench.candidate, home=bench.home).stdout.splitlines()
    assert [line.split()[1] for line in lines] == ["cnn", "nodule_cnn.safetensors"]
    assert all(line.startswith("sha256:") for line in lines)


def test_the_ledger_is_shown_and_verified(finished_run: Path, home: Path) -> None:
    shown = call("ledger", "show", home=home).stdout.splitlines()
    assert any("testset.opened" in line for line in shown)
    assert any("run.finished" in line for line in shown)
    verified = call("ledger", "verify", home=home)
    assert verified.returncode == 0
    assert verified.stdout.startswith(f"{len(shown):,} lines hold; head sha256:")


def test_a_changed_ledger_is_code_3(finished_run: Path, home: Path, tmp_path: Path) -> None:
    shutil.copy(home / "ledger.sqlite", tmp_path)
    data = (tmp_path / "ledger.sqlite").read_bytes()
    assert data.count(b"testset.opened") > 0
    (tmp_path / "ledger.sqlite").write_bytes(data.replace(b'"purpose":"check"', b'"purpose":"chess"'))
    assert call("ledger", "verify", home=tmp_path).returncode == 3


def test_keys_show_makes_a_development_set_and_says_so(tmp_path: Path) -> None:
    first, second = (call("keys", "show", home=tmp_path / "home") for _ in range(2))
    assert "development keys, not for release" in first.stdout
    assert first.stdout == second.stdout


def test_a_home_that_is_a_file_is_code_2(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("in the way")
    for command in (["keys", "show"], ["ledger", "show"]):
        assert call(*command, home=tmp_path / "home").returncode == 2


# check


def test_a_dry_run_prints_the_plan_and_runs_nothing(bench: Bench) -> None:
    done = call("check", "--dry-run", "--policy", bench.policy, home=bench.home)
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0] == f"{len(lines) - 1} conditions for every case of the test set:"
    assert "baseline" in lines[1]
    assert any("0.75 mm" in line for line in lines)
    assert any("100 timed calls" in line for line in lines)
    assert any("in a fresh process" in line for line in lines)
    assert bench.runs() == []


@pytest.mark.parametrize("given", range(3))
def test_a_check_without_its_inputs_says_what_to_give(bench: Bench, tmp_path: Path, given: int) -> None:
    inputs = [("policy", bench.policy), ("candidate", bench.candidate), ("testset", bench.lock)]
    arguments = [part for name, path in inputs[:given] for part in (f"--{name}", path)]
    done = call("check", *arguments, home=bench.home, cwd=tmp_path)
    assert done.returncode == 2
    assert f"give --{inputs[given][0]}, or write" in done.stderr
    assert "gatekeeper.yaml" in done.stderr


@pytest.mark.parametrize("name", ["policy", "candidate", "testset"])
@pytest.mark.parametrize("value", ["no-such-thing", "no/such.yaml", "x" * 300], ids=["name", "file", "long"])
def test_an_input_that_is_not_there_is_code_2(bench: Bench, name: str, value: str) -> None:
    inputs = {"policy": str(bench.policy), "candidate": str(bench.candidate), "testset": str(bench.lock), name: value}
    done = call("check", *(part for key, path in inputs.items() for part in (f"--{key}", path)), home=bench.home)
    assert done.returncode == 2
    assert "error[GK10" in done.stderr
    assert bench.runs() == []


@pytest.mark.parametrize(
    ("project", "line"),
    [("polcy: a\n", 1), ("policy: a\ncandidate: [b]\n", 2), ("policy: a\npolicy: b\n", 2), ("- a\n", None)],
)
def test_a_project_file_that_does_not_hold_is_code_2_at_its_line(
    project: str, line: int | None, tmp_path: Path
) -> None:
    (tmp_path / "gatekeeper.yaml").write_text(project)
    done = call("check", "--dry-run", home=tmp_path, cwd=tmp_path)
    assert done.returncode == 2
    assert ("gatekeeper.yaml" if line is None else f"gatekeeper.yaml:{line}:") in done.stderr


def test_a_candidate_and_a_test_set_are_found_by_name(bench: Bench) -> None:
    configs = bench.folder / "configs"
    shutil.copytree(bench.candidate.parent, configs / "candidate")
    (configs / "testset").mkdir()
    (configs / "testset" / "ours.lock").write_text("{}")
    arguments = ["check", "--policy", bench.policy, "--candidate", "cnn", "--testset", "ours"]
    done = call(*arguments, home=bench.home, cwd=bench.folder)
    assert done.returncode == 3
    assert str(Path("configs") / "testset" / "ours.lock") in done.stderr


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("engine.batch_siz=3", "did you mean"),
        ("engine.batch_size=0", "the override"),
        ("policy.titel=x", "did you mean"),
        ("batch_size=3", "begin it with policy. or engine."),
        ("policy.title", "key.key=value"),
        ("+policy.x=1", "begin it with"),
        ("policy.hydra.run.dir=/", "no key"),
    ],
)
def test_an_override_that_does_not_fit_is_code_2(override: str, words: str, tmp_path: Path) -> None:
    done = call("check", "--dry-run", "--policy", NAME, override, home=tmp_path)
    assert done.returncode == 2
    assert words in done.stderr


def test_an_out_folder_that_is_a_file_is_code_2(bench: Bench) -> None:
    bench.out.write_text("in the way")
    arguments = ["--policy", bench.policy, "--candidate", bench.candidate, "--testset", bench.lock, "--out", bench.out]
    done = call("check", *arguments, home=bench.home)
    assert done.returncode == 2
    assert "error[GK113]" in done.stderr
    assert "--out" in done.stderr


# evaluate


def test_evaluate_prints_the_verdict_again(finished_run: Path, home: Path) -> None:
    done = call("evaluate", finished_run, home=home)
    assert done.returncode == 0
    assert "PASS" in done.stdout
    printed = call("evaluate", finished_run, "--json", home=home).stdout
    assert json.loads(printed) == json.loads((finished_run / "verdict.json").read_text())


def test_evaluate_of_what_is_no_run_is_code_2(home: Path, tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none"):
        assert call("evaluate", path, home=home).returncode == 2


def test_a_stricter_policy_fails_a_run_unless_asked_to_exit_zero(finished_run: Path, home: Path, bench: Bench) -> None:
    arguments = [
        "evaluate",
        finished_run,
        "--policy",
        bench.policy,
        "policy.requirements.time.upper_limit.at_most=1e-6 s",
    ]
    assert call(*arguments, home=home).returncode == 1
    assert call(*arguments, "--exit-zero", home=home).returncode == 0
