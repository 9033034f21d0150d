"""An authority of its own, made up for tests: gives timestamps over HTTP, and revokes certificates of a root."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

from asn1crypto import tsp
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import Certificate
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyhanko.keys import load_certs_from_pemder_data, load_private_key_from_pemder_data
from pyhanko.sign.timestamps import DummyTimeStamper

from gatekeeper.trust._certificates import der

DAY = timedelta(days=1)


def make_authority(now: datetime) -> tuple[Certificate, ec.EllipticCurvePrivateKey, DummyTimeStamper]:
    """Return root and root key of an authority, and what answers requests for timestamps in its name."""
    root_key = ec.generate_private_key(ec.SECP256R1())
    key = rsa.generate_private_key(65537, 2048)  # the one kind that pyHanko's maker of timestamps signs with
    name = _name("root")
    root = (
        _builder(name, name, root_key.public_key(), now)
        .add_extension(x509.BasicConstraints(True, 0), critical=True)
        .add_extension(x509.KeyUsage(False, False, False, False, False, True, True, False, False), critical=True)
        .sign(root_key, hashes.SHA256())
    )
    issued = (
        _builder(_name("timestamps"), name, key.public_key(), now)
        .add_extension(x509.BasicConstraints(False, None), critical=True)
        .add_extension(x509.KeyUsage(True, True, False, False, False, False, False, False, False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
        .sign(root_key, hashes.SHA256())
    )
    (own,) = load_certs_from_pemder_data(der(issued))
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return root, root_key, DummyTimeStamper(own, load_private_key_from_pemder_data(pem, None), fixed_dt=now)


def revocation_list(
    root: Certificate, root_key: ec.EllipticCurvePrivateKey, now: datetime, *revoked: Certificate
) -> bytes:
    """Return a list of a root in DER, on which these certificates stand."""
    builder = x509.CertificateRevocationListBuilder().issuer_name(root.subject)
    builder = builder.last_update(now - DAY).next_update(now + 30 * DAY)
    for certificate in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(certificate.serial_number).revocation_date(now - DAY)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(root_key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


@contextmanager
def serving(timestamper: DummyTimeStamper, *, broken: bool = False) -> Iterator[str]:
    """Answer requests for timestamps at the address that is given; with ``broken`` with something else."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = tsp.TimeStampReq.load(self.rfile.read(int(self.headers["Content-Length"])))
            answer = b"<html>busy</html>" if broken else timestamper.request_tsa_response(asked).dump()
            self.send_response(503 if broken else 200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _name(common: str) -> x509.Name:
    names = ((NameOID.ORGANIZATION_NAME, "Made-up Authority"), (NameOID.COMMON_NAME, f"Made-up Authority {common}"))
    return x509.Name([x509.NameAttribute(kind, value) for kind, value in names])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 30 * DAY)
        .not_valid_after(datetime(2046, 1, 1, tzinfo=UTC))
    )
