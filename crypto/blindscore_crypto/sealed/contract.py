"""Contract: proof that the party of a contract is the holder whose score was proven.

A loan names its borrower. The answer holds a commitment to its holder's number; the borrower opens it towards the
lender for the legal id that the contract states, and for this contract alone. Credentials that were lent then help
nobody but who lent them. Who sees what: the lender learns which answer was this borrower's, which the contract says
anyway. Assumptions: discrete logarithms, random oracle. Not protected: a borrower who signs on behalf of another.
"""

from __future__ import annotations

from blindscore.errors import ForgeryError
from blindscore_crypto.sealed import attestation
from blindscore_crypto.sealed.groups.group import Point
from blindscore_crypto.sealed.holder import holder_scalar
from blindscore_crypto.sealed.offer import HEAD_BYTES, PROOF, digest
from blindscore_crypto.sealed.proofs import linear_proof
from blindscore_crypto.sealed.proofs.commitments import Pedersen
from blindscore_crypto.sealed.proofs.fiat_shamir import Transcript
from blindscore_crypto.sealed.proofs.linear_proof import Equation, LinearProof, Term
from blindscore_crypto.sealed.terms import Terms


def sign_as_holder(terms: Terms, answer: bytes, contract: bytes, legal_id: str, blinding: int) -> bytes:
    """Return the proof that whoever gave this answer is `legal_id`, for this contract.

    Parameters
    ----------
    contract
        Its text, or a hash of it.
    blinding
        Of the answer's holder commitment (in the sealed form, of the first source's attestation).
    """
    group = terms.group
    equation, transcript = _statement(terms, answer, contract, legal_id)
    return linear_proof.prove(group, [equation], [blinding], transcript).encode(group)


def require_holder(terms: Terms, answer: bytes, contract: bytes, legal_id: str, proof: bytes) -> None:
    """Return if the contract's party gave the answer.

    Raises
    ------
    ForgeryError
        It did not, or the proof is for another contract or answer.
    """
    group = terms.group
    shown = LinearProof.decode(group, 1, 1, proof)
    equation, transcript = _statement(terms, answer, contract, legal_id)
    if not linear_proof.verify(group, [equation], 1, shown, transcript):
        raise ForgeryError("the contract's party is not the person whose score was proven")


def _holder(terms: Terms, answer: bytes) -> Point:
    if len(answer) <= HEAD_BYTES or answer[0] != PROOF:
        raise ForgeryError("a refusal names no holder")
    at = HEAD_BYTES if terms.is_blind else HEAD_BYTES + attestation.HEADER_BYTES
    return terms.group.decode(answer[at : at + terms.group.point_bytes])


def _statement(terms: Terms, answer: bytes, contract: bytes, legal_id: str) -> tuple[Equation, Transcript]:
    group = terms.group
    known = group.mul(holder_scalar(group, legal_id), Pedersen(group).value_base)
    transcript = Transcript(b"contract", group)
    for label, data in ((b"terms", terms.fingerprint), (b"answer", digest(answer)), (b"contract", contract)):
        transcript.absorb(label, data)
    return Equation(group.sub(_holder(terms, answer), known), (Term(group.base_mul(1), ((0, 1),)),)), transcript
