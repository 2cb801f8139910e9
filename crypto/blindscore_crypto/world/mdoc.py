"""mdoc (ISO/IEC 18013-5) by the package isomdoc: salted digests under one signature, a device that signs each session.

Who sees what: the verifier the opened elements, and signature, digests and device key, the same at every presentation
of one document. Assumption: ECDSA on P-256, SHA-256. Not protected: whoever meets a document twice, or issued it, knows
it again. The package issues, and checks issuer's signature and digests; the device's signature over the session is
made and checked here, as ISO/IEC 18013-5, 9.1.3 says, since the package makes none.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from blindscore.errors import ForgeryError
from blindscore.extras import needs
from blindscore_crypto.world.scheme import Claims, Scheme

DOCTYPE = SPACE = "org.iso.18013.5.1"
MAX_BYTES = 64 * 1024
ES256 = b"\xa1\x01\x26"  # COSE protected header {1: -7}


def _new_key() -> Any:
    with needs("mdoc"):
        from cryptography.hazmat.primitives.asymmetric import ec
    return ec.generate_private_key(ec.SECP256R1())


def _session_bytes(nonce: bytes, audience: str) -> bytes:
    """Return what the device signs: COSE Signature1 over the session and the document's type."""
    with needs("mdoc"):
        import cbor2
    said = ["DeviceAuthentication", [None, None, [nonce, audience]], DOCTYPE, cbor2.CBORTag(24, cbor2.dumps({}))]
    payload = cbor2.dumps(cbor2.CBORTag(24, cbor2.dumps(said)))
    return cbor2.dumps(["Signature1", ES256, b"", payload])


@dataclass(frozen=True)
class _Issuing:
    key: Any
    certificate: Any

    def issue(self, asked: bytes, claims: Claims) -> bytes:
        """See :class:`~blindscore_crypto.world.scheme.Issuing`."""
        with needs("mdoc"):
            from cryptography.hazmat.primitives.asymmetric import ec
            from isomdoc.create.create_mdoc import create_mdoc
        document = create_mdoc(DOCTYPE, [self.certificate], self.key)
        for name, value in claims.items():
            document.add_data_item(SPACE, name, value)
        now = datetime.now(UTC).replace(microsecond=0)
        device = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), asked)
        made: bytes = document.generate_credential(device, now, now, now + timedelta(days=30))
        return made


@dataclass(frozen=True)
class _Holding:
    key: Any = field(default_factory=_new_key)

    def ask(self) -> bytes:
        """See :class:`~blindscore_crypto.world.scheme.Holding`."""
        with needs("mdoc"):
            from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
        point: bytes = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return point

    def present(self, credential: bytes, shown: tuple[str, ...], nonce: bytes, audience: str) -> bytes:
        """See :class:`~blindscore_crypto.world.scheme.Holding`."""
        with needs("mdoc"):
            import cbor2
            from cryptography.hazmat.primitives import hashes
            from cryptography.hazmat.primitives.asymmetric import ec
        signed = cbor2.loads(credential)
        items = signed["nameSpaces"][SPACE]
        signed["nameSpaces"] = {SPACE: [i for i in items if cbor2.loads(i.value)["elementIdentifier"] in shown]}
        signature = self.key.sign(_session_bytes(nonce, audience), ec.ECDSA(hashes.SHA256()))
        document = {"docType": DOCTYPE, "issuerSigned": signed, "deviceSigned": signature}
        return bytes(cbor2.dumps(document))


@dataclass(frozen=True)
class _Checking:
    certificate: Any

    def check(self, presentation: bytes, nonce: bytes, audience: str) -> Claims:
        """See :class:`~blindscore_crypto.world.scheme.Checking`."""
        with needs("mdoc"):
            import cbor2
            from cryptography.exceptions import InvalidSignature
            from cryptography.hazmat.primitives import hashes
            from cryptography.hazmat.primitives.asymmetric import ec
            from isomdoc.verify.verify_mdoc import IssuerSigned
        if len(presentation) > MAX_BYTES:
            raise ForgeryError(f"presentation refused: more than {MAX_BYTES} bytes; present again")
        try:
            document = cbor2.loads(presentation)
            signed = IssuerSigned(document["issuerSigned"], DOCTYPE)
            if signed.mso_certificate_chain != [self.certificate]:
                raise ForgeryError("presentation refused: another issuer's certificate")
            now = datetime.now(UTC)
            if not signed.validity_info.valid_from <= now <= signed.validity_info.valid_until:
                raise ForgeryError("presentation refused: the document is not valid now")
            device: Any = signed.device_key
            device.verify(document["deviceSigned"], _session_bytes(nonce, audience), ec.ECDSA(hashes.SHA256()))
            items = signed.namespaces[SPACE]
            return {item.element_identifier: item.element_value for item in _items(items)}
        except (InvalidSignature, cbor2.CBORDecodeError, RuntimeError, KeyError, TypeError, ValueError) as error:
            if isinstance(error, ForgeryError):
                raise
            raise ForgeryError("presentation refused: not signed by issuer and device for this use") from error


def _items(items: Any) -> list[Any]:
    return list(items.values()) if isinstance(items, dict) else list(items)


def scheme() -> Scheme:
    """Return mdoc under a fresh issuer key with a certificate of its own.

    Raises
    ------
    MissingExtraError
        The extra ``mdoc`` is not installed.
    """
    with needs("mdoc"):
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes
        from cryptography.x509.oid import NameOID
    key, now = _new_key(), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bureau")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(int.from_bytes(os.urandom(16)) >> 1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365))
        .sign(key, hashes.SHA256())
    )
    return Scheme(_Issuing(key, certificate), _Checking(certificate), _Holding)
