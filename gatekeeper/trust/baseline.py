"""How long a signature can be checked: the PAdES baseline levels (ETSI EN 319 142-1), and what each needs.

B-B is offline. B-T adds a timestamp (RFC 3161) to each signature, B-LT the certificates and revocation lists that
validation needs, B-LTA a timestamp over the whole document once the last role has signed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gatekeeper.errors import Code, InvalidRunError, UsageError

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from pyhanko.sign.timestamps import TimeStamper

_LARGEST_ANSWER = 1 << 20
_SECONDS = 30.0


@dataclass(frozen=True)
class Baseline:
    """A level with what it needs: who gives timestamps, the root that authority leads to, revocation lists in DER."""

    level: str = "B-B"
    timestamper: TimeStamper | None = None
    authority_root: Certificate | None = None
    revocation_lists: tuple[bytes, ...] = ()

    @property
    def long_term(self) -> bool:
        """Whether certificates and revocation lists are embedded."""
        return self.level in ("B-LT", "B-LTA")


OFFLINE = Baseline()


def load_baseline(folder: Path) -> Baseline:
    """Return what ``signing.yaml`` beside the keys asks for. Raises UsageError where a file that it names is bad."""
    from gatekeeper.trust.keys import load_trust_root
    from gatekeeper.trust.settings import load_settings

    settings = load_settings(folder)
    if settings.timestamps is None or settings.level == "B-B":
        return OFFLINE
    return Baseline(
        settings.level,
        http_timestamper(settings.timestamps.url),
        load_trust_root(folder / settings.timestamps.root),
        tuple(_revocation_list(folder / name) for name in settings.revocation_lists),
    )


def http_timestamper(url: str) -> TimeStamper:
    """Return a client of a timestamping authority over HTTP (RFC 3161, 3.4).

    It raises InvalidRunError NO_TIMESTAMP when the authority does not answer as it should.
    """
    import urllib.request
    from http.client import HTTPException

    from asn1crypto import tsp
    from pyhanko.sign.timestamps import TimeStamper

    class HttpTimeStamper(TimeStamper):
        async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
            headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
            request = urllib.request.Request(url, data=req.dump(), headers=headers)
            try:
                with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
                    return tsp.TimeStampResp.load(answer.read(_LARGEST_ANSWER))
            except (OSError, HTTPException, ValueError) as error:
                raise InvalidRunError(
                    Code.NO_TIMESTAMP,
                    "the timestamping authority did not answer as it should",
                    where=url,
                    why=str(error) or type(error).__name__,
                    mend="try again, or sign at level B-B (signing.yaml), which needs no network",
                ) from error

    return HttpTimeStamper()  # type: ignore[no-untyped-call]


def _revocation_list(path: Path) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509 import load_der_x509_crl, load_pem_x509_crl

    try:
        data = path.read_bytes()
        found = load_pem_x509_crl(data) if data.startswith(b"-----") else load_der_x509_crl(data)
    except (OSError, ValueError) as error:
        raise UsageError(
            Code.BAD_VALUE, "this is not a revocation list", where=str(path), mend="name a CRL in PEM or DER"
        ) from error
    return found.public_bytes(Encoding.DER)
