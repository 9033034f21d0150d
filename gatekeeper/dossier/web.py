"""The dossier as one page for browsers: nothing outside it is asked for, and it is not signed.

It is made of the same content as the PDF, and adds the numbers behind each figure and the table of every case. A
policy in the page (Content Security Policy Level 3, W3C) names style and script by their digests: anything that text
might smuggle in does not run.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping

from gatekeeper.dossier.attachments import describe_attachments
from gatekeeper.dossier.charts.svg import FAMILY
from gatekeeper.dossier.content import compose_content
from gatekeeper.dossier.faces import embedded_faces
from gatekeeper.dossier.material import DossierMaterial
from gatekeeper.dossier.numerals import short_digest
from gatekeeper.dossier.pages import Source, contents_of, environment, template_text, width_rules
from gatekeeper.dossier.web_cases import web_cases


def render_web(material: DossierMaterial, attachments: Mapping[str, bytes], signed: str) -> str:
    """Render the dossier as HTML; ``signed`` is the digest of the signed PDF.

    Equal arguments give equal text. Raises ValueError for an attachment whose name is not a plain file name.
    """
    content = compose_content(material, describe_attachments(attachments))
    style = "\n".join((embedded_faces(FAMILY), template_text("web.css"), width_rules(content)))
    script = template_text("web.js")
    number = content.sections[-1].number + 1
    cases = None if material.cases is None else web_cases(material.cases, number)
    extra = ((cases.number, cases.anchor, cases.title),) if cases else ()
    document = short_digest(material.verdict.reproducible)
    template = environment().get_template("web.html.j2")
    return template.render(
        content=content,
        contents=(*contents_of(content), *extra),
        cases=cases,
        rules=_rules(style, script),
        style=Source(style),
        script=Source(script),
        unsigned=(
            f"What is signed is dossier.pdf, document {document}, with {signed} when "
            "this page was made. “gatekeeper verify dossier.pdf” checks it, and computes every number and the verdict "
            "again."
        ),
    )


def _rules(style: str, script: str) -> str:
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src '{_digest(style)}'",
            f"script-src '{_digest(script)}'",
            "img-src data:",
            "font-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
