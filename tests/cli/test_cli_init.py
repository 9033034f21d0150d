"""``gatekeeper init``: what it writes holds as it is, goes through the gate, and harms nothing that was there."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import yaml
from command_line import call
from made_up_bench import Bench
from numpy.typing import NDArray

from gatekeeper.candidate.adapters.anatomy import Anatomy, Port
from gatekeeper.candidate.contract import Contract, Format
from gatekeeper.cli import main
from gatekeeper.errors import Code, UsageError
from gatekeeper.policy import load_policy, policy_names
from gatekeeper.policy.lint import Weight
from gatekeeper.policy.review import review
from gatekeeper.starting import Wishes, begin, nearest_policy, shipped_policies
from gatekeeper.starting.candidate_template import candidate_yaml
from gatekeeper.starting.learnt import learnt_from
from gatekeeper.strict_yaml import parse_yaml
from gatekeeper.validation import validate

NAME = "chest_ct/nodule_malignancy"
WRITTEN = {
    "gatekeeper.yaml",
    "policies/our_site_nodule_malignancy.yaml",
    "model/candidate.yaml",
    "testset/cases.csv",
    "testset/README.md",
    "testset/.gitignore",
    ".github/workflows/model-release.yml",
}


def files_below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def uncommented(text: str) -> str:
    """Take in everything that a template offers as a comment: its mark has no space behind it, or an indent."""
    return re.sub(r"^( *)#(?=\S|  )", r"\1", text, flags=re.MULTILINE)


def write_bright(path: Path) -> None:
    """Write a graph for volumes of any size that says how bright a voxel is, as a logit."""
    import onnx
    from onnx import TensorProto, helper

    shape = ["n", 1, "x", "y", "z"]
    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("images", "answers")]
    middle = helper.make_tensor("middle", TensorProto.FLOAT, [1], [110.0])
    node = helper.make_node("Sub", ["images", "middle"], ["answers"])
    graph = helper.make_graph([node], "bright", ports[:1], ports[1:], [middle])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))


def write_nifti(path: Path, voxels: NDArray[np.generic]) -> None:
    import nibabel

    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.Nifti1Image(voxels, np.diag([-1.0, -1.0, 1.0, 1.0])).to_filename(path)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to begin in, with keys of its own."""
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    monkeypatch.setenv("GATEKEEPER_HOME", str(tmp_path / "home"))
    return tmp_path / "project"


def test_it_writes_a_project_and_says_what_comes_next(project: Path) -> None:
    done = call("init", "--context", NAME, "--yes", home=project.parent / "home", cwd=project)
    assert done.returncode == 0
    assert files_below(project) == WRITTEN
    assert not (project.parent / "home").exists()
    told, _, following = done.stdout.partition("\n\n")
    assert {line.split()[0] for line in told.splitlines()} == WRITTEN
    commands = [line.strip() for line in following.splitlines() if line.startswith("  ")]
    assert [command.split()[1] for command in commands] == ["policy", "lock", "check"]


@pytest.mark.parametrize("context", [name for name in policy_names() if "/" in name])
def test_every_shipped_policy_gives_a_project_without_errors_or_warnings(context: str, project: Path) -> None:
    begin(Path("."), Wishes(context, "our_site.new"))
    found = review("policies/our_site_new.yaml")
    assert (found.errors, found.warnings) == ((), ())
    policy, parent = load_policy("policies/our_site_new.yaml").policy, load_policy(context).policy
    assert policy.model_copy(update={"id": parent.id, "version": parent.version}) == parent
    header = Path("testset/cases.csv").read_text().strip().split(",")
    assert set(policy.subgroups.by if policy.subgroups else ()) <= set(header)
    for form in get_args(Format):
        if not (form == "predictions" and policy.context.task == "detection"):
            written = candidate_yaml(policy.context, form, None, None)
            for text in (written, uncommented(written)):
                validate(Contract, parse_yaml(text.encode(), "candidate.yaml"))


@pytest.mark.parametrize("context", [NAME, "neuro/ich_triage", "neuro/brain_extraction"])
def test_what_a_policy_offers_as_comments_holds(context: str, project: Path) -> None:
    begin(Path("."), Wishes(context, "our_site.new"))
    path = Path("policies/our_site_new.yaml")
    taken_in = uncommented(path.read_text())
    assert taken_in.count("\n#") < path.read_text().count("\n#")
    path.write_text(taken_in)
    found = review(str(path))
    assert found.errors == ()
    assert {remark.rule for remark in found.remarks if remark.weight is Weight.WARNING} <= {"relaxes"}
    assert "our register, 2026" in load_policy(str(path)).policy.model_dump_json()


def test_a_classification_goes_from_init_to_a_verdict(bench: Bench, project: Path) -> None:
    """With the demo's network and images put in, the three commands that are printed work as they are."""
    Path("model").mkdir()
    shutil.copy(bench.candidate.parent / "nodule_cnn.safetensors", "model")
    arguments = ["init", "--context", NAME, "--artefact", "model/nodule_cnn.safetensors", "--yes"]
    assert main(arguments) == 0
    candidate = Path("model/candidate.yaml")
    written = candidate.read_text()
    assert "parameters" in written
    edited = re.sub(r"architecture:.*\n(  .*\n)+", "architecture: {name: nodule_cnn}\n", written)
    for offered, own in (
        ("dimensions: 3", "size: [64, 64]"),
        ("orientation: RAS", "#"),
        ("#intensity: {zero_at: -1000, one_at: 400, clip: true}", "intensity: {zero_at: 0, one_at: 255}"),
        ("#spacing_mm: [1.0, 1.0, 1.0]", "spacing_mm: [0.75, 0.75]"),
        ("kind: probability", "kind: logit"),
    ):
        assert edited.count(offered) == 1
        edited = edited.replace(offered, own)
    edited = edited.replace(
        "  #intensity: {zero_at: -1000, one_at: 400, clip: true}", "  intensity: {zero_at: 0, one_at: 255}"
    )
    edited = edited.replace("kind: probability", "kind: logit").replace(
        "#spacing_mm: [1.0, 1.0, 1.0]", "spacing_mm: [0.75, 0.75]"
    )
    candidate.write_text(edited)
    shutil.copytree(bench.folder / "images", "testset/images")
    header = Path("testset/cases.csv").read_text().strip().split(",")
    rows = [line.split(",") for line in bench.table.read_text().splitlines()[:25]]
    assert rows[0] == ["case_id", "patient_id", "image", "label", "repeat_of", "site"]
    assert header == [*rows[0][:-1], "slice_thickness"]
    Path("testset/cases.csv").write_text("\n".join([",".join(header), *map(",".join, rows[1:])]) + "\n")
    for command in (
        ["policy", "lint", "policies/our_site_nodule_malignancy.yaml"],
        ["lock", "create", "--table", "testset/cases.csv", "--out", "testset/cases.lock"],
    ):
        assert main(command) == 0
    assert main(["check", "engine.threads=1"]) in (0, 1, 4)
    (run,) = Path("reports").iterdir()
    assert (run / "dossier.pdf").is_file()


def test_a_segmentation_goes_from_init_to_a_verdict_with_nothing_edited(project: Path) -> None:
    """Size, channels, and that logits come out, are read from the graph; images and masks are put in."""
    write_bright(project / "bright.onnx")
    options = ["--context", "neuro/brain_extraction", "--id", "our_site.brain", "--artefact", "bright.onnx"]
    assert main(["init", *options]) == 0
    written = Path("candidate.yaml").read_text()
    for words in (
        "format: onnx",
        'artefact: "bright.onnx"',
        "dimensions: 3",
        "channels: 1   # as the file says",
        "kind: mask_logit",
    ):
        assert words in written
    header = Path("testset/cases.csv").read_text().strip()
    assert header == "case_id,patient_id,image,mask,repeat_of,must_refuse"
    rows = []
    for number in range(3):
        inside = np.zeros((12, 14, 10), dtype=np.uint8)
        inside[3 : 8 + number, 4:9, 3:7] = 1
        for kind, voxels in (("images", np.where(inside, 200, 20).astype(np.float32)), ("masks", inside)):
            write_nifti(Path("testset", kind, f"{number}.nii"), voxels)
        rows.append(f"box-{number},PATIENT-{number},images/{number}.nii,masks/{number}.nii,,")
    Path("testset/cases.csv").write_text("\n".join([header, *rows]) + "\n")
    lock = ["lock", "create", "--table", "testset/cases.csv", "--out", "testset/cases.lock", "--task", "segmentation"]
    assert " ".join(lock) in Path("testset/README.md").read_text()
    assert main(lock) == 0
    assert main(["check"]) in (0, 1, 4)
    (run,) = Path("reports").iterdir()
    assert (run / "dossier.pdf").is_file()


def test_an_artefact_outside_the_folder_is_refused_and_nothing_written(bench: Bench, project: Path) -> None:
    done = call("init", "--context", NAME, "--artefact", bench.candidate, "--yes", home=project, cwd=project)
    assert done.returncode == 2
    assert "outside" in done.stderr
    assert files_below(project) == set()


IDS = [
    "",
    "Nodules",
    "../../etc/passwd",
    "a b",
    "a;rm",
    "$(id)",
    "a\nb",
    "${{ github.token }}",
    "a" * 65,
    "é",
    "-x",
    "x\n",
]
PATHS = [
    *("${{ x }}/m.onnx", "a;b/m.onnx", "$(id)/m.onnx", "`id`.onnx", "a\nb.onnx", "-m/m.onnx", ".git/m.onnx", '".onnx'),
    *("m.onnx\n", "é.onnx", "a: b.onnx", "a #b.onnx"),
]


@pytest.mark.parametrize("id_", IDS)
def test_an_id_that_is_none_is_refused(id_: str, project: Path) -> None:
    with pytest.raises(UsageError) as refused:
        begin(Path("."), Wishes(NAME, id_))
    assert refused.value.problems[0].code is Code.BAD_VALUE
    assert files_below(project) == set()


@pytest.mark.parametrize("name", PATHS)
def test_a_path_that_could_be_taken_for_code_is_refused(name: str, project: Path) -> None:
    (project / name).parent.mkdir(parents=True, exist_ok=True)
    (project / name).write_bytes(b"x")
    with pytest.raises(UsageError) as refused:
        begin(Path("."), Wishes(NAME, "our_site.x", artefact=Path(name)))
    assert refused.value.problems[0].code is Code.FORBIDDEN
    assert "gatekeeper.yaml" not in files_below(project)


def test_what_is_there_is_listed_and_kept_unless_forced(project: Path) -> None:
    (project / "gatekeeper.yaml").write_text("policy: mine\n")
    (project / "testset").mkdir()
    (project / "testset" / "cases.csv").write_text("mine\n")
    arguments = ("init", "--context", NAME, "--yes")
    done = call(*arguments, home=project, cwd=project)
    assert done.returncode == 2
    assert done.stderr.count("the file is there already") == 2
    assert "--force" in done.stderr
    assert files_below(project) == {"gatekeeper.yaml", "testset/cases.csv"}
    assert (project / "gatekeeper.yaml").read_text() == "policy: mine\n"
    assert call(*arguments, "--force", home=project, cwd=project).returncode == 0
    assert files_below(project) == WRITTEN
    assert "mine" not in (project / "gatekeeper.yaml").read_text()


def test_links_and_folders_in_the_way_are_never_followed_or_replaced(project: Path) -> None:
    outside = project.parent / "outside"
    outside.mkdir()
    (project / "policies").symlink_to(outside)
    (project / "gatekeeper.yaml").symlink_to(outside / "there.yaml")
    (project / "testset").write_text("a file")
    done = call("init", "--context", NAME, "--yes", "--force", home=project, cwd=project)
    assert done.returncode == 2
    for words in ("leads out of", "a link or a folder", "a file is where a folder has to be"):
        assert words in done.stderr
    assert list(outside.iterdir()) == []
    assert files_below(project) == {"testset"}


def test_a_disk_that_fills_up_leaves_nothing_behind(project: Path) -> None:
    """Files may grow to 1000 bytes: some of the project would fit, and none of it is left."""
    (project / "model").mkdir()

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    done = subprocess.run(
        [sys.executable, "-m", "gatekeeper", "init", "--context", NAME, "--yes"],
        preexec_fn=limit,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2
    assert "error[GK113]" in done.stderr
    assert [path.name for path in project.rglob("*")] == ["model"]


def test_a_folder_that_cannot_be_made_is_code_2(project: Path) -> None:
    for folder in ("/proc/no/such", str(Path(__file__)), str(Path(__file__) / "below")):
        done = call("init", folder, "--context", NAME, "--yes", home=project)
        assert done.returncode == 2
        assert "error[GK113]" in done.stderr


def test_what_was_written_is_told_as_json_too(project: Path) -> None:
    done = call("init", "site", "--context", NAME, "--yes", "--json", home=project, cwd=project)
    told = json.loads(done.stdout)
    assert {entry["path"] for entry in told["files"]} == WRITTEN == files_below(project / "site")
    assert (told["over"], told["folder"], len(told["next"])) == (NAME, "site", 3)


@pytest.mark.parametrize(
    ("arguments", "flags"),
    [
        ([], {"--context", "--id", "--format"}),
        (["--context", NAME], {"--id", "--format"}),
        (["--yes"], {"--context"}),
        (["--context", NAME, "--artefact", "m.onnx"], {"--id"}),
    ],
)
def test_without_a_terminal_what_is_missing_is_named(arguments: list[str], flags: set[str], project: Path) -> None:
    done = call("init", *arguments, home=project, cwd=project)
    assert done.returncode == 2
    named = done.stderr.splitlines()[0]
    assert {flag for flag in ("--context", "--id", "--format") if flag in named} == flags


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--context", "chest_ct/nodule_malignacy"], NAME),
        (["--context", "base/triage"], "give one of"),
        (["--context", "../etc/passwd"], "give one of"),
        (["--context", NAME, "--task", "segmentation"], "is of classification"),
        (["--context", NAME, "--id", "chest_ct.nodule_malignancy"], "the id of the shipped policy"),
        (["--context", NAME, "--format", "pickle"], "give one of"),
        (["--context", NAME, "--action", "o/r@main"], "commit"),
        (["--context", NAME, "--action", "o/r@" + "0" * 40 + "\n"], "commit"),
        (["--context", "chest_ct/lung_nodule_detection", "--format", "predictions"], "not read"),
        (["--modality", "US", "--task", "classification"], "no shipped policy"),
        (["--modality", "CT", "--task", "classification", "--body-part", "HEAD"], "several"),
    ],
)
def test_what_does_not_fit_is_code_2_with_what_would(options: list[str], words: str, project: Path) -> None:
    done = call("init", *options, "--yes", home=project, cwd=project)
    assert done.returncode == 2
    assert words in done.stderr
    assert files_below(project) == set()


def test_the_nearest_policy_is_of_the_same_modality_and_task() -> None:
    known = shipped_policies()
    assert nearest_policy(known, "mg", None, "classification").name == "breast/mammography_screening"
    assert nearest_policy(known, "MR", "head", "segmentation").name == "neuro/brain_extraction"


def test_the_workflow_asks_for_little_and_pins_what_it_uses(project: Path) -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    begin(Path("."), Wishes(NAME, "our_site.x", action=f"org/gate@{commit}"))
    workflow: dict[Any, Any] = yaml.safe_load(Path(".github/workflows/model-release.yml").read_text())
    assert workflow["permissions"] == {}
    (job,) = workflow["jobs"].values()
    assert job["permissions"] == {"contents": "read"}
    uses = [step["uses"] for step in job["steps"]]
    assert uses[1] == f"org/gate/.github/actions/gatekeeper@{commit}"
    assert all(re.fullmatch(r"[^@]+@[0-9a-f]{40}", one) for one in uses)
    assert not any("run" in step for step in job["steps"])
    assert "secrets" not in Path(".github/workflows/model-release.yml").read_text()
    assert not (project.parent / "x").exists()


def test_the_workflow_gives_the_action_inputs_that_it_has(project: Path) -> None:
    action = Path(__file__).parents[2] / ".github" / "actions" / "gatekeeper" / "action.yml"
    if not action.is_file():
        pytest.skip("this copy of the repository has no action")
    begin(Path("."), Wishes(NAME, "our_site.x"))
    workflow = yaml.safe_load(uncommented(Path(".github/workflows/model-release.yml").read_text()))
    (step,) = [step for job in workflow["jobs"].values() for step in job["steps"] if "gatekeeper" in step["uses"]]
    assert set(step["with"]) == {"policy", "candidate", "testset", "overrides", "trust", "inconclusive"}
    assert set(step["with"]) <= set(yaml.safe_load(action.read_text())["inputs"])


@pytest.mark.parametrize(
    "tool",
    [
        ["check-jsonschema", "--builtin-schema", "vendor.github-workflows"],
        ["actionlint"],
        ["zizmor", "--offline", "--quiet"],
    ],
    ids=lambda tool: tool[0],
)
def test_other_people_s_checkers_find_nothing_in_the_workflow(tool: list[str], project: Path) -> None:
    program = Path(sys.executable).parent / tool[0]
    if not program.is_file():
        pytest.skip(f"{tool[0]} is not installed here: it belongs to the extra lint")
    begin(Path("."), Wishes(NAME, "our_site.x", action="org/gate@0123456789abcdef0123456789abcdef01234567"))
    command = [str(program), *tool[1:], ".github/workflows/model-release.yml"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_on_a_terminal_it_asks_for_what_was_not_given(project: Path) -> None:
    ours, theirs = os.openpty()
    os.write(ours, b"chest_ct/nodule_malignancy\nour_site.asked\n\nn\n")
    done = subprocess.run(
        [sys.executable, "-m", "gatekeeper", "init"],
        stdin=theirs,
        stderr=theirs,
        stdout=subprocess.PIPE,
        text=True,
        timeout=120,
        check=False,
    )
    os.close(theirs)
    shown = os.read(ours, 1 << 16).decode()
    os.close(ours)
    assert done.returncode == 0, shown
    for words in ("breast/mammography_screening", "number or name", "Id of your policy", "Format", "Write a workflow"):
        assert words in shown
    assert "id: our_site.asked" in Path("policies/our_site_asked.yaml").read_text()
    assert not Path(".github").exists()


@pytest.mark.parametrize(("form", "name"), [("predictions", "scores.csv"), ("command", "run.sh"), ("onnx", "bad.onnx")])
def test_an_artefact_that_tells_nothing_is_named_all_the_same(form: str, name: str, project: Path) -> None:
    Path("model").mkdir()
    Path("model", name).write_text("case_id,output\n")
    begin(Path("."), Wishes(NAME, "our_site.x", format=form, artefact=Path("model", name)))  # type: ignore[arg-type]
    written = Path("model/candidate.yaml").read_text()
    validate(Contract, parse_yaml(written.encode(), "candidate.yaml"))
    assert f'"{name}"' in written
    assert ("could not be parsed" in written) == (form == "onnx")


@pytest.mark.parametrize(
    ("inputs", "outputs", "operators", "words"),
    [
        ("n x 1 x 64 x 64", "n x 1", ["Conv"], ["size: [64, 64]", "kind: logit ", 'positive: "malignant"']),
        ("n x 3 x 64 x 64", "n", ["Conv", "Sigmoid"], ["channels: 3   # as", "kind: probability "]),
        ("n x 1 x h x w", "n x 3", ["Softmax"], ["dimensions: 2", "kind: softmax ", '"malignant", "class 2"]']),
        ("n x 1 x 8 x 9 x 10", "n x 2", ["Gemm"], ["size: [8, 9, 10]", "orientation: RAS", "kind: logits "]),
        ("n x 7", "", [], ["dimensions: 3", "kind: probability ", "channels: 1   # CHECK"]),
        ("99999999999 x 0 x -1", "x x x x", ["\nevil: true"], ["dimensions: 3"]),
    ],
)
def test_what_a_graph_says_of_itself_is_filled_in(
    inputs: str, outputs: str, operators: list[str], words: list[str]
) -> None:
    anatomy = Anatomy(
        inputs=(Port(name="\nevil: true", dtype="float", shape=inputs),),
        outputs=(Port(name="y", dtype="float", shape=outputs),),
        operators=dict.fromkeys(operators, 1),
    )
    context = load_policy(NAME).policy.context
    written = candidate_yaml(context, "onnx", "m.onnx", learnt_from("onnx", anatomy))
    validate(Contract, parse_yaml(written.encode(), "candidate.yaml"))
    for word in words:
        assert word in written
    assert "evil" not in written


@pytest.mark.parametrize(
    ("outputs", "dtype", "operators", "kind"),
    [
        ("n x 2 x h x w x d", "float", ["Conv"], "mask_softmax"),
        ("n x 1 x h x w x d", "float", ["Conv"], "mask_logit"),
        ("n x 1 x h x w x d", "float", ["Sigmoid"], "mask_probability"),
        ("n x 1 x h x w x d", "int64", ["ArgMax"], "mask"),
    ],
)
def test_the_channels_of_a_graph_say_what_kind_of_mask_comes_out(
    outputs: str, dtype: str, operators: list[str], kind: str
) -> None:
    anatomy = Anatomy(outputs=(Port(name="y", dtype=dtype, shape=outputs),), operators=dict.fromkeys(operators, 1))
    context = load_policy("neuro/brain_extraction").policy.context
    written = candidate_yaml(context, "onnx", "m.onnx", learnt_from("onnx", anatomy))
    assert validate(Contract, parse_yaml(written.encode(), "candidate.yaml")).output.kind == kind


def test_a_folder_within_a_repository_is_told_that_workflows_lie_at_its_root(project: Path) -> None:
    (project / ".git").mkdir()
    assert not begin(project, Wishes(NAME, "our_site.x")).off_root
    assert begin(project / "below", Wishes(NAME, "our_site.x")).off_root
    assert not begin(project / "more", Wishes(NAME, "our_site.x", workflow=False)).off_root


def test_no_workflow_is_written_when_none_is_wanted(project: Path) -> None:
    assert call("init", "--context", NAME, "--yes", "--no-workflow", home=project, cwd=project).returncode == 0
    assert files_below(project) == WRITTEN - {".github/workflows/model-release.yml"}
