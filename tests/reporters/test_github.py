from __future__ import annotations

from pathlib import Path

import pytest
from made_up_findings import finding
from made_up_reports import HOSTILE, failed, judged, released
from made_up_runner import commands, outputs

from gatekeeper.errors import Code, Place, Problem
from gatekeeper.evidence import Outcome
from gatekeeper.reporters.github import MOST_BYTES, OUTPUTS, on_runner, summary
from gatekeeper.reporters.writing import outputs_text

MANY = [
    finding(
        id=f"sensitivity[site={number}]",
        subgroup={"site": f"site {number}"},
        outcome=list(Outcome)[number % 3],
        blocking=number % 2 == 0,
        words=f"At site {number}, 93.1 % are found.",
    )
    for number in range(9000)
]


def test_what_closes_the_gate_is_annotated_on_its_line(tmp_path: Path) -> None:
    report = on_runner(judged(tmp_path))
    told = commands("\n".join(report.commands))
    assert [(one.name, one.properties) for one in told] == [
        ("error", {"file": "ours.yaml", "line": "2", "title": "Sensitivity: not met"}),
        ("error", {"file": "ours.yaml", "line": "5", "title": "Specificity: not met"}),
        ("warning", {"file": "ours.yaml", "line": "2", "title": "Flips between readers: not decided"}),
    ]
    assert told[0].data == "Of the malignant nodules, 93.1 % are found."


def test_at_most_ten_are_annotated_and_the_summary_says_so(tmp_path: Path) -> None:
    made = judged(tmp_path, *MANY[:100])
    assert len(on_runner(made).commands) == 10
    closing = sum(one.blocking and one.outcome is not Outcome.MET for one in MANY[:100])
    assert f"GitHub shows 10 annotations of a step: {closing - 10} findings" in summary(made)
    assert "annotations" not in summary(judged(tmp_path))


def test_an_error_is_annotated_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "ours.yaml").write_text("a\n")
    (told,) = commands("\n".join(on_runner(failed(tmp_path)).commands))
    assert (told.name, told.properties) == (
        "error",
        {"file": "ours.yaml", "line": "4", "title": "gatekeeper GK102"},
    )
    assert told.data == 'Unknown metric "precison". Did you mean "precision"?'
    assert len(on_runner(failed(tmp_path, *[Problem(Code.BAD_VALUE, "bad")] * 30)).commands) == 10


def test_outputs_tell_the_verdict_and_where_things_are(tmp_path: Path) -> None:
    told = outputs(outputs_text(on_runner(judged(tmp_path)).outputs))
    assert told == {
        "verdict": "FAIL",
        "releasable": "false",
        "dossier": str(tmp_path / "reports/run/dossier.pdf"),
        "attestation": str(tmp_path / "reports/run/attestation.dsse.json"),
        "digest": "sha256:" + "2" * 64,
        "run": str(tmp_path / "reports/run"),
    }
    assert outputs(outputs_text(on_runner(released(tmp_path)).outputs))["releasable"] == "true"


def test_outputs_of_an_error_are_no_verdict(tmp_path: Path) -> None:
    told = outputs(outputs_text(on_runner(failed(tmp_path)).outputs))
    assert told == {**dict.fromkeys(OUTPUTS, ""), "verdict": "ERROR", "releasable": "false"}


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_gives_no_command_and_no_output_of_its_own(text: str, tmp_path: Path) -> None:
    made = finding(id=f"a[site={text}]", title=text, subgroup={"site": text}, outcome=Outcome.NOT_MET, words=text)
    for told in (
        judged(tmp_path, made, candidate=text, testset=text, words=text),
        failed(tmp_path, Problem(Code.BAD_VALUE, text, Place(text, 1), text, text)),
    ):
        report = on_runner(told)
        (command,) = report.commands
        assert "\n" not in command
        assert "\r" not in command
        (obeyed,) = commands(command)
        assert obeyed.name == "error"
        assert set(obeyed.properties) <= {"file", "line", "title"}
        assert commands(obeyed.data) == []
        hostile = {**report.outputs, "dossier": text}
        assert outputs(outputs_text(hostile)) == hostile
        assert "##[" not in report.summary(MOST_BYTES)


def test_each_output_ends_with_a_word_of_its_own() -> None:
    words = [line for line in outputs_text({"a": "1", "b": "2"}).splitlines() if line.startswith("gatekeeper-")]
    assert len(set(words)) == 2
    assert outputs_text({"a": "1"}) != outputs_text({"a": "1"})


def test_thousands_of_findings_are_cut_and_counted_the_gravest_first(tmp_path: Path) -> None:
    made = judged(tmp_path, *MANY)
    text = summary(made)
    assert MOST_BYTES * 0.9 < len(text.encode()) <= MOST_BYTES < 2**20
    rows = [line for line in text.splitlines() if line.startswith("| ") and "site" in line]
    assert f"**{len(MANY) - len(rows):,} findings are left out here**" in text
    blocking_not_met = sum(one.blocking and one.outcome is Outcome.NOT_MET for one in MANY)
    assert all("not\u00a0met" in row for row in rows[:blocking_not_met])
    assert "Release barred" in text
    assert "dossier.pdf" in text
    assert len(on_runner(made).summary(30_000).encode()) <= 30_000
