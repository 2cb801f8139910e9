"""Judge: what a person whose total is not the committed card's shows to anybody, and what it proves.

Who sees what: whoever judges reads the person's bins and score. Every paper bears a signature: the source's on the
choices, the lender's on reply, unmasking and result. From an honest lender's papers nothing can be proved, whoever
makes up the rest, the source among them: choices open to one seed and set of bins (or the logarithm of T is known),
and whatever they are the lender's entries add up. Assumption: discrete logarithms, Ed25519. A lender that falls
silent is not judged. One that answers under terms that the log does not hold is convicted by
:func:`.published.is_off_log`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from blindscore.errors import ForgeryError
from blindscore_crypto.channel.signatures import VerifyingKey
from blindscore_crypto.encrypted.proved import wire
from blindscore_crypto.encrypted.proved.terms import ProvedTerms
from blindscore_crypto.encrypted.proved.transfer import chosen, receive


@dataclass(frozen=True)
class Papers:
    """What a wallet keeps of one application."""

    seed: bytes = field(repr=False)
    application: bytes = field(repr=False)
    reply: bytes = field(repr=False)
    unmasking: bytes = field(repr=False)
    result: bytes = field(default=b"", repr=False)  # empty: the wallet did not open, since the total was not proved


def proved_total(papers: Papers, terms: ProvedTerms, sources: Iterable[VerifyingKey]) -> int | None:
    """Return v if papers prove it to be the committed card's; None if they prove that the lender departed from it.

    Raises
    ------
    ForgeryError
        A paper is not what its signer signed, or the reply was given under other terms: no proof of anything.
    """
    group, layout = terms.group, terms.layout
    _, frame = wire.read_application(papers.application, group, layout)
    attested = wire.read_choices_frame(frame, group, layout, {key.id: key for key in sources})
    if attested.layout != layout.fingerprint:
        raise ForgeryError("papers refused: the choices were made for another layout")
    named, sent = wire.read_reply(papers.reply, terms, papers.application)
    if named != terms.digest:
        raise ForgeryError("papers refused: the reply was given under other terms than these")
    masks = wire.read_unmasking(papers.unmasking, terms, papers.reply)
    bins = chosen(group, papers.seed, layout, attested.upload)
    try:
        masked, blinding = receive(group, layout, papers.seed, bins, sent, attested.nonce)
    except ForgeryError:
        return None  # the lender signed a reply with no element in it
    ones = layout.ones(np.array(bins)).tolist()
    return terms.total(ones, masks.value(group, masked), (blinding - masks.blind) % group.order)


def is_bent(papers: Papers, terms: ProvedTerms, sources: Iterable[VerifyingKey]) -> bool:
    """Say whether papers prove that the lender departed from its terms.

    Raises
    ------
    ForgeryError
        As :func:`proved_total`.
    """
    v = proved_total(papers, terms, sources)
    if v is None:
        return True
    if not papers.result:
        return False
    result = wire.ProvedResult.read(papers.result, terms, papers.reply)
    return (result.score, result.approved) != terms.score(v)
