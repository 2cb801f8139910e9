"""A deposit-free bicycle for whoever reaches 650 points, without anybody knowing who rides it.

Run it with ``python examples/perk_token.py``. Every claim is checked on the lines below it.
"""

import tempfile
from pathlib import Path

from blindscore.errors import BlindscoreError
from blindscore.scorecard.card import Card, Characteristic
from blindscore_crypto.channel.nullifiers import SqliteNullifiers
from blindscore_crypto.channel.signatures import SigningKey
from blindscore_crypto.sealed.attestation import Source
from blindscore_crypto.sealed.groups.group import P256_GROUP
from blindscore_crypto.sealed.layout import layouts_of
from blindscore_crypto.sealed.parties.lender import Verifier
from blindscore_crypto.sealed.parties.log import Log, LogWatcher
from blindscore_crypto.sealed.parties.wallet import Epoch, Wallet
from blindscore_crypto.sealed.perks.tokens import Challenge, Gate, PerkOffice, request_token
from blindscore_crypto.sealed.terms import Terms

THIS_MONTH, TODAY = Epoch(number=202611, last_day=20_787), 20_770
PERK = 650


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
layouts = layouts_of(card, {"income": "bank", "arrears": "bank"})
bank, office_identity = Source(P256_GROUP, layouts[0]), SigningKey()
terms = Terms("Perk office", office_identity.public, card, PERK, layouts, (bank.public,))
front_desk = Verifier(terms, office_identity)
office = PerkOffice(terms, THIS_MONTH.number, SqliteNullifiers(folder / "proofs.db"))
print(f"1. The office gives a token to whoever proves {PERK} points under the public card.")

# 2. The office's token key stands in a public log, so that it cannot have a key for each person.
log = Log()
at = log.append(office.key.log_entry)
watcher = LogWatcher(log.public)
watcher.update(log.head(), ())
watcher.require(office.key.log_entry, at, log.inclusion(at, 1))
print("2. The token key is in the public log.")


def proof(bins):
    """A wallet's answer to the office's offer."""
    wallet = Wallet("applicant", [terms], THIS_MONTH)
    wallet.accept(
        [bank.attest("applicant", bins, epoch=THIS_MONTH.number, expires=THIS_MONTH.last_day)],
        terms,
    )
    return wallet.apply(front_desk.offer(epoch=THIS_MONTH.number, day=TODAY), day=TODAY)


# 3. A proof of 650 points buys one blindly signed token; a refusal buys none.
challenge = Challenge(issuer="perks.example", origin="bicycles.example")
pending = request_token(challenge, office.key, [office.key])
token = pending.finish(office.grant(proof((3, 0)), pending.request))
print(f"3. A token of {len(token)} bytes for a score of at least {PERK}; below it:")
other = request_token(challenge, office.key, [office.key])
assert refused(lambda: office.grant(proof((0, 2)), other.request))

# 4. The gate grants the perk once. It sees no person, and the office does not recognise the token.
gate = Gate(challenge, [office.key], SqliteNullifiers(folder / "tokens.db"))
assert gate.redeem(token, b"ride 1") == PERK
assert gate.redeem(token, b"ride 1") == PERK  # the first answer was lost on the way
assert pending.request[3:] not in token
print("4. One ride. A second ride with the same token:")
assert refused(lambda: gate.redeem(token, b"ride 2"))

# 5. Restarted from its file, the gate still knows.
restarted = Gate(challenge, [office.key], SqliteNullifiers(folder / "tokens.db"))
print("5. And after a restart:")
assert refused(lambda: restarted.redeem(token, b"ride 3"))

# 6. A key made for one person is not in the log, and finds no client.
marked = PerkOffice(terms, THIS_MONTH.number, SqliteNullifiers(folder / "more.db"))
print("6. A token key for one person:")
assert refused(lambda: watcher.require(marked.key.log_entry, at, log.inclusion(at, 1)))
assert refused(lambda: request_token(challenge, marked.key, [office.key]))
kept.cleanup()
