"""Texts that would like to be more than text, in every place that a dossier takes one from; and very much of it."""

from __future__ import annotations

import io
import json
import re
import socket
import time
from collections.abc import Iterator
from dataclasses import replace

import pypdf
import pytest
from made_up_material import POLICY, attachments, finding, main_findings, many_requirements, material, verdict
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject

from gatekeeper.dossier import render_dossier
from gatekeeper.dossier.attachments import describe_attachments
from gatekeeper.dossier.content import compose_content
from gatekeeper.dossier.material import DossierMaterial, Failures
from gatekeeper.evidence import Condition, Plan
from gatekeeper.policy import Policy
from gatekeeper.policy.approval import Approval
from gatekeeper.testset import Manifest
from gatekeeper.verdict import Bar, ReleaseBar

EVIL = (
    "<script>fetch('http://localhost/x')</script><img src=x onerror=alert(1)> {{ 7*191 }} {% for x in y %} "
    "(EVIL) Tj ET Q \\) /JavaScript <</S/URI>> endstream endobj \u202eSSAP\u202c שלום مرحبا 😀 <style>*{color:red}"
)
SHOWN = (
    "<script>fetch('http://localhost/x')</script>",
    "{{7*191}}",
    "(EVIL)TjETQ\\)/JavaScript<</S/URI>>endstreamendobj",
)
ACTIONS = {"/JavaScript", "/JS", "/Launch", "/URI", "/AA", "/OpenAction", "/SubmitForm", "/RichMedia", "/XFA"}


def hostile_policy() -> Policy:
    asked = json.loads(json.dumps(POLICY))
    for requirement in asked["requirements"].values():
        requirement |= {"title": EVIL, "basis": {"source": EVIL, "status": "unverified", "note": EVIL}}
        requirement |= {"hazard": EVIL, "clause": EVIL}
    asked["context"] |= {"body_part": EVIL, "unit": EVIL, "positive": EVIL, "intended_use": EVIL}
    asked["context"]["prevalence"]["basis"]["source"] = EVIL
    asked["subgroups"]["by"] = [EVIL]
    return Policy.model_validate_json(json.dumps({**asked, "title": EVIL, "notes": [EVIL]}))


def hostile() -> DossierMaterial:
    made = material()
    cases = tuple(replace(case, case_id=f"{number} {EVIL}", subject=f"{number} {EVIL}", attributes={EVIL: EVIL})
                  for number, case in enumerate(made.manifest.cases[:30]))  # fmt: skip
    contract = made.candidate.contract.model_copy(update={"description": EVIL})
    record = made.candidate.model_copy(
        update={"name": EVIL, "contract": contract, "files": {f"{EVIL}.onnx": "sha256:" + "0" * 64}}
    )
    names = ("policy_version", "by", "role", "meaning", "signer", "fingerprint")
    approval = Approval(
        policy_id="x", approved="2026-11-20T08:00:00Z", digest="x", development=False, **dict.fromkeys(names, EVIL)
    )
    found = [finding(item.id, title=EVIL, words=EVIL, method=EVIL, n_of=EVIL) for item in main_findings()]
    groups = finding("g", title=EVIL, subgroup={EVIL: EVIL}, blocking=False)
    conditions = Condition(id=EVIL, suite=EVIL, perturbation=EVIL)
    return replace(
        made,
        policy=hostile_policy(),
        candidate=record,
        manifest=Manifest.of(EVIL, cases),
        approval=approval,
        bars=(ReleaseBar(Bar.NOT_PASSED, EVIL, EVIL),),
        notes=(EVIL,),
        policy_layers=(EVIL,),
        failures=(Failures("crashed", EVIL, (EVIL,)),),
        plan=Plan(policy="x", conditions=(conditions,)),
        ladders=tuple(replace(ladder, perturbation=EVIL, requirement=EVIL, unit=EVIL) for ladder in made.ladders),
        verdict=verdict(
            (*found, groups), words=EVIL, policy_id=EVIL, policy_version=EVIL, candidate=EVIL, testset=EVIL
        ),
    )


@pytest.fixture(scope="module")
def printed() -> pypdf.PdfReader:
    with pytest.MonkeyPatch.context() as patch:

        def refuse(*_: object) -> None:
            raise AssertionError("a page asked for the network")

        patch.setattr(socket.socket, "connect", refuse)
        patch.setattr(socket, "getaddrinfo", refuse)
        return pypdf.PdfReader(io.BytesIO(render_dossier(hostile(), attachments()).pdf))


def dictionaries(start: object, seen: set[int]) -> Iterator[DictionaryObject]:
    if isinstance(start, IndirectObject):
        if start.idnum in seen:
            return
        seen.add(start.idnum)
        start = start.get_object()
    if isinstance(start, DictionaryObject):
        yield start
    for part in (
        start.values() if isinstance(start, DictionaryObject) else start if isinstance(start, ArrayObject) else ()
    ):
        yield from dictionaries(part, seen)


def test_hostile_text_of_every_source_is_shown_as_text(printed: pypdf.PdfReader) -> None:
    everything = re.sub(r"\s", "", "".join(page.extract_text() for page in printed.pages))
    for text in SHOWN:
        assert everything.count(re.sub(r"\s", "", text)) > 30
    assert "1337" not in everything
    assert "\u202e" not in everything
    assert "‹U+202E›SSAP‹U+202C›" in everything


def test_no_text_becomes_an_action_a_link_or_a_script_of_the_document(printed: pypdf.PdfReader) -> None:
    found = list(dictionaries(printed.trailer["/Root"], set()))
    assert len(found) > 100
    for dictionary in found:
        assert not ACTIONS & set(dictionary)
        assert dictionary.get("/S") not in ACTIONS
    targets = {str(note.get_object().get("/Subtype")) for page in printed.pages for note in page.get("/Annots", [])}
    assert targets <= {"/Link", "/FileAttachment"}


def test_page_one_and_contents_hold_their_places(printed: pypdf.PdfReader) -> None:
    first, second = (page.extract_text() for page in printed.pages[:2])
    assert "Quality assurance" in first
    assert "Contents" in second
    assert all(
        f"page {number} of {len(printed.pages)}" in page.extract_text() for number, page in enumerate(printed.pages, 1)
    )


def test_300_requirements_each_stand_in_the_matrix_and_page_one_stays_one() -> None:
    made = many_requirements(300)
    content = compose_content(made, describe_attachments(attachments()))
    assert len(content.first_page.requirements) < 20
    pdf = render_dossier(made, attachments()).pdf
    texts = [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]
    assert "Contents" in texts[1]
    told = set(re.findall(r"\bH-(\d{3})\b", "".join(texts)))
    assert {str(number) for number in range(100, 400)} <= told


def test_no_findings_no_subgroups_and_no_files_still_make_a_dossier() -> None:
    asked = Policy.model_validate_json(json.dumps({**POLICY, "subgroups": None}))
    made = material(policy=asked, verdict=verdict((), words="Nothing was judged."), ladders=(), roc=None, structures=())
    texts = [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(render_dossier(made, {}).pdf)).pages]
    assert "Nothing was judged." in texts[0]
    assert "not judged" in "".join(texts)


def test_thirty_pages_take_about_five_seconds_of_one_processor_and_come_out_alike() -> None:
    made = many_requirements(80)
    render_dossier(material(), {})
    before = time.process_time()
    first = render_dossier(made, attachments()).pdf
    seconds = time.process_time() - before
    assert len(pypdf.PdfReader(io.BytesIO(first)).pages) >= 30
    assert seconds < 10, "twice what it takes, since other work shares the processor"
    assert render_dossier(made, attachments()).pdf == first
