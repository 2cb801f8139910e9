"""A throw-away authority: certificates for the institutions of one town on one machine, good for a day.

Who sees what: certificates are public; keys lie in files that only their owner reads. Assumption: ECDSA on P-256, TLS
1.3. A town on several machines brings certificates of its own. Not protected: whoever reads the folder is everybody.
"""

from __future__ import annotations

import datetime
import ipaddress
import os
import ssl
from dataclasses import dataclass
from pathlib import Path

from blindscore.errors import ParameterError
from blindscore.extras import needs
from blindscore_app.town.end_point import end_point

GOOD_FOR = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Identity:
    """Where an institution's certificate, its key and the authority's certificate lie."""

    ca: Path
    certificate: Path
    key: Path

    def server_side(self, *, known_only: bool) -> ssl.SSLContext:
        """Return what a server speaks: TLS 1.3; with ``known_only`` it asks for a certificate of the authority."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.num_tickets = 0  # a ticket is a handle that joins two visits of one person
        self._load(context)
        # A person shows no certificate; an institution that has none of the authority's is a stranger.
        context.verify_mode = ssl.CERT_REQUIRED if known_only else ssl.CERT_OPTIONAL
        return context

    def client_side(self) -> ssl.SSLContext:
        """Return what an institution speaks to another."""
        context = self.anonymous_side()
        self._load(context)
        return context

    def anonymous_side(self) -> ssl.SSLContext:
        """Return what a person's wallet speaks: it knows the authority and shows nothing of itself."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        self._read(context, self.ca)
        return context

    @property
    def end_point(self) -> bytes:
        """The channel to whoever shows this certificate (:mod:`.end_point`)."""
        # A file may hold the chain above it too, each behind a line of its own.
        first = self.certificate.read_text("ascii").split("-----END CERTIFICATE-----")[0]
        return end_point(ssl.PEM_cert_to_DER_cert(f"{first.strip()}\n-----END CERTIFICATE-----\n"))

    def _load(self, context: ssl.SSLContext) -> None:
        self._read(context, self.ca)
        try:
            context.load_cert_chain(self.certificate, self.key)
        except (OSError, ssl.SSLError) as error:
            raise ParameterError(f"{self.certificate}: no certificate with its key: {error}") from None

    @staticmethod
    def _read(context: ssl.SSLContext, ca: Path) -> None:
        try:
            context.load_verify_locations(ca)
        except (OSError, ssl.SSLError) as error:
            raise ParameterError(f"{ca}: no authority's certificate: {error}") from None


def found(folder: Path, names: list[str]) -> dict[str, Identity]:
    """Make an authority and a certificate a name in a folder; the authority's key is forgotten at once."""
    with needs("town"):
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.x509.oid import NameOID

    now = datetime.datetime.now(datetime.UTC)
    root_key = ec.generate_private_key(ec.SECP256R1())
    root_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "blindscore town")])

    def certificate(subject: x509.Name, key: ec.EllipticCurvePrivateKey, root: bool) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(root_name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(minutes=5))
            .not_valid_after(now + GOOD_FOR)
            .add_extension(x509.BasicConstraints(ca=root, path_length=0 if root else None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False)
        )
        if not root:
            hosts = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
            builder = builder.add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        return builder.sign(root_key, hashes.SHA256())

    folder.mkdir(parents=True, exist_ok=True)
    ca = folder / "authority.pem"
    ca.write_bytes(certificate(root_name, root_key, root=True).public_bytes(serialization.Encoding.PEM))
    made = {}
    for name in names:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        paths = Identity(ca, folder / f"{name}.pem", folder / f"{name}.key")
        paths.certificate.write_bytes(certificate(subject, key, False).public_bytes(serialization.Encoding.PEM))
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        write_secret(paths.key, secret)
        made[name] = paths
    return made


def write_secret(path: Path, secret: bytes) -> None:
    """Write a file that only its owner reads."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(secret)


def common_name(certificate: dict[str, object] | None) -> str:
    """Return the name in a peer's checked certificate, or "" where it showed none."""
    subject = (certificate or {}).get("subject", ())
    names = [value for part in subject for key, value in part if key == "commonName"]  # type: ignore[attr-defined]
    return names[0] if len(names) == 1 else ""
