"""Certificates for tests: an authority of our own and servers that it vouches for, or that nobody does."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@dataclass
class Authority:
    """A certificate authority; `file` is what its clients trust."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    file: Path

    def client_context(self) -> ssl.SSLContext:
        """A context that trusts this authority alone."""
        return ssl.create_default_context(cafile=str(self.file))

    def server_context(self, folder: Path, *names: str) -> ssl.SSLContext:
        """A server's context with a certificate for `names` (IP addresses or host names)."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = _certificate(names, key.public_key(), self.certificate.subject, self.key)
        return _context(folder / f"{names[0]}.pem", key, made)

    def server_files(self, folder: Path, *names: str) -> tuple[Path, Path]:
        """A server's certificate and key as files of their own, as a listener names them."""
        self.server_context(folder, *names)
        both = folder / f"{names[0]}.pem"
        key, begin, certificate = both.read_text().partition("-----BEGIN CERTIFICATE-----")
        files = folder / "cert.pem", folder / "key.pem"
        files[0].write_text(begin + certificate)
        files[1].write_text(key)
        files[1].chmod(0o600)
        return files


def authority(folder: Path) -> Authority:
    """A new authority, its certificate in `folder`."""
    key = ec.generate_private_key(ec.SECP256R1())
    made = _certificate(("Test authority",), key.public_key(), _name("Test authority"), key, ca=True)
    file = folder / "ca.pem"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return Authority(key, made, file)


def self_signed(folder: Path, *names: str) -> ssl.SSLContext:
    """A server's context with a certificate that it signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    return _context(folder / "self.pem", key, _certificate(names, key.public_key(), _name(names[0]), key))


def _certificate(
    names: tuple[str, ...],
    public: ec.EllipticCurvePublicKey,
    issuer: x509.Name,
    signer: ec.EllipticCurvePrivateKey,
    ca: bool = False,
) -> x509.Certificate:
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(names[0]))
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=2))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if not ca:
        builder = builder.add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
    return builder.sign(signer, hashes.SHA256())


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _context(file: Path, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> ssl.SSLContext:
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context
