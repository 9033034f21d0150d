"""A set of keys for release, made up for tests: a root, and certificates whose organizational unit is their role."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)


def make_release_keys(home: Path, units: dict[str, str], now: datetime | None = None) -> None:
    """Write root, tool and one key for each file name in ``units``, issued for the organizational unit it maps to."""
    now = now or datetime.now(UTC)
    folder = home / "keys"
    folder.mkdir(parents=True)
    root_key = ec.generate_private_key(ec.SECP256R1())
    root_name = _name("root", None)
    root = _certificate(root_name, root_name, root_key, root_key, now, authority=True)
    (folder / "root.pem").write_bytes(root)
    for name, unit in {"tool": "tool", **units}.items():
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _certificate(_name(name, unit), root_name, key, root_key, now, authority=False)
        (folder / f"{name}.pem").write_bytes(certificate)
        (folder / f"{name}.key.pem").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )


def _name(common: str, unit: str | None) -> x509.Name:
    units = [x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit)] if unit else []
    names = [(NameOID.ORGANIZATION_NAME, "Made-up Imaging"), (NameOID.COMMON_NAME, f"Made-up Imaging {common}")]
    return x509.Name([*(x509.NameAttribute(kind, value) for kind, value in names), *units])


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer_key: ec.EllipticCurvePrivateKey,
    now: datetime,
    *,
    authority: bool,
) -> bytes:
    usage = x509.KeyUsage(not authority, not authority, False, False, False, authority, authority, False, False)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - DAY)
        .not_valid_after(now + 36_500 * DAY)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=0 if authority else None), critical=True)
        .add_extension(usage, critical=True)
        .sign(issuer_key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM)
