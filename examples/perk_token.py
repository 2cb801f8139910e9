"""A deposit-free bicycle for whoever reaches 650 points, without anybody knowing who rides it.

Run it with ``python examples/perk_token.py``. Every claim is checked on the lines below it.
"""

import tempfile
from pathlib import Path

from blindscore.errors import BlindscoreError
from blindscore.parties.message import Message
from blindscore.parties.party import DAY_S, SetClock
from blindscore.parties.sqlite_store import SqliteStore
from blindscore.parties.store import MemoryStore
from blindscore.scorecard.card import Card, Characteristic
from blindscore_crypto.channel.signatures import SigningKey
from blindscore_crypto.sealed.attestation import attest, opened
from blindscore_crypto.sealed.groups.group import P256_GROUP, random_scalar
from blindscore_crypto.sealed.holder import secret_base
from blindscore_crypto.sealed.log.book import Book
from blindscore_crypto.sealed.log.entries import Entry, Kind, Member
from blindscore_crypto.sealed.offer import OFFER_BYTES, Offer, ask, commit, digest
from blindscore_crypto.sealed.parties.gate import Gate
from blindscore_crypto.sealed.parties.lender import Lender
from blindscore_crypto.sealed.parties.office import Office, token_request
from blindscore_crypto.sealed.perks.tokens import Challenge, RsaIssuer, request_token
from blindscore_crypto.sealed.presentation import Witness, present
from blindscore_crypto.sealed.terms import Epoch, Signatory, Terms, layouts_of

TODAY, THIS_MONTH = 20_770, Epoch(number=202611, last_day=20_787)
PERK, GROUP = 650, P256_GROUP
clock = SetClock(TODAY * DAY_S)


def refused(action):
    """Say whether an action ends in one of the package's own errors."""
    try:
        action()
    except BlindscoreError as why:
        print(f"   refused: {why}")
        return True
    return False


kept = tempfile.TemporaryDirectory()
folder = Path(kept.name)

# 1. A public card, one source, and an office that hands out tokens to whoever proves 650 points.
card = Card(
    (
        Characteristic("income", (-40, 0, 35, 60, -10), edges=(1000.0, 2000.0, 4000.0)),
        Characteristic("arrears", (45, -20, -90, 5), edges=(1.0, 3.0)),
    ),
    base=600,
)
layout = layouts_of(card, {"income": "bank", "arrears": "bank"})["bank"]
bank_key, office_key, registrar = SigningKey(), SigningKey(), SigningKey()
bank = Signatory("bank", bank_key.public, layout)
terms = Terms("Perk office", office_key.public, "bicycle", THIS_MONTH, card, PERK, (bank,))
desk = Lender(terms, office_key, SqliteStore(folder / "office.db"), clock=clock, role="office")
office = Office(desk, issuer := RsaIssuer(PERK, THIS_MONTH))
print(f"1. The office gives a token to whoever proves {PERK} points under the public card.")

# 2. Its token key stands in the public log, which holds one a perk and epoch: there is none for one person.
book = Book(registrar.public)
book.append(Entry.sign(Kind.MEMBER, registrar, Member("Perk office", "office", office_key.public).encode()).encode())
book.append(Entry.sign(Kind.TOKEN_KEY, office_key, issuer.key.encode()).encode())
marked = RsaIssuer(PERK, THIS_MONTH)
print("2. The token key is in the public log. One for a single person, beside it:")
assert refused(lambda: book.append(Entry.sign(Kind.TOKEN_KEY, office_key, marked.key.encode()).encode()))


# 3. A proof of 650 points buys one blindly signed token.
def say(kind, body):
    """One message to the office, and what it answers."""
    (reply,) = office.handle(Message(office.name, kind, body, "line"))
    return reply


def prove(bins, secret):
    """A wallet's way to an approved answer: ask, commit, answer, fetch."""
    client = SigningKey()
    offer = Offer.decode(terms, say("ask", ask(client.public)).body)
    public = GROUP.mul(secret, secret_base(GROUP))
    issued = attest(bank_key, GROUP, layout, THIS_MONTH, "applicant", public, bins)
    shown, row = opened(GROUP, bank, THIS_MONTH, "applicant", public, issued)
    constant, weights = terms.linear
    value = constant + sum(w * b for w, b in zip(weights, layout.indicators(bins), strict=True))
    blinding = sum(w * r for w, r in zip(weights, row[2:], strict=True)) % GROUP.order
    answer = present(terms, offer, client, [shown], Witness(secret, [row], value, blinding))
    assert len(offer.encode()) == OFFER_BYTES
    assert say("commit", commit(offer, answer, client)).kind == "receipt"
    assert say("answer", answer).kind == "noted"
    return answer, client, say("fetch", digest(answer)).body[0]


challenge = Challenge(issuer="perks.example", origin="bicycles.example")
secret = random_scalar(GROUP)
answer, client, verdict = prove((3, 0), secret)
pending = request_token(challenge, issuer.key)
token = pending.finish(say("token", token_request(digest(answer), pending.request, client)).body)
assert verdict == 1
print(f"3. A token of {len(token)} bytes for a score of at least {PERK}.")

# 4. The same person comes back with fresh signatures: the office knows the holder's nullifier, not the holder.
again, other, verdict = prove((3, 0), secret)
assert verdict == 2  # "used before"
more = request_token(challenge, issuer.key)
print("4. A second token in one epoch:")
assert refused(lambda: office.grant(token_request(digest(again), more.request, other)))

# 5. The gate grants the perk once. It sees no person, and the office does not recognise the token.
gate = Gate("gate", challenge, [issuer.key], SqliteStore(folder / "gate.db"), clock=clock)
visit = gate.visit()
assert gate.redeem(visit, token).first
assert not gate.redeem(visit, token).first  # the first answer was lost on the way: told again, nothing more is due
assert pending.request[3:] not in token
print("5. One ride. A second ride with the same token:")
assert refused(lambda: gate.redeem(gate.visit(), token))

# 6. Restarted from its file, the gate still knows; a gate elsewhere does not take this gate's visits.
gate.store.close()
restarted = Gate("gate", challenge, [issuer.key], SqliteStore(folder / "gate.db"), clock=clock)
elsewhere = Gate("other gate", challenge, [issuer.key], MemoryStore(), clock=clock)
print("6. And after a restart, and with a visit of another gate:")
assert refused(lambda: restarted.redeem(restarted.visit(), token))
assert refused(lambda: elsewhere.redeem(visit, token))
restarted.store.close()
desk.store.close()
kept.cleanup()
