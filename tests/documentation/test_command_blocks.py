"""Every command that README and docs show is run, in the order of its page, in a folder as the page supposes it."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from made_up_archive import ROWS, has_orthanc, started_archive, write_table
from made_up_bench import Bench
from made_up_keys import make_release_keys

from gatekeeper.cli import main
from gatekeeper.errors import GatekeeperError

ROOT = Path(__file__).parents[2]
# What a test of its own runs, since it needs more than a folder.
ELSEWHERE = {
    "gatekeeper demo brain": "tests/demo/test_brain_demo.py",
}
# Blocks for a shell, and the test that runs them.
SHELL = {"attestation.md": "tests/attestation/test_attestation_other_tools.py"}


def blocks(page: Path, language: str = "") -> list[str]:
    """Return the fenced blocks of a page in a language ('' for plain ones)."""
    text = page.read_text(encoding="utf-8")
    fenced = re.findall(r"^```(.*?)\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    return [block for tagged, block in fenced if tagged == language]


def commands(page: Path) -> list[str]:
    """Return the commands of a page in its order, without their remarks; a line that ends in a backslash goes on."""
    lines = "\n".join(blocks(page)).replace("\\\n", " ").splitlines()
    return [line.partition("  #")[0].strip() for line in lines if line.startswith("gatekeeper ")]


def pages() -> list[Path]:
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@dataclass(frozen=True)
class Scenario:
    """What a page supposes: its folder, what its placeholders stand for, and the commands that do not end with 0.

    ``before`` is what the reader does, or another machine, before a command.
    """

    prepare: Callable[[Path], None] = lambda folder: None
    stands_for: Callable[[], dict[str, str]] = dict
    codes: dict[str, int] = field(default_factory=dict)
    before: dict[str, Callable[[], None]] = field(default_factory=dict)


def test_every_page_that_shows_commands_has_a_scenario() -> None:
    assert {page.name for page in pages() if commands(page)} == set(SCENARIOS)


@pytest.mark.parametrize("page", [page for page in pages() if commands(page)], ids=lambda page: page.stem)
def test_the_commands_of_a_page_do_what_it_says(
    page: Path, bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(bench.folder)
    monkeypatch.setenv("GATEKEEPER_HOME", str(tmp_path / "home"))
    for variable in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"):
        monkeypatch.delenv(variable, raising=False)
    scenario = SCENARIOS[page.name]
    scenario.prepare(bench.folder)
    seen = set()
    with _archive(tmp_path, needed="pacs.example.org" in "".join(commands(page))) as archive:
        for command in commands(page):
            if command in ELSEWHERE or ("--dicomweb" in command and archive is None):
                continue
            seen.add(command)
            scenario.before.get(command, lambda: None)()
            asked = command.replace("https://pacs.example.org/dicom-web", str(archive))
            for placeholder, value in scenario.stands_for().items():
                asked = asked.replace(placeholder, value)
            code = exit_code(shlex.split(asked)[1:])
            told = capsys.readouterr()
            assert code == scenario.codes.get(command, 0), f"{asked}\n{told.out}\n{told.err}"
    assert {*scenario.codes, *scenario.before} <= seen


def exit_code(words: list[str]) -> int:
    """Return the exit code of a command, as the entry point would."""
    try:
        return main(words)
    except GatekeeperError as error:
        print(error, file=sys.stderr)
        return int(error.exit_code)


def test_the_columns_that_the_start_page_shows_are_those_that_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["init", "--context", "chest_ct/nodule_malignancy", "--yes"]) == 0
    (shown,) = blocks(ROOT / "docs" / "start.md", "csv")
    assert shown.splitlines()[0] == Path("testset/cases.csv").read_text().strip()
    table = [line.split("`")[1] for line in (ROOT / "docs" / "start.md").read_text().splitlines() if line[:3] == "| `"]
    written = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert {name.replace("our_site_nodules", "our_site_nodule_malignancy") for name in table} == written - {
        "testset/README.md"
    }


def test_what_is_run_elsewhere_is_shown_and_run_there() -> None:
    shown = {command for page in pages() for command in commands(page)}
    for command, place in ELSEWHERE.items():
        assert command in shown
        last = shlex.split(command)[-1]
        assert f'"{last}"' in (ROOT / place).read_text(encoding="utf-8")


def test_every_block_for_a_shell_is_run_by_a_test() -> None:
    assert {page.name for page in pages() if blocks(page, "sh")} == set(SHELL)
    for name, place in SHELL.items():
        assert name in (ROOT / place).read_text(encoding="utf-8")


def test_every_target_of_make_that_is_named_exists() -> None:
    named = {word for page in pages() for word in re.findall(r"(?:^|`)make ([a-z]+)", page.read_text(), re.MULTILINE)}
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {"demo", "test"} <= named <= targets


@contextmanager
def _archive(folder: Path, *, needed: bool) -> Iterator[str | None]:
    if not needed or not has_orthanc:
        yield None
        return
    (folder / "orthanc").mkdir()
    with started_archive(folder / "orthanc") as url:
        yield url


def newest_run() -> dict[str, str]:
    """Return the newest run for the placeholder of a run."""
    runs = sorted(Path("reports").glob("20*"), key=lambda run: run.stat().st_mtime) if Path("reports").is_dir() else []
    return {"reports/RUN": str(runs[-1])} if runs else {}


def site(folder: Path) -> None:
    """Lay out a site: a model, a policy and a stricter one, tables, a training set, a configuration."""
    make_release_keys(_home(), {"engineer": "engineer", "qa": "qa"})
    shutil.copy(_home() / "keys" / "root.pem", folder)
    shutil.copytree(ROOT / "reports" / "example", folder / "reports" / "example")
    shutil.move(folder / "candidate", folder / "model")
    (folder / "model" / "cnn.yaml").write_text(blocks(ROOT / "README.md", "yaml")[0])
    policy = (folder / "policy.yaml").read_text()
    (folder / "my_policy.yaml").write_text(policy)
    (folder / "stricter.yaml").write_text(policy.replace("at_most: 60 s", "at_most: 0.001 ms"))
    (folder / "gatekeeper.yaml").write_text("policy: my_policy.yaml\ncandidate: model/cnn.yaml\ntestset: mine.lock\n")
    lines = (folder / "cases.csv").read_text().splitlines()
    (folder / "train.csv").write_text("\n".join([lines[0], *lines[-20:]]) + "\n")
    write_table(folder, ROWS, "pacs.csv")
    assert main(["lock", "create", "--table", "train.csv", "--out", "train.lock"]) == 0


def under_the_approved_policy() -> None:
    """Check once more now that the policy is approved, and countersign the run."""
    assert main(["check"]) == 0
    run = newest_run()["reports/RUN"]
    for role in ("engineer", "qa"):
        assert main(["sign", run, "--role", role]) == 0


def locked_site(folder: Path) -> None:
    """Lay out a site whose test set is locked."""
    site(folder)
    assert main(["lock", "create", "--table", "cases.csv", "--out", "mine.lock"]) == 0


def countersigned_house(folder: Path) -> None:
    """Lay out a house with keys for release, and a finished run of it."""
    make_release_keys(_home(), {"engineer": "engineer", "qa": "qa"})
    shutil.copy(_home() / "keys" / "root.pem", folder)
    shutil.copy(folder / "policy.yaml", folder / "our_site.yaml")
    shutil.copytree(folder / "candidate", folder / "model")
    assert main(["lock", "create", "--table", "cases.csv", "--out", "mine.lock"]) == 0
    asked = ["check", "--policy", "policy.yaml", "--candidate", "candidate/cnn.yaml", "--testset", "mine.lock"]
    assert main(asked) == 0


def on_a_runner() -> None:
    """Go to the machine that loads models, which has no keys yet."""
    os.environ["GATEKEEPER_HOME"] = str(_home().with_name("runner"))


def back_in_the_house() -> None:
    """Go back to the machine with the keys, with the root that the runner's key stands under."""
    shutil.copy(_home() / "keys" / "development-root.pem", ".")
    os.environ["GATEKEEPER_HOME"] = str(_home().with_name("home"))


def model_alone(folder: Path) -> None:
    """Lay out a model and nothing else; the bench's images and table are kept aside until the page asks for them."""
    aside = folder / "aside"
    aside.mkdir()
    for name in ("images", "cases.csv"):
        shutil.move(folder / name, aside / name)
    shutil.move(folder / "candidate", folder / "model")
    (folder / "model" / "cnn.yaml").unlink()


def filled_in() -> dict[str, str]:
    """Do what a reader does once the project is there: the candidate as the page shows it, rows in the table."""
    table = Path("testset/cases.csv")
    if table.is_file() and not Path("testset/images").exists():
        header, rows = table.read_text(), Path("aside/cases.csv").read_text().splitlines()[1:25]
        assert header.split(",")[:5] == ["case_id", "patient_id", "image", "label", "repeat_of"]
        table.write_text(header + "\n".join(rows) + "\n")
        shutil.copytree("aside/images", "testset/images")
        Path("model/candidate.yaml").write_text(blocks(ROOT / "docs" / "start.md", "yaml")[0])
    return newest_run()


def deployed(folder: Path) -> None:
    """Lay out a house with keys for release, a model, a lock, and the root as who deploys has it."""
    make_release_keys(_home(), {"engineer": "engineer", "qa": "qa"})
    shutil.copy(_home() / "keys" / "root.pem", folder)
    shutil.move(folder / "candidate", folder / "model")
    assert main(["lock", "create", "--table", "cases.csv", "--out", "mine.lock"]) == 0


def _of_the_house() -> dict[str, str]:
    return {**newest_run(), "chest_ct.nodule_malignancy": "made_up_discs"}


def countersigned_run(folder: Path) -> None:
    """Lay out a house with keys for release, a model, and a run of it that engineer and QA signed."""
    deployed(folder)
    approving = ["policy", "approve", "policy.yaml", "--by", "Dr Ada Example", "--role", "qa"]
    checking = ["check", "--policy", "policy.yaml", "--candidate", "model/cnn.yaml", "--testset", "mine.lock"]
    for asked in (approving, checking):
        assert main(asked) == 0
    for role in ("engineer", "qa"):
        assert main(["sign", newest_run()["reports/RUN"], "--role", role]) == 0


def _with_a_database() -> dict[str, str]:
    """Return a database for the server of the page: tests/release/test_mlflow_store.py asks a real one."""
    return {**_of_the_house(), "https://mlflow.example.org": f"sqlite:///{Path.cwd()}/registry.db"}


def _home() -> Path:
    return Path(os.environ["GATEKEEPER_HOME"])


def _received() -> dict[str, str]:
    """Return what a receiver has of a dossier: the file, the root, the fingerprint of QA's certificate."""
    keys = _home().with_name("home") / "keys"
    qa = x509.load_pem_x509_certificate((keys / "qa.pem").read_bytes())
    oldest, *_ = sorted(Path("reports").glob("20*"))
    return {
        **newest_run(),
        "signed/RUN": next((str(run) for run in Path("signed").glob("20*")), ""),
        " dossier.pdf": f" {oldest}/dossier.pdf",
        "their-root.pem": str(keys / "root.pem"),
        "tsa-root.pem": str(keys / "root.pem"),
        "FINGERPRINT": qa.fingerprint(hashes.SHA256()).hex(),
    }


SCENARIOS = {
    "README.md": Scenario(
        site,
        lambda: {**newest_run(), "our_site.nodules": "made_up_discs"},
        {
            "gatekeeper check --resume": 2,  # no run was interrupted here; tests/engine/test_engine_faults.py does
            "gatekeeper evaluate reports/RUN --policy stricter.yaml": 1,
            "gatekeeper lock overlap train.lock mine.lock --table-a train.csv --table-b cases.csv": 1,
            "gatekeeper rollback --store releases --alias production": 2,  # it pointed to nothing before
        },
        {
            "gatekeeper promote reports/RUN --store releases --alias production --require-role qa": (
                under_the_approved_policy
            )
        },
    ),
    "admission.md": Scenario(
        deployed,
        _of_the_house,
        {
            # It is admitted, then revoked and no longer so; and there is nothing to go back to.
            "gatekeeper admit --model model/cnn.yaml --context chest_ct.nodule_malignancy --store releases --json": 1,
            "gatekeeper promote reports/RUN --store releases --alias production": 1,
            "gatekeeper rollback --store releases --alias production": 2,
        },
    ),
    "mlflow.md": Scenario(
        countersigned_run,
        _with_a_database,
        # There is nothing to go back to.
        {"gatekeeper rollback --store mlflow:https://mlflow.example.org#nodules --alias production": 2},
    ),
    "reports.md": Scenario(locked_site, codes={"gatekeeper check --report github": 2}),  # this is no runner
    "signing.md": Scenario(
        countersigned_house,
        _received,
        before={
            "gatekeeper keys init --trust root.pem": on_a_runner,
            "gatekeeper reissue reports/RUN --out signed --trust root.pem --trust tool=development-root.pem": (
                back_in_the_house
            ),
        },
    ),
    # Twenty-four cases decide little.
    "start.md": Scenario(model_alone, filled_in, {"gatekeeper check": 4}),
}
