"""mdoc (ISO/IEC 18013-5) by the package pymdoccbor: digests under one signature, a device that signs each session.

Who sees what: the verifier the opened elements, and signature, digests and device key, the same at every presentation
of one document. Assumption: ECDSA on P-256, SHA-256. Not protected: whoever meets a document twice, or issued it, knows
it again. The package issues, and checks the issuer's signature and digests; the device's signature over the session is
made and checked here, as ISO/IEC 18013-5, 9.1.3 says, since the package makes none.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from blindscore.designs.design import NO_CONDUCT, SCORE_ONLY, Rule
from blindscore.errors import ForgeryError
from blindscore.extras import needs
from blindscore_crypto.world.credential import Kept
from blindscore_crypto.world.design import SCORE, STATUS_LIST, Credential
from blindscore_crypto.world.scheme import Checking, Claims, Scheme

DOCTYPE, SPACE = "org.iso.18013.5.1.mDL", "org.iso.18013.5.1"
MAX_BYTES = 64 * 1024
ES256 = b"\xa1\x01\x26"  # COSE protected header {1: -7}
HALF = 32  # bytes of r and of s; COSE writes both whole, where DER's length would differ from signature to signature
DAYS = 30  # that a document is good for


def _new_key() -> Any:
    with needs("mdoc"):
        from cryptography.hazmat.primitives.asymmetric import ec
    return ec.generate_private_key(ec.SECP256R1())


def session(nonce: bytes, audience: str) -> bytes:
    """Return the session that device and proof are bound to, CBOR."""
    with needs("mdoc"):
        import cbor2
    return bytes(cbor2.dumps([None, None, [nonce, audience]]))


def issuer_point(certificate: bytes) -> tuple[int, int]:
    """Return the coordinates of the public key of an issuer's certificate, DER."""
    with needs("mdoc"):
        from cryptography import x509
        from cryptography.hazmat.primitives.asymmetric import ec
    key = x509.load_der_x509_certificate(certificate).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    numbers = key.public_numbers()
    return numbers.x, numbers.y


def _to_sign(nonce: bytes, audience: str) -> bytes:
    """Return what the device signs: COSE Signature1 over the session and the document's type."""
    with needs("mdoc"):
        import cbor2
    nothing = cbor2.CBORTag(24, cbor2.dumps({}))
    said = ["DeviceAuthentication", cbor2.loads(session(nonce, audience)), DOCTYPE, nothing]
    payload = cbor2.dumps(cbor2.CBORTag(24, cbor2.dumps(said)))
    return bytes(cbor2.dumps(["Signature1", ES256, b"", payload]))


@dataclass(frozen=True)
class Issuing:
    """An issuer's key, and its certificate, DER."""

    key: Any
    certificate: bytes

    def issue(self, asked: bytes, claims: Claims) -> bytes:
        """See :class:`~blindscore_crypto.world.scheme.Issuing`."""
        with needs("mdoc"):
            import cbor2
            from pycose.keys.ec2 import EC2Key
            from pymdoccbor.mso.issuer import MsoIssuer

        class ByDay(MsoIssuer):  # type: ignore[misc]
            """Writes the day: documents of one batch would be known by the second in which they were made."""

            def format_datetime_repr(self, dt: datetime) -> str:
                return f"{dt:%Y-%m-%d}T00:00:00Z"

        numbers = self.key.private_numbers()
        key = EC2Key(
            crv="P_256",
            x=_wide(numbers.public_numbers.x),
            y=_wide(numbers.public_numbers.y),
            d=_wide(numbers.private_value),
            optional_params={"ALG": "ES256"},
        )
        today = datetime.now(UTC)
        validity = {
            "issuance_date": f"{today:%Y-%m-%d}",
            "expiry_date": f"{today + timedelta(days=DAYS):%Y-%m-%d}",
        }
        device = {1: 2, -1: 1, -2: asked[1 : 1 + HALF], -3: asked[1 + HALF : 1 + 2 * HALF]}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # it asks for the time as Python 3.12 warns against
            made = ByDay({SPACE: dict(claims)}, validity, private_key=key, alg="ES256", x509_chain=[self.certificate])
            signed = made.sign(device_key=device, doctype=DOCTYPE).encode(tag=False)
        items = {space: list(opened.values()) for space, opened in made.disclosure_map.items()}
        return bytes(cbor2.dumps({"nameSpaces": items, "issuerAuth": cbor2.loads(signed)}))


@dataclass(frozen=True)
class Holding:
    """A key of a device."""

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
            from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
        issued = cbor2.loads(credential)
        opened = [i for i in issued["nameSpaces"][SPACE] if cbor2.loads(i.value)["elementIdentifier"] in shown]
        r, s = decode_dss_signature(self.key.sign(_to_sign(nonce, audience), ec.ECDSA(hashes.SHA256())))
        device = {
            "nameSpaces": cbor2.CBORTag(24, cbor2.dumps({})),
            "deviceAuth": {"deviceSignature": [ES256, {}, None, _wide(r) + _wide(s)]},
        }
        document = {
            "docType": DOCTYPE,
            "issuerSigned": {"nameSpaces": {SPACE: opened}, "issuerAuth": issued["issuerAuth"]},
            "deviceSigned": device,
        }
        return bytes(cbor2.dumps({"version": "1.0", "documents": [document], "status": 0}))


def opened(credential: bytes) -> dict[str, Any]:
    """Return all elements of one's own document by name."""
    with needs("mdoc"):
        import cbor2
    items = [cbor2.loads(item.value) for item in cbor2.loads(credential)["nameSpaces"][SPACE]]
    return {item["elementIdentifier"]: item["elementValue"] for item in items}


@dataclass(frozen=True)
class _Checking:
    certificate: bytes

    def check(self, presentation: bytes, nonce: bytes, audience: str) -> Claims:
        """See :class:`~blindscore_crypto.world.scheme.Checking`."""
        with needs("mdoc"):
            import cbor2
            from cryptography.exceptions import InvalidSignature
            from pycose.exceptions import CoseException
        if len(presentation) > MAX_BYTES:
            raise ForgeryError(f"presentation refused: more than {MAX_BYTES} bytes; present again")
        try:
            (document,) = cbor2.loads(presentation)["documents"]
            return self._claims(document, nonce, audience)
        except (
            InvalidSignature,
            CoseException,
            cbor2.CBORDecodeError,
            AttributeError,
            KeyError,
            TypeError,
            ValueError,
        ) as error:
            raise ForgeryError("presentation refused: not signed by issuer and device for this use") from error

    def _claims(self, document: Mapping[str, Any], nonce: bytes, audience: str) -> Claims:
        with needs("mdoc"):
            import cbor2
            from cryptography import x509
            from cryptography.hazmat.primitives import hashes
            from cryptography.hazmat.primitives.asymmetric import ec
            from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
            from pymdoccbor.mdoc.issuersigned import IssuerSigned
        signed = IssuerSigned(**document["issuerSigned"])
        auth, items = signed.issuer_auth, signed.namespaces[SPACE]
        if auth.raw_public_keys != [self.certificate]:
            raise ValueError("another issuer's certificate")
        # The package compares the digests of those namespaces that the issuer signed, and passes over others.
        digests = auth.verify_element_hashes({SPACE: items})
        trusted = [x509.load_der_x509_certificate(self.certificate)]
        if not auth.verify_signature(trusted) or not digests["valid"] or digests["verified"] != len(items):
            raise ValueError("issuer's signature or digests")
        said = auth.payload_as_dict
        begins, ends = said["validityInfo"]["validFrom"], said["validityInfo"]["validUntil"]
        if document["docType"] != DOCTYPE or said["docType"] != DOCTYPE or not begins <= datetime.now(UTC) <= ends:
            raise ValueError("another document, or not valid now")
        numbers = said["deviceKeyInfo"]["deviceKey"]
        x, y = (int.from_bytes(numbers[i]) for i in (-2, -3))
        device = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
        raw = document["deviceSigned"]["deviceAuth"]["deviceSignature"][3]
        if len(raw) != 2 * HALF:
            raise ValueError("no signature of COSE")
        der = encode_dss_signature(int.from_bytes(raw[:HALF]), int.from_bytes(raw[HALF:]))
        device.verify(der, _to_sign(nonce, audience), ec.ECDSA(hashes.SHA256()))
        opened = [cbor2.loads(item.value) for item in items]
        return {item["elementIdentifier"]: item["elementValue"] for item in opened}


def _wide(number: int) -> bytes:
    return number.to_bytes(HALF, "big")


def new_issuer() -> Issuing:
    """Return a fresh issuer key with a certificate of its own.

    Raises
    ------
    MissingExtraError
        The extra ``mdoc`` is not installed.
    """
    with needs("mdoc"):
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.serialization import Encoding
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
    return Issuing(key, certificate.public_bytes(Encoding.DER))


def checking(issuing: Issuing) -> Checking:
    """Return who knows the public key of an issuer."""
    return _Checking(issuing.certificate)


def scheme(threshold: int = 0) -> Scheme:
    """Return mdoc under a fresh issuer key.

    Raises
    ------
    MissingExtraError
        The extra ``mdoc`` is not installed.
    """
    issuing = new_issuer()
    return Scheme(issuing, _Checking(issuing.certificate), Holding)


ISO = Rule(
    "a holder opens salted digests of its choice under one signature, and its device signs the session",
    "documented",
    "ISO/IEC 18013-5; run by the package pymdoccbor, the device's signature by this project",
)


@dataclass(frozen=True)
class Mdoc(Credential):
    """A score in a mobile document."""

    name = "mdoc"
    order = 37
    extra = "mdoc"
    summary = "A bureau puts your score into a mobile document; your phone shows it to the lender without your name."
    kept = Kept(scheme, "score", linkable=True)
    enforces = frozenset({NO_CONDUCT, SCORE_ONLY})
    rules = (ISO, SCORE)
    questions = MappingProxyType(
        {
            "hidden": "Everything but the score.",
            "linkable": "Every use of one document, by signature, digests and key; in batches only by its issuer.",
            "issuer": "Not from the presentation; but it knows the signature again if it is shown it.",
            "revocation": STATUS_LIST,
        }
    )
