"""Admit, revoke, promote and roll back as processes, and the start-up of a server around them."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from releases import CONTEXT, Released

from gatekeeper.canonical import JSON
from gatekeeper.release.folder import FolderStore
from gatekeeper.release.stores import NewRecord
from gatekeeper.trust import load_signer

DEPLOYMENT = Path(__file__).parents[2] / "docs" / "deployment"
ENTRYPOINT = DEPLOYMENT / "admit-entrypoint.sh"
HEAVY = ("torch", "numpy", "scipy", "pyarrow", "weasyprint", "pydicom", "hydra", "omegaconf", "monai", "rich.table")
MOST_CPU_SECONDS = 0.5


@dataclass(frozen=True)
class House:
    """A folder with a store, a model and a root; and the commands of whoever deploys there."""

    folder: Path
    home: Path

    def call(self, *arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "gatekeeper", *map(str, arguments)],
            cwd=self.folder,
            env={**os.environ, "GATEKEEPER_HOME": str(self.home), **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert "Traceback" not in done.stderr
        return done

    def admit(self, *more: object, model: str = "model/cnn.yaml", store: str = "releases") -> tuple[int, str, str]:
        asked = ("--model", model, "--context", CONTEXT, "--store", store, "--trust", "root.pem")
        done = self.call("admit", *asked, *more, GATEKEEPER_HOME=str(self.folder / "no-home"))
        return done.returncode, done.stdout, done.stderr


@pytest.fixture
def house(released: Released, tmp_path: Path) -> House:
    shutil.copytree(released.candidate_file.parent, tmp_path / "model")
    shutil.copytree(released.home / "keys", tmp_path / "home" / "keys")
    shutil.copy(released.home / "keys" / "root.pem", tmp_path)
    artefacts = tuple(released.statement_files.values())
    store = FolderStore(tmp_path / "releases")
    store.publish(NewRecord(released.candidate, artefacts, "run-1", released.attestation("qa"), released.dossier("qa")))
    store.publish(NewRecord(released.candidate, artefacts, "run-1", released.attestation(), None))
    return House(tmp_path, tmp_path / "home")


# What is said


def test_one_line_says_what_admitted(house: House, released: Released) -> None:
    code, out, err = house.admit()
    assert (code, err) == (0, "")
    (line,) = out.splitlines()
    assert line.startswith(
        f"admitted  cnn {released.candidate[7:11]}…{released.candidate[-4:]} for {CONTEXT} 1.0.0 by run "
    )
    assert "signed by Made-up Imaging tool (tool), until 21" in line


def test_with_a_role_the_dossier_s_signers_are_named(house: House) -> None:
    code, out, _ = house.admit("--require-role", "engineer", "--require-role", "qa")
    assert code == 0
    assert "Made-up Imaging tool (tool), Made-up Imaging engineer (engineer), Made-up Imaging qa (qa)" in out


def test_a_model_that_was_changed_is_refused(house: House) -> None:
    path = house.folder / "model" / "cnn.yaml"
    path.write_text(path.read_text().replace("operating_point: 0.5", "operating_point: 0.4"))
    code, out, _ = house.admit()
    assert code == 1
    assert "releases: it has no record of this candidate" in out


def test_other_roots_and_junk_are_code_3_and_other_contexts_code_1(house: House, home: Path) -> None:
    shutil.copy(home / "keys" / "root.pem", house.folder / "root.pem")
    code, out, _ = house.admit()
    assert code == 3
    assert "is not trusted" in out
    done = house.call("admit", "--model", "model/cnn.yaml", "--context", "x\x1b[2J", "--store", "releases")
    assert done.returncode == 1
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize(
    ("more", "model", "words"),
    [
        ((), "model/nodule_cnn.safetensors", "an artefact alone does not say"),
        ((), "model", "this is a folder"),
        ((), "missing.yaml", "missing.yaml"),
        (("--artefact-only",), "model/cnn.yaml", "no artefact"),
        (("--require-role", "boss"), "model/cnn.yaml", 'no role "boss"'),
        (("--max-age", "0"), "model/cnn.yaml", "max-age"),
        (("--max-age", "99999999999"), "model/cnn.yaml", "no model is that old"),
        (("--store", "nowhere"), "model/cnn.yaml", "the store cannot be read"),
        (("--trust", "nobody.pem"), "model/cnn.yaml", "no such certificate"),
    ],
)
def test_wrong_usage_is_code_2(house: House, more: tuple[str, ...], model: str, words: str) -> None:
    code, out, err = house.admit(*more, model=model)
    assert (code, out) == (2, "")
    assert words in err


def test_a_file_alone_is_admitted_where_that_is_asked_for_and_said_to_bind_less(house: House) -> None:
    code, out, _ = house.admit("--artefact-only", model="model/nodule_cnn.safetensors")
    assert code == 0
    assert "NOT BOUND" in out
    (house.folder / "other.safetensors").write_bytes(b"other")
    code, out, _ = house.admit("--artefact-only", model="other.safetensors")
    assert code == 1
    assert "no record of a candidate that holds this file" in out


def test_a_file_of_two_candidates_needs_both_of_them(house: House, released: Released) -> None:
    """The same weights with another operating point may be a FAIL; a file alone does not tell which is started."""
    other = "sha256:" + "8" * 64
    failed = released.failed(-1, **{"candidate.digest": other})
    artefacts = tuple(released.statement_files.values())
    FolderStore(house.folder / "releases").publish(NewRecord(other, artefacts, "run-2", failed, None))
    code, out, _ = house.admit("--artefact-only", model="model/nodule_cnn.safetensors")
    assert (code, "verdict is FAIL" in out) == (1, True)
    assert house.admit()[0] == 0


def test_the_answer_as_json_says_what_was_not_checked(house: House, released: Released) -> None:
    code, out, _ = house.admit("--json", "--max-age", "30")
    told = json.loads(out)
    assert (code, told["admitted"], told["digest"], told["bound"]) == (0, True, released.candidate, "candidate")
    assert told["by"]["ends_with"] == "its age (30 days)"
    assert any("store cannot prove" in sentence for sentence in told["not_checked"])
    code, out, _ = house.admit("--json", "--require-role", "qa", model="model/cnn.yaml", store="model")
    assert (code, [refusal["why"] for refusal in json.loads(out)["refusals"]]) == (1, ["NO_RECORD"])


def test_development_is_said_in_capitals(house: House, released: Released) -> None:
    home = house.folder / "development"
    signer = load_signer(home, "tool")
    barred: dict[str, JSON] = {"development": True, "bars": ["DEVELOPMENT_KEY"], "releasable": False}
    record = NewRecord(released.candidate, (), "run-1", released.changed(barred, signer), None)
    FolderStore(house.folder / "tried").publish(record)
    asked = ("--store", "tried", "--trust", home / "keys" / "root.pem")
    refused = house.call("admit", "--model", "model/cnn.yaml", "--context", CONTEXT, *asked)
    assert (refused.returncode, "anyone could have made" in refused.stdout) == (1, True)
    allowed = house.call("admit", "--model", "model/cnn.yaml", "--context", CONTEXT, *asked, "--allow-development")
    assert allowed.returncode == 0
    assert allowed.stdout.splitlines()[-1].startswith("DEVELOPMENT: ")
    assert allowed.stdout.splitlines()[-1].endswith("NOT FOR CLINICAL USE.")


# What it costs


def test_no_heavy_library_is_imported_and_no_network_asked(house: House) -> None:
    program = (
        "import sys, socket\n"
        "def refuse(*given, **more): raise SystemExit('network')\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
        "from gatekeeper.cli import main\n"
        f"code = main(['admit', '--model', 'model/cnn.yaml', '--context', '{CONTEXT}', '--store', 'releases',\n"
        "             '--trust', 'root.pem'])\n"
        f"print(code, [name for name in {(*HEAVY, 'pyhanko')!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=house.folder, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 []"


def test_a_dossier_is_read_without_torch_and_the_page_maker(house: House) -> None:
    program = (
        "import sys\nfrom gatekeeper.cli import main\n"
        f"code = main(['admit', '--model', 'model/cnn.yaml', '--context', '{CONTEXT}', '--store', 'releases',\n"
        "             '--trust', 'root.pem', '--require-role', 'qa'])\n"
        f"print(code, [name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=house.folder, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 []"


def walled(*command: str) -> list[str]:
    """Return a command in a file system that is read-only, as nobody, without a network or a home."""
    walls = ["bwrap", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "--unshare-all", "--die-with-parent"]
    return [*walls, "--uid", "65532", "--gid", "65532", "--cap-drop", "ALL", *command]


def bubblewrap_works() -> bool:
    return shutil.which("bwrap") is not None and subprocess.run(walled("true"), capture_output=True).returncode == 0


@pytest.mark.skipif(not bubblewrap_works(), reason="needs bubblewrap, and leave to use it")
def test_it_needs_no_network_no_home_and_nothing_to_write(house: House) -> None:
    asked = ("--model", "model/cnn.yaml", "--context", CONTEXT, "--store", "releases", "--trust", "root.pem")
    for path in (house.folder, *house.folder.parents[:2]):
        path.chmod(0o755)
    for more in ((), ("--require-role", "qa")):
        command = walled(sys.executable, "-m", "gatekeeper", "admit", *asked, *more)
        told = {**os.environ, "HOME": "/nonexistent", "GATEKEEPER_HOME": "/nonexistent"}
        done = subprocess.run(command, cwd=house.folder, env=told, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


def test_an_admission_takes_less_than_half_a_second_of_a_processor(house: House) -> None:
    def seconds() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    taken = []
    for _ in range(3):
        before = seconds()
        assert house.admit()[0] == 0
        taken.append(seconds() - before)
    assert min(taken) < MOST_CPU_SECONDS


# Revoking, promoting, rolling back


def test_a_model_is_revoked_and_no_longer_admitted(house: House) -> None:
    done = house.call("revoke", "--model", "model/cnn.yaml", "--because", "misses it, CAPA-17", "--store", "releases")
    assert done.returncode == 0, done.stderr
    assert "every run, by Made-up Imaging qa (qa)" in done.stdout
    code, out, _ = house.admit()
    assert code == 1
    assert "misses it, CAPA-17" in out


def test_a_file_is_revoked_with_every_candidate_that_holds_it(house: House, released: Released) -> None:
    asked = ("--model", "model/nodule_cnn.safetensors", "--because", "x", "--store", "releases", "--role", "tool")
    told = json.loads(house.call("revoke", *asked, "--json").stdout)
    assert [(one["candidate"], one["run"], one["role"]) for one in told] == [(released.candidate, None, "tool")]
    assert house.admit()[0] == 1


@pytest.mark.parametrize("part", ["", "dossier.pdf", "attestation.dsse.json"])
def test_a_run_is_named_by_its_folder_or_what_it_signed(house: House, released: Released, part: str) -> None:
    done = house.call("revoke", "--run", released.folders["qa"] / part, "--because", "x", "--store", "releases")
    assert done.returncode == 0, done.stderr
    assert "this run was revoked" in house.admit()[1]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ((), "what is revoked"),
        (("--digest", "sha256:../x"), "not a digest"),
        (("--model", "model/cnn.yaml", "--digest", "sha256:" + "1" * 64), "what is revoked"),
        (("--model", "model/cnn.yaml", "--role", "engineer"), "cannot revoke"),
        (("--model", "root.pem"), "no candidate of this store"),
        (("--run", "nowhere"), "the run cannot be read"),
    ],
)
def test_a_revocation_of_nothing_or_by_nobody_is_refused(house: House, more: tuple[str, ...], words: str) -> None:
    done = house.call("revoke", "--because", "x", "--store", "releases", *more)
    assert done.returncode == 2
    assert words in done.stderr
    assert not (house.folder / "releases" / "revocations").exists()


@pytest.mark.parametrize("because", ["", "  ", "a\nb", "x" * 501, "a\x1b[2Jb"])
def test_a_reason_is_one_line_that_can_be_read(house: House, because: str) -> None:
    done = house.call("revoke", "--digest", "sha256:" + "1" * 64, "--because", because, "--store", "releases")
    assert (done.returncode, "says why" in done.stderr) == (2, True)


def test_a_run_is_promoted_its_run_revoked_and_the_alias_stays(house: House, released: Released) -> None:
    run = released.folders["qa"]
    done = house.call("promote", run, "--store", "new", "--alias", "production", "--require-role", "qa")
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["published", "admitted", "promoted"]
    again = house.call("promote", run, "--store", "new", "--alias", "production", "--json")
    assert json.loads(again.stdout)["switched"]["to"]["candidate"] == released.candidate
    assert house.call("revoke", "--run", run, "--because", "labels", "--store", "new").returncode == 0
    refused = house.call("promote", run, "--store", "new", "--alias", "production")
    assert refused.returncode == 1
    assert refused.stdout.splitlines()[-1].startswith("unchanged production points to ")
    rollback = house.call("rollback", "--store", "new", "--alias", "production")
    assert (rollback.returncode, "cannot be set back" in rollback.stderr) == (2, True)


# Starting a server


@pytest.fixture
def server(house: House) -> dict[str, str]:
    """An environment in which `gatekeeper` is this one."""
    (house.folder / "bin").mkdir()
    command = house.folder / "bin" / "gatekeeper"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m gatekeeper "$@"\n')
    command.chmod(0o755)
    return {
        "PATH": f"{command.parent}:{os.environ['PATH']}",
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        "GATEKEEPER_MODEL": "model/cnn.yaml",
        "GATEKEEPER_CONTEXT": CONTEXT,
        "GATEKEEPER_STORE": "releases",
        "GATEKEEPER_TRUST": "root.pem",
    }


def start(house: House, environment: dict[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", str(ENTRYPOINT), *command],
        cwd=house.folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


SERVER = ("sh", "-c", 'printf "%s|" "$@"; exit 7', "server", "--one=a b", "$(touch hacked)", "'")


def test_a_good_model_s_server_is_started_with_its_own_arguments_and_code(house: House, server: dict[str, str]) -> None:
    done = start(house, server, *SERVER)
    assert done.returncode == 7, done.stderr
    assert done.stdout.splitlines()[-1] == "--one=a b|$(touch hacked)|'|"
    assert not (house.folder / "hacked").exists()


def test_a_bad_model_s_server_is_not_started(house: House, server: dict[str, str]) -> None:
    weights = house.folder / "model" / "nodule_cnn.safetensors"
    weights.write_bytes(weights.read_bytes() + b" ")
    done = start(house, server, *SERVER)
    assert done.returncode == 1
    assert "|" not in done.stdout
    assert "no record of this candidate" in done.stdout
    assert done.stderr == "the server is not started: its model is not admitted\n"


@pytest.mark.parametrize(
    ("changes", "command", "code", "words"),
    [
        ({}, (), 2, "no command"),
        ({"GATEKEEPER_MODEL": ""}, SERVER, 2, "GATEKEEPER_MODEL is not set"),
        ({"GATEKEEPER_STORE": "nowhere"}, SERVER, 2, "the store cannot be read"),
        ({"GATEKEEPER_CONTEXT": "$(touch hacked); `touch hacked`"}, SERVER, 1, "not admitted"),
        ({"GATEKEEPER_STORE": "--allow-development"}, SERVER, 2, "the store cannot be read"),
        ({"GATEKEEPER_ROLE": "boss"}, SERVER, 2, 'no role "boss"'),
        ({"PATH": "/usr/bin:/bin"}, SERVER, 127, "not admitted"),
    ],
)
def test_what_is_wrong_starts_nothing(
    house: House, server: dict[str, str], changes: dict[str, str], command: tuple[str, ...], code: int, words: str
) -> None:
    if changes.get("PATH") and shutil.which("gatekeeper", path=changes["PATH"]):
        pytest.skip("gatekeeper is installed for everybody here")
    done = start(house, {**server, **changes}, *command)
    assert done.returncode == code
    assert words in done.stderr
    assert "|" not in done.stdout
    assert not (house.folder / "hacked").exists()


def test_qa_is_asked_for_unless_it_is_said_otherwise(house: House, server: dict[str, str]) -> None:
    for pdf in (house.folder / "releases").rglob("*.pdf"):
        pdf.unlink()
    assert start(house, server, *SERVER).returncode == 1
    assert start(house, {**server, "GATEKEEPER_ROLE": ""}, *SERVER).returncode == 7


def test_the_pod_has_no_more_than_it_needs() -> None:
    trust, network, deployment = yaml.safe_load_all((DEPLOYMENT / "kubernetes.yaml").read_text())
    assert trust["data"].keys() == {"root.pem"}
    assert network["spec"]["egress"] == []
    assert "Egress" in network["spec"]["policyTypes"]
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert network["spec"]["podSelector"]["matchLabels"] == labels == deployment["spec"]["selector"]["matchLabels"]
    pod = deployment["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert not pod["automountServiceAccountToken"]
    for container in (*pod["initContainers"], *pod["containers"]):
        walls = container["securityContext"]
        assert walls["capabilities"] == {"drop": ["ALL"]}
        assert walls["readOnlyRootFilesystem"]
        assert not walls["allowPrivilegeEscalation"]
        assert all(mount["readOnly"] for mount in container["volumeMounts"])
        assert "@sha256:" in container["image"]
    mounted = {volume["name"] for volume in pod["volumes"]}
    assert mounted == {mount["name"] for mount in pod["initContainers"][0]["volumeMounts"]}


def test_the_pod_s_init_container_asks_what_the_command_takes(house: House) -> None:
    """Its very arguments, with its paths and its context replaced by those of this house."""
    *_, deployment = yaml.safe_load_all((DEPLOYMENT / "kubernetes.yaml").read_text())
    (container,) = deployment["spec"]["template"]["spec"]["initContainers"]
    assert container["command"][0] == "gatekeeper"
    told = "\n".join((*container["command"][1:], *container["args"]))
    for theirs, ours in {
        "/models/nodule/": "model/",
        "/releases": "releases",
        "/trust/": "",
        "chest_ct.nodule_malignancy": CONTEXT,
    }.items():
        assert theirs in told
        told = told.replace(theirs, ours)
    assert house.call(*told.split("\n")).returncode == 0
