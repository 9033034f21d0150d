"""``signing.yaml`` beside the keys: which key signs in a role, with what meaning, and what makes its time trusted.

Everything may be left out: then keys are the PEM or PKCS#12 files of the folder, and signatures are PAdES B-B, offline.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from gatekeeper.evidence import Record
from gatekeeper.validation import Fault, refuse, validate

FILE = "signing.yaml"

Role = Literal["tool", "engineer", "qa"]
Level = Literal["B-B", "B-T", "B-LT", "B-LTA"]

MEANINGS: dict[str, str] = {
    "tool": "made by gatekeeper from the attached evidence",
    "engineer": "responsible for the candidate: I submit it with this dossier",
    "qa": "reviewed: I approve the release that this dossier permits",
}


class RoleSettings(Record):
    """How one role signs. Files are named relative to the folder of ``signing.yaml``.

    ``key``: a PKCS#12 or PEM file, or a PKCS#11 URI. ``certificate``: the PEM certificate of a PEM key. ``root``: the
    root that issued it, where it is not the set's own. ``meaning``: what the signature says (21 CFR 11.50(a)(3)).
    """

    key: str | None = None
    certificate: str | None = None
    root: str | None = None
    meaning: str | None = Field(default=None, min_length=3, max_length=200)

    @model_validator(mode="after")
    def _certificate_of_a_pem_key(self) -> RoleSettings:
        if self.certificate is not None and self.key is None:
            refuse([Fault(("certificate",), "a certificate is named without its key")])
        return self


class Timestamps(Record):
    """The authority that is asked for timestamps (RFC 3161), and the PEM root that its certificate must lead to."""

    url: str
    root: str

    @field_validator("url")
    @classmethod
    def _http(cls, url: str) -> str:
        if not url.startswith(("https://", "http://")):
            refuse([Fault((), "an authority is asked over http or https")])
        return url


class SigningSettings(Record):
    """The whole of ``signing.yaml``.

    ``level`` is the PAdES baseline level (ETSI EN 319 142-1): B-T adds a timestamp, B-LT the certificates and the
    ``revocation_lists`` (CRL files, DER or PEM) that validation needs, B-LTA a timestamp over all of it once QA signs.
    """

    level: Level = "B-B"
    roles: dict[Role, RoleSettings] = Field(default_factory=dict)
    timestamps: Timestamps | None = None
    revocation_lists: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _what_the_level_needs(self) -> SigningSettings:
        faults = []
        if self.level != "B-B" and self.timestamps is None:
            faults.append(Fault(("level",), f"{self.level} needs an authority under timestamps"))
        if self.level in ("B-LT", "B-LTA") and not self.revocation_lists:
            faults.append(Fault(("level",), f"{self.level} needs revocation_lists of every issuer"))
        refuse(faults)
        return self

    def of(self, role: str) -> RoleSettings:
        """Return how a role signs."""
        return next((settings for name, settings in self.roles.items() if name == role), RoleSettings())

    def meaning(self, role: str) -> str:
        """Return what a signature in this role says, where nothing else is said."""
        return self.of(role).meaning or MEANINGS[role]


def load_settings(folder: Path) -> SigningSettings:
    """Read ``signing.yaml`` in the folder of the keys; the defaults where there is none. Raises UsageError."""
    path = folder / FILE
    if not path.is_file():
        return SigningSettings()
    from gatekeeper.strict_yaml import read_yaml

    return validate(SigningSettings, read_yaml(path))
