"""Every message and kept state of sealed and one-show, as bytes of a file: what was written once is read for ever.

``WRITE_VECTORS=1 pytest tests/crypto/test_sealed_vectors.py`` writes the file anew, with fresh keys, after a change of
the forms.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from blindscore.errors import ForgeryError
from blindscore.parties.message import Message
from blindscore.parties.store import MemoryStore
from blindscore_crypto.channel.signatures import VerifyingKey
from blindscore_crypto.sealed.attestation import Issued, opened
from blindscore_crypto.sealed.blind.acl import AclCredential, AclReceiver, AclSignature, Opening
from blindscore_crypto.sealed.check import check
from blindscore_crypto.sealed.contract import require_holder, sign_as_holder
from blindscore_crypto.sealed.groups.group import P256_GROUP
from blindscore_crypto.sealed.holder import read_request, secret_base
from blindscore_crypto.sealed.judge import Finding, judge
from blindscore_crypto.sealed.log.entries import Entry, name_key, terms_key
from blindscore_crypto.sealed.log.head import Head, Trust
from blindscore_crypto.sealed.log.lookup import Watcher
from blindscore_crypto.sealed.offer import Decision, Offer, Receipt, digest, read_commit
from blindscore_crypto.sealed.terms import EpochKey, Terms
from blindscore_crypto.sealed.wire import Reader
from tests.crypto.sealed_world import KEYS, World

FILE = Path(__file__).parents[1] / "vectors" / "sealed_messages.json"
FORMS = ("sealed", "one-show")


def made(blind: bool) -> dict[str, object]:
    """One application, message by message, and what the wallet kept."""
    world = World(blind=blind)
    table = world.table()
    wallet = world.apply("ada", "good", table)
    sent: dict[str, str] = {}
    for p in table.tape.passages:
        sent.setdefault(p.kind if p.kind not in ("lookup", "found") else f"{p.kind} {len(p.body)}", p.body.hex())
    papers = {k: bytes(v).hex() for k, v in wallet.application().items()}
    blinding = int.from_bytes(wallet.application()["blinding"], "big")
    contract = sign_as_holder(world.terms, wallet.application()["answer"], b"contract", "ada", blinding)
    return {
        "trust": [KEYS.log.public.raw.hex(), *(key.public.raw.hex() for key in KEYS.witnesses)],
        "now": world.clock(),
        "secret": hex(wallet.secret(P256_GROUP)),
        "terms": world.terms.encode().hex(),
        "entries": [entry.hex() for entry in world.entries()],
        "messages": {kind: body for kind, body in sent.items() if " " not in kind},
        "first found": next(p.body.hex() for p in table.tape.passages if p.kind == "found"),
        "papers": papers,
        "contract": contract.hex(),
    }


@pytest.fixture(scope="module")
def vectors() -> dict[str, dict]:
    if os.environ.get("WRITE_VECTORS"):
        FILE.write_text(json.dumps({form: made(form == "one-show") for form in FORMS}, indent=1) + "\n")
    return json.loads(FILE.read_text())


@pytest.fixture(params=FORMS)
def one(request, vectors) -> dict:
    return vectors[request.param]


def raw(one: dict, *path: str) -> bytes:
    for name in path:
        one = one[name]
    return bytes.fromhex(one)


def test_terms_entries_and_keys(one):
    terms = Terms.decode(raw(one, "terms"))
    assert terms.encode() == raw(one, "terms")
    entries = [Entry.decode(bytes.fromhex(e)) for e in one["entries"]]
    assert [e.encode().hex() for e in entries] == one["entries"]
    assert entries[-1].keys() == (terms_key(terms.lender_key, terms.purpose, terms.epoch.number),)
    for source in terms.sources:
        if source.blind is not None:
            assert EpochKey.decode(source.blind.encode(), source.key) == source.blind


def test_the_logs_answer(one):
    log, *witnesses = (VerifyingKey(bytes.fromhex(k)) for k in one["trust"])
    watcher = Watcher(Trust(log, tuple(witnesses), 2), MemoryStore())
    terms = Terms.decode(raw(one, "terms"))
    (entry,) = watcher.read([name_key(terms.lender)], raw(one, "first found"), one["now"])
    assert entry.keys()[0] == name_key(terms.lender)
    head = watcher.head
    assert Head.read(Reader("head", head.encode())) == head


def test_issuing(one):
    terms, messages = Terms.decode(raw(one, "terms")), one["messages"]
    source, group, secret = terms.sources[0], terms.group, int(one["secret"], 16)
    public = group.mul(secret, secret_base(group))
    assert group.equal(read_request(group, raw(messages, "request"), source.key, terms.epoch.number, 16)[0], public)
    if source.blind is None:
        issued = Issued.decode(group, source, raw(messages, "issued"))
        assert issued.encode() == raw(messages, "issued")
        opened(group, source, terms.epoch, "ada", public, issued)
        return
    n = len(source.layout.n_bins)
    opening = Opening.decode(group, raw(messages, "openings")[n:])
    assert opening.encode(group) == raw(messages, "openings")[n:]
    assert (len(raw(messages, "challenges")), len(raw(messages, "closings"))) == (32, 160)


def test_a_kept_receiver_and_credential():
    from tests.crypto.test_sealed_acl import ATTRIBUTES, AclSigner

    signer = AclSigner(P256_GROUP, b"kept")
    opening, state = signer.begin(ATTRIBUTES)
    receiver = AclReceiver.decode(signer.key, AclReceiver.begin(signer.key, ATTRIBUTES, opening).encode())
    credential = receiver.finish(signer.answer(state, receiver.challenge))
    again = AclCredential.decode(P256_GROUP, credential.encode(P256_GROUP))
    assert AclSignature.decode(P256_GROUP, again.signature.encode(P256_GROUP)).verify(signer.key)


def test_offer_answer_receipt_decision(one):
    terms, papers, messages = Terms.decode(raw(one, "terms")), one["papers"], one["messages"]
    answer = raw(papers, "answer")
    offer = Offer.decode(terms, raw(papers, "offer"))
    assert offer.encode() == raw(messages, "offer")
    assert read_commit(terms, raw(messages, "commit")) == (offer, digest(answer))
    receipt = Receipt.decode(terms, raw(papers, "receipt"))
    assert receipt.encode() == raw(messages, "receipt")
    assert (receipt.offer, receipt.answer) == (offer.nullifier, digest(answer))
    assert check(terms, answer).approved
    decision = Decision.decode(terms, digest(answer), raw(papers, "decision"))
    assert decision.encode() == raw(messages, "decision")
    found = judge(terms, answer, raw(papers, "receipt"), raw(papers, "decision"), one["now"])
    assert found == Finding.KEPT
    assert raw(messages, "fetch") == digest(answer)
    require_holder(terms, answer, b"contract", "ada", raw(one, "contract"))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "kind", ["offer", "commit", "receipt", "decision", "answer", "request", "first found", "contract"]
)
def test_every_message_is_exactly_as_long_as_it_is(vectors, form, kind):
    """One byte more or less is refused, whatever reads it."""
    one = vectors[form]
    terms, answer = Terms.decode(raw(one, "terms")), raw(one, "papers", "answer")
    log, *witnesses = (VerifyingKey(bytes.fromhex(k)) for k in one["trust"])
    read = {
        "offer": lambda b: Offer.decode(terms, b),
        "commit": lambda b: read_commit(terms, b),
        "receipt": lambda b: Receipt.decode(terms, b),
        "decision": lambda b: Decision.decode(terms, digest(answer), b),
        "answer": lambda b: check(terms, b),
        "request": lambda b: read_request(terms.group, b, terms.sources[0].key, terms.epoch.number, 16),
        "first found": lambda b: Watcher(Trust(log, tuple(witnesses), 2), MemoryStore()).read(
            [name_key(terms.lender)], b, one["now"]
        ),
        "contract": lambda b: require_holder(terms, answer, b"contract", "ada", b),
    }[kind]
    data = raw(one, kind) if kind in one else raw(one, "messages", kind)
    read(data)
    for bad in (b"", data[:-1], data + b"\0"):
        with pytest.raises(ForgeryError, match=r"cut short|left over|has [0-9]+ bytes"):
            read(bad)


def test_no_message_of_a_stranger_raises_anything_but_a_refusal(one):
    """Each kind with each other kind's body, to every institution."""
    world = World(blind=True)
    parties = [*world.sources, world.lender, *[world.published()[0]]]
    bodies = [bytes.fromhex(body) for body in one["messages"].values()]
    for party in parties:
        for kind in (*one["messages"], "challenges", "lookup", "publish", "extend"):
            for body in bodies:
                for reply in party.handle(Message(party.name, kind, body, "line")):
                    assert isinstance(reply.body, bytes)
