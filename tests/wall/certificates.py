"""Certificates for walls behind TLS, of authorities made on the spot."""

import ssl
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.x509.oid import NameOID

KNOWN = "known"  # the name of the authority that gateways trust


@dataclass(frozen=True)
class Authority:
    name: x509.Name
    key: EllipticCurvePrivateKey
    pem: str


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _signed(
    subject: x509.Name,
    key: EllipticCurvePrivateKey,
    issuer: x509.Name,
    signer: EllipticCurvePrivateKey,
    days: int,
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=30))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
    )  # fmt: skip


@cache
def authority(name: str) -> Authority:
    """Return an authority; the same for the same name."""
    key, subject = generate_private_key(SECP256R1()), _named(name)
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    built = (
        _signed(subject, key, subject, key, 30)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .add_extension(usage, True)
        .sign(key, hashes.SHA256())
    )
    return Authority(subject, key, built.public_bytes(serialization.Encoding.PEM).decode())


@dataclass(frozen=True)
class Certificate:
    """One for `host`, valid for so many days from now, by an authority."""

    host: str
    days: int = 7
    issuer: str = KNOWN

    def context(self) -> ssl.SSLContext:
        """Return what a server presents it with."""
        key, by = generate_private_key(SECP256R1()), authority(self.issuer)
        names = x509.SubjectAlternativeName([x509.DNSName(self.host)])
        built = (
            _signed(_named(self.host), key, by.name, by.key, self.days)
            .add_extension(names, False)
            .sign(by.key, hashes.SHA256())
        )
        secret = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "chain.pem"
            path.write_bytes(secret + built.public_bytes(serialization.Encoding.PEM))
            context.load_cert_chain(path)
        return context
