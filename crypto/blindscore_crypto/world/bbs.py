"""BBS: one bit opened out of a signature that nobody sees again; see :mod:`blindscore_crypto.world.bbs_signature`.

Who sees what: the verifier yes or no, that there is one message more, and the day in the header; neither signature nor
score. Not protected: who lends a credential to another, since no device stands behind it; whoever is told the hidden
message and the signature can show them. Pseudonyms by verifier are a draft of their own and are not run.
"""

from __future__ import annotations

import functools
import secrets
from dataclasses import dataclass, field
from types import MappingProxyType

from blindscore.designs.design import NO_CONDUCT, ONE_BIT, UNLINKABLE, Rule
from blindscore.errors import ForgeryError
from blindscore_crypto.world import bbs_signature
from blindscore_crypto.world.credential import Kept
from blindscore_crypto.world.design import SHORT_LIVED, Credential
from blindscore_crypto.world.scheme import Claims, Scheme

HEADER = b"score reaches the threshold; good for a day"
YES, NO = b"approved", b"refused"
OWN = 32  # bytes of a message that is never opened


@dataclass(frozen=True)
class _Issuing:
    secret: int
    public: bytes

    def issue(self, asked: bytes, claims: Claims) -> bytes:
        """Return the answer, 1 byte, and a signature; see :class:`~blindscore_crypto.world.scheme.Issuing`."""
        if len(asked) != OWN:
            raise ForgeryError(f"issuing refused: a message of {OWN} bytes is needed")
        answer = YES if claims["approved"] else NO
        made = bbs_signature.sign(self.secret, self.public, [answer, asked], HEADER)
        return bytes([answer == YES]) + made


@dataclass(frozen=True)
class _Holding:
    public: bytes
    own: bytes = field(default_factory=lambda: secrets.token_bytes(OWN))

    def ask(self) -> bytes:
        """See :class:`~blindscore_crypto.world.scheme.Holding`."""
        return self.own

    def present(self, credential: bytes, shown: tuple[str, ...], nonce: bytes, audience: str) -> bytes:
        """Return the answer, 1 byte, and a proof; see :class:`~blindscore_crypto.world.scheme.Holding`."""
        messages = [YES if credential[0] else NO, self.own]
        use = nonce + audience.encode()
        return credential[:1] + bbs_signature.prove(credential[1:], self.public, messages, HEADER, use, [0])


@dataclass(frozen=True)
class _Checking:
    public: bytes

    def check(self, presentation: bytes, nonce: bytes, audience: str) -> Claims:
        """See :class:`~blindscore_crypto.world.scheme.Checking`."""
        answer = {b"\x01": YES, b"\x00": NO}.get(presentation[:1])
        if answer is None:
            raise ForgeryError("presentation refused: neither yes nor no")
        bbs_signature.check(presentation[1:], self.public, {0: answer}, HEADER, nonce + audience.encode())
        return {"approved": answer == YES}


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
ANSWER = Rule(
    "the bureau signs whether the score reaches the threshold, since the draft proves no comparison",
    "modelled",
    "this project",
)


@dataclass(frozen=True)
class Bbs(Credential):
    """One bit under a short signature."""

    name = "bbs"
    order = 61
    extra = "bbs"
    summary = (
        "A bureau signs yes or no; you prove that it did, afresh each time, and no two proofs resemble each other."
    )
    kept = Kept(scheme, "bit", linkable=False, numbered=False)
    enforces = frozenset({NO_CONDUCT, ONE_BIT, UNLINKABLE})
    rules = (DRAFT, ANSWER)
    questions = MappingProxyType(
        {
            "hidden": "Everything but yes or no, and which issuer.",
            "linkable": "Nothing in what is shown; the issuer itself does not know its signature again.",
            "issuer": "No, even if it is shown the proof.",
            "revocation": SHORT_LIVED,
        }
    )
