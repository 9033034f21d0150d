"""The bill of materials, held against CycloneDX's own JSON schema, importlib.metadata and packageurl."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

from gatekeeper import __version__
from gatekeeper.engine.bill_of_materials import bill_of_materials, components_in
from gatekeeper.engine.components import OWN, Component, Installed, installed, normalised

FINISHED = "2026-11-23T10:11:42Z"
MADE_UP = Installed(
    own=Component(OWN, "0.1.0", "Apache-2.0", ("numpy",)),
    components=(
        Component("nodule_plugin", "2.0", "MIT AND BSD-3-Clause", ("not-installed", "numpy"), plug_in=True),
        Component("numpy", "2.4.6", '"quoted" licence\u202e of </its> own'),
        Component("unlicensed", "1"),
    ),
    python="3.11.2",
)


def written(made: Installed, finished: str = FINISHED) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(bill_of_materials(made, finished))
    return content


@pytest.mark.parametrize(
    "made", [MADE_UP, Installed(MADE_UP.own, (), "3.11.2"), installed()], ids=["few", "none", "all"]
)
def test_it_holds_against_the_schema_of_cyclonedx_1_6(made: Installed) -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(bill_of_materials(made, FINISHED).decode()) is None


def test_every_distribution_is_named_with_version_identifier_and_declared_licence() -> None:
    found = {part["name"]: part for part in written(MADE_UP)["components"]}
    assert set(found) == {"nodule_plugin", "numpy", "unlicensed", "cpython"}
    assert found["numpy"]["version"] == "2.4.6"
    assert PackageURL.from_string(found["nodule_plugin"]["purl"]) == PackageURL("pypi", None, "nodule-plugin", "2.0")
    assert found["nodule_plugin"]["licenses"] == [{"expression": "MIT AND BSD-3-Clause"}]
    assert found["numpy"]["licenses"] == [{"license": {"name": MADE_UP.components[1].licence}}]
    assert "licenses" not in found["unlicensed"]
    assert found["cpython"]["type"] == "platform"


def test_gatekeeper_itself_is_what_the_bill_is_of() -> None:
    content = written(installed())
    assert content["metadata"]["component"]["name"] == OWN
    assert content["metadata"]["component"]["version"] == __version__
    assert OWN not in {normalised(part["name"]) for part in content["components"]}


def test_the_plug_in_of_the_candidate_is_marked_and_nothing_else() -> None:
    marked = [part for part in written(MADE_UP)["components"] if "properties" in part]
    assert [part["name"] for part in marked] == ["nodule_plugin"]
    assert marked[0]["properties"] == [{"name": "gatekeeper:role", "value": "plug-in of the candidate"}]


def test_a_plug_in_that_the_candidate_brings_itself_is_listed_too() -> None:
    made = installed("Brought_Along 0.3")
    assert [(part.name, part.version) for part in made.components if part.plug_in] == [("Brought_Along", "0.3")]
    here = installed(f"numpy {version('numpy')}")
    (marked,) = [part for part in here.components if part.plug_in]
    assert (marked.key, marked.version) == ("numpy", version("numpy"))
    assert len(made.components) == len(here.components) + 1


def test_dependencies_are_those_that_are_installed() -> None:
    graph = {entry["ref"]: entry.get("dependsOn", []) for entry in written(MADE_UP)["dependencies"]}
    assert graph["pkg:pypi/nodule-plugin@2.0"] == ["pkg:pypi/numpy@2.4.6"]
    assert graph[f"pkg:pypi/{OWN}@0.1.0"] == ["pkg:generic/cpython@3.11.2", "pkg:pypi/numpy@2.4.6"]
    own = installed().own.requires
    assert "numpy" in own
    assert "pytest" not in own, "an extra is not needed here"


def test_its_time_is_the_end_of_the_run_and_its_number_is_made_of_its_contents() -> None:
    content = written(MADE_UP)
    assert content["metadata"]["timestamp"].startswith("2026-11-23T10:11:42")
    assert content["serialNumber"].startswith("urn:uuid:")
    assert content == written(MADE_UP)
    other = Installed(MADE_UP.own, MADE_UP.components[:2], MADE_UP.python)
    numbers = {made["serialNumber"] for made in (content, written(other), written(MADE_UP, "2026-11-23T10:11:43Z"))}
    assert len(numbers) == 3


def test_two_processes_write_the_same_bytes(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from gatekeeper.engine.components import installed\n"
        "from gatekeeper.engine.bill_of_materials import bill_of_materials\n"
        f"sys.stdout.buffer.write(bill_of_materials(installed(), {FINISHED!r}))\n"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert said[0] == said[1]
    assert components_in(said[0]) > 100


def test_the_digest_of_what_is_installed_changes_with_a_version_and_not_with_a_licence() -> None:
    numpy, *rest = MADE_UP.components
    for part, same in ((Component(numpy.name, "2.1"), False), (Component(numpy.name, numpy.version, "MIT"), True)):
        changed = Installed(MADE_UP.own, (part, *rest), MADE_UP.python)
        assert (changed.digest == MADE_UP.digest) is same
    assert Installed(MADE_UP.own, MADE_UP.components, "3.12.0").digest != MADE_UP.digest


@pytest.mark.parametrize(
    ("metadata", "licence"),
    [
        ("License-Expression: MIT OR Apache-2.0\nLicense: not this", "MIT OR Apache-2.0"),
        ("License: MIT License", "MIT License"),
        ("License: UNKNOWN\nClassifier: License :: OSI Approved :: BSD License", "BSD License"),
        ("License: LICENSE.txt", ""),
        ("License: The first line\n        and the rest of the text", "The first line"),
        ("Classifier: License :: OSI Approved :: A\nClassifier: License :: OSI Approved :: B", "A and B"),
        ("", ""),
    ],
)
def test_the_licence_is_what_a_distribution_declares(metadata: str, licence: str, tmp_path: Path) -> None:
    folder = tmp_path / "made_up-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.4\nName: made_up\nVersion: 1.0\n{metadata}\n")
    (tmp_path / "nameless-1.0.dist-info").mkdir()
    script = (
        "from gatekeeper.engine.components import installed\n"
        "print(*[part.licence for part in installed().components if part.name == 'made_up'])\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(tmp_path), os.environ.get("PYTHONPATH", "")))}
    told = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == licence


def test_the_versions_of_the_environment_are_those_of_the_bill(finished_run: Path) -> None:
    environment = json.loads((finished_run / "evidence" / "environment.json").read_text())
    content = json.loads((finished_run / "sbom.cdx.json").read_text())
    listed = {normalised(part["name"]): part["version"].partition("+")[0] for part in content["components"]}
    told = {normalised(name): number.partition("+")[0] for name, number in environment["packages"].items()}
    assert {name: listed[name] for name in told} == told
    assert {"numpy", "torch"} <= set(told)
    assert listed["cpython"] == environment["python"]
    assert content["metadata"]["component"]["version"] == environment["gatekeeper"]
    finished = json.loads((finished_run / "verdict.json").read_text())["run"]["finished"]
    assert content["metadata"]["timestamp"][:19] == finished[:19]
