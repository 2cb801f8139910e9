"""BBS: one bit opened out of a signature that nobody sees again, under a pseudonym that is the verifier's own.

Who sees what: the verifier yes or no, the day in the header, and one pseudonym a credential, which no other verifier
sees; neither signature nor score. The issuer a commitment: it does not learn the secret behind the pseudonyms, see
:mod:`blindscore_crypto.world.bbs_pseudonym`. A stolen credential shows nothing without that secret. Not protected: who
lends credential and secret together, since no device stands behind them.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from types import MappingProxyType

from blindscore.designs.design import NO_CONDUCT, ONE_BIT, UNLINKABLE, Rule
from blindscore.errors import ForgeryError
from blindscore_crypto.world import bbs_pseudonym, bbs_signature
from blindscore_crypto.world.bbs_signature import ORDER, POINT, SCALAR
from blindscore_crypto.world.credential import Kept
from blindscore_crypto.world.design import SHORT_LIVED, Credential
from blindscore_crypto.world.scheme import Claims, Scheme

HEADER = b"score reaches the threshold; good for a day"
YES, NO = b"approved", b"refused"
SIGNATURE = POINT + SCALAR
CREDENTIAL = 1 + SIGNATURE + SCALAR  # bytes: the answer, a signature, the issuer's part of the secret
PRESENTATION = 1 + 4 * POINT + 6 * SCALAR  # bytes: the answer, a pseudonym, a proof with two hidden messages


def context_of(verifier: str) -> bytes:
    """Return the context of one verifier's pseudonyms."""
    return b"blindscore, shown to " + verifier.encode()


@dataclass(frozen=True)
class _Issuing:
    secret: int
    public: bytes

    def issue(self, asked: bytes, claims: Claims) -> bytes:
        """Return answer, signature and the issuer's part of the secret; see :class:`.scheme.Issuing`."""
        answer = YES if claims["approved"] else NO
        entropy = bbs_pseudonym.entropy_for(self.secret, asked)
        made = bbs_pseudonym.sign(self.secret, self.public, [answer], HEADER, asked, entropy)
        return bytes([answer == YES]) + made + entropy.to_bytes(SCALAR, "big")


@dataclass(frozen=True)
class _Holding:
    public: bytes
    blind: int = field(default_factory=bbs_pseudonym.new_scalar)
    own: int = field(default_factory=bbs_pseudonym.new_scalar)

    def ask(self) -> bytes:
        """Return a commitment to the secret; see :class:`~blindscore_crypto.world.scheme.Holding`."""
        return bbs_pseudonym.commit(self.blind, self.own)

    def present(self, credential: bytes, shown: tuple[str, ...], nonce: bytes, audience: str) -> bytes:
        """Return answer, pseudonym and proof; see :class:`~blindscore_crypto.world.scheme.Holding`."""
        if len(credential) != CREDENTIAL:
            raise ForgeryError(f"credential refused: it has {CREDENTIAL} bytes")
        answer, signature = YES if credential[0] else NO, credential[1 : 1 + SIGNATURE]
        whole = (self.own + int.from_bytes(credential[1 + SIGNATURE :])) % ORDER
        use, context = nonce + audience.encode(), context_of(audience)
        return credential[:1] + bbs_pseudonym.prove(
            signature, self.public, [answer], (self.blind, whole), HEADER, use, [0], context
        )


@dataclass(frozen=True)
class _Checking:
    public: bytes

    def check(self, presentation: bytes, nonce: bytes, audience: str) -> Claims:
        """Return the answer and the pseudonym at this audience, in hexadecimal digits.

        Raises
        ------
        ForgeryError
            The presentation proves nothing.
        """
        answer = {b"\x01": YES, b"\x00": NO}.get(presentation[:1])
        if answer is None or len(presentation) != PRESENTATION:
            raise ForgeryError("presentation refused: neither yes nor no, or too short or too long")
        use, context = nonce + audience.encode(), context_of(audience)
        name = bbs_pseudonym.check(presentation[1:], self.public, {0: answer}, HEADER, use, context)
        return {"approved": answer == YES, "pseudonym": name.hex()}


def scheme(threshold: int = 0) -> Scheme:
    """Return BBS credentials under a fresh issuer key.

    Raises
    ------
    MissingExtraError
        The extra ``bbs`` is not installed.
    """
    secret, public = bbs_signature.new_key()
    return Scheme(_Issuing(secret, public), _Checking(public), functools.partial(_Holding, public))


DRAFT = Rule(
    "a holder proves a signature over several messages and opens some of them",
    "documented",
    "draft-irtf-cfrg-bbs-signatures, by its fixtures; written here over the package py_arkworks_bls12381",
)
PSEUDONYM = Rule(
    "a verifier sees one pseudonym a credential, other verifiers see others, and the issuer knows none",
    "documented",
    "draft-irtf-cfrg-bbs-per-verifier-linkability, by its fixtures; written here; a verifier's name is its context",
)
ANSWER = Rule(
    "the bureau signs whether the score reaches the threshold, since the draft proves no comparison",
    "modelled",
    "this project",
)


@dataclass(frozen=True)
class Bbs(Credential):
    """One bit under a short signature, and a pseudonym at each verifier."""

    name = "bbs"
    order = 61
    extra = "bbs"
    summary = "A bureau signs yes or no; you prove that it did, to each lender under a name that only this lender sees."
    kept = Kept(scheme, "bit", linkable=False, numbered=False, known=True)
    enforces = frozenset({NO_CONDUCT, ONE_BIT, UNLINKABLE})
    rules = (DRAFT, PSEUDONYM, ANSWER)
    questions = MappingProxyType(
        {
            "hidden": "Everything but yes or no, and which issuer.",
            "linkable": "One credential's uses at one lender, by a pseudonym that no other lender sees; between "
            "lenders nothing. The issuer knows neither signature nor pseudonym again.",
            "issuer": "No, even if it is shown the proof.",
            "revocation": SHORT_LIVED,
        }
    )
