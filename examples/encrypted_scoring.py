"""Ada asks for a loan, and nobody learns more than they must: encrypted scoring, told as prose that asserts.

Run it with ``python examples/encrypted_scoring.py``; it prints nothing but its last line.
"""

import inspect

from blindscore.errors import ForgeryError
from blindscore.parties.cast import play
from blindscore.parties.message import Message
from blindscore.parties.store import MemoryStore
from blindscore.scorecard.card import Card, Characteristic
from blindscore_crypto.designs import encrypted, encrypted_audited, encrypted_decision
from blindscore_crypto.encrypted.parties.lender import Lender
from blindscore_crypto.encrypted.parties.scorer import BlindScorer
from blindscore_crypto.encrypted.parties.sign_score import SignScore
from blindscore_crypto.encrypted.results import commit
from blindscore_crypto.encrypted.wire import Ask

# A lender has a scorecard. Its edges are public, so that a bank can sort a customer into bins; its points are a secret.
card = Card(
    (
        Characteristic("income, thousands a month", (-25, 10, 40, -10), (1.5, 3.0)),
        Characteristic("months with the bank", (-15, 0, 20, 0), (12.0, 60.0)),
        Characteristic("late payments in two years", (35, -5, -60, -10), (1.0, 3.0)),
    ),
    base=560,
)

# Ada's bank knows her figures anyway: middle income, long with the bank, no late payment. So it does of somebody else,
# who has the worst of everything.
ada = {"income, thousands a month": 2.4, "months with the bank": 88.0, "late payments in two years": 0.0}
worst = {"income, thousands a month": 1.0, "months with the bank": 3.0, "late payments in two years": 5.0}
records = {"ada": ada, "somebody": worst}


def memory(name: str) -> MemoryStore:
    """Give each party a store of its own; in a town it is a database."""
    return MemoryStore()


# Three parties sit down: bank, lender, and Ada's wallet. All that they say to each other is bytes, and is on the tape.
cast = encrypted.cast(card, 620, records, memory)
table, endings = play(cast, {0: "ada", 1: "somebody"})
bank, lender = cast.institutions

# She is approved: 560 + 10 + 20 + 35 points reach 620. The lender wrote down two totals, and nothing else of anybody.
assert endings[0].decision is True
assert endings[1].decision is False
assert sorted(row["total"] for _, row in lender.store.items("scores")) == [560 - 25 - 15 - 60, 625]

# For whom did she ask? Her bank saw a salted hash that tells nothing, and the public edges.
asked = next(passage.body for passage in table.tape.passages if passage.kind == "ask")
assert b"lender" not in asked
assert Ask.decode(asked).layout.features == card.features

# The lender has no method through which a key could reach it, and never saw a bin.
for kind in (Lender, BlindScorer):
    methods = inspect.getmembers(kind, inspect.isfunction)
    assert not any("key" in inspect.signature(method).parameters for _, method in methods)

# An observer learns nothing from sizes: hers and those of somebody with the worst of everything are the same.
assert all(len(sequences) == 1 for sequences in table.tape.sizes().values())

# Could she send the same application twice, or her neighbour's? The bank's signature names lender, day and a nonce.
sent = next(passage.body for passage in table.tape.passages if passage.kind == "application")
try:
    lender.answer(sent, "again")
    raise AssertionError("a replay was believed")
except ForgeryError:
    pass

# Could Ada have told the lender a better number? One try in a million million: the numbers carry their own proof.
assert lender.scorer.parameters.soundness_bits(card.max_total - card.min_total + 1) > 40

# What encryption does not do: the card is secret, so this lender could take ten points off anybody it dislikes, and
# no one could prove it. An audited lender commits to its card and signs each score; an auditor recomputes some of them,
# here all.
strict = encrypted_audited.cast(card, 620, records, memory, share=1.0)
_, signed = play(strict, {0: "ada"})
auditor = strict.institutions[2]
assert signed[0].score == 625
assert auditor.proofs == []


class Turned(SignScore):
    """It decides by another threshold than it committed to."""

    def commitment(self, lender: Lender) -> bytes:
        return commit(card, 620, self.salt)


# Now the lender turns, and refuses whom it has promised to approve. Its own signature proves it.
turned = strict.institutions[1]
honest = turned.way
turned.way = Turned(640, honest.signer, honest.salt, honest.master, honest.auditor)
_, bent = play(strict, {1: "ada"})
assert bent[1].decision is False
assert len(auditor.proofs) == 1

# Must the lender know the score at all? A second server helps it to learn the decision alone. The bank deals both of
# them keys for one comparison, Ada opens to the second server, and neither of the two could tell her score.
quiet = encrypted_decision.cast(card, 620, records, memory)
table, endings = play(quiet, {0: "ada"})
assert endings[0].decision is True  # 625 reaches 620, and that is all that the lender knows
assert [row["approved"] for _, row in quiet.institutions[1].store.items("decisions")] == [1]

# A second server that is asked ten times about one application answers once.
helper = quiet.institutions[2]
check = next(passage.body for passage in table.tape.passages if passage.kind == "check")
assert helper.handle(Message("helper", "check", check, "lender"))[0].kind == "refusal"

print("Ada's score is 625, the lender learnt that and no figure of hers, and a bent decision was proved.")
