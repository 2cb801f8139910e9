"""Ada asks for a loan, and nobody learns more than they must: encrypted scoring, told as prose that asserts.

Run it with ``python examples/encrypted_scoring.py``; it prints nothing but its last line.
"""

import inspect

import numpy as np

from blindscore.errors import ForgeryError
from blindscore.scorecard.card import Card, Characteristic
from blindscore_crypto.encrypted.audit import AuditedLender, Auditor, Transcript
from blindscore_crypto.encrypted.decision import DealingSource, DecidingLender, Helper
from blindscore_crypto.encrypted.protocol import Applicant, Lender, Source

# A lender has a scorecard. Its edges are public, so that a bank can sort a customer into bins; its points are a secret.
card = Card(
    (
        Characteristic("income, thousands a month", (-25, 10, 40, -10), (1.5, 3.0)),
        Characteristic("months with the bank", (-15, 0, 20, 0), (12.0, 60.0)),
        Characteristic("late payments in two years", (35, -5, -60, -10), (1.0, 3.0)),
    ),
    base=560,
)

# Ada's bank knows her figures anyway: middle income, long with the bank, no late payment.
ada = np.array([1, 2, 0])
assert card.scores(ada[None])[0] == 560 + 10 + 20 + 35

# Three roles. The bank signs what it knows, the lender believes this bank's key, Ada holds her application's secret.
bank = Source()
lender = Lender("Harbour Credit", card, [bank.public])
wallet = Applicant("Harbour Credit", lender.layout, lender.parameters)

# Ada asks her bank to encrypt her bins. For whom? The bank sees a salted hash that tells nothing.
ask = wallet.ask()
assert b"Harbour" not in ask.pseudonym
attestation = bank.attest(ask, "ada's legal id", ada)

# She passes it on. The lender scores it without reading it, and answers with numbers masked for the lender alone.
application = wallet.apply(attestation)
reply = lender.answer(application)

# Ada decrypts. What she sees is uniform whatever her score, so the points stay the lender's secret. She sends it back.
opening = wallet.open(reply)

# The lender takes off its mask, checks that Ada did not touch the numbers, and has the score: exact, to the point.
outcome = lender.conclude(opening)
assert outcome.score == 625

# The lender has no method through which a key could reach it, and never saw a bin.
methods = inspect.getmembers(Lender, inspect.isfunction)
assert not any("key" in inspect.signature(method).parameters for _, method in methods)

# Could Ada have told the lender a better number? One try in a million million: the numbers carry their own proof.
liar = Applicant("Harbour Credit", lender.layout, lender.parameters)
honest = liar.open(lender.answer(liar.apply(bank.attest(liar.ask(), "ada's legal id", ada))))
try:
    lender.conclude(honest[:-1] + bytes([honest[-1] ^ 1]))
    raise AssertionError("a lie was believed")
except ForgeryError:
    pass
assert lender.parameters.soundness_bits(card.max_total - card.min_total + 1) > 40

# Could she send the same application twice, or her neighbour's? The bank's signature names lender, day and a nonce.
try:
    lender.answer(application)
    raise AssertionError("a replay was believed")
except ForgeryError:
    pass

# An observer learns nothing from sizes. Somebody with the worst of everything sends just as many bytes.
worst = Applicant("Harbour Credit", lender.layout, lender.parameters)
assert len(worst.apply(bank.attest(worst.ask(), "somebody", np.array([0, 0, 2])))) == len(application)

# What encryption does not do: the card is secret, so this lender could take ten points off anybody it dislikes, and
# no one could prove it. An audited lender commits to its card and signs each score; an auditor recomputes some of them.
audited = AuditedLender("Harbour Credit", card, [bank.public])
auditor = Auditor(audited.open_card(), audited.commitment, audited.public, audited.parameters, share=1.0)


def apply_to(strict: AuditedLender) -> Transcript:
    """Play Ada's application to an audited lender."""
    own = Applicant("Harbour Credit", strict.layout, strict.parameters)
    sent = own.apply(bank.attest(own.ask(), "ada's legal id", ada))
    answered = strict.answer(sent)
    opened = own.open(answered)
    return Transcript(sent, answered, opened, strict.sign(sent, answered, opened))


def holds(transcript: Transcript) -> bool:
    """Let the auditor recompute a transcript; the lender must reveal that application's seed."""
    return auditor.holds(transcript, audited.reveal(transcript.application))


assert holds(apply_to(audited))

# Now the lender turns: it reads the true score and signs ten points less. The replay proves it, signed by itself.
audited._score = lambda opening: audited.conclude(opening).score - 10
assert not holds(apply_to(audited))

# Must the lender know the score at all? A second server helps it to learn the decision alone. The bank deals both of
# them keys for one comparison, Ada opens to the second server, and neither of the two could tell her score.
dealer = DealingSource()
second = Helper(lender.parameters, [dealer.public])
decider = DecidingLender("Harbour Credit", card, [dealer.public], threshold=620, helper=second.public)
quiet = Applicant("Harbour Credit", decider.layout, decider.parameters)
opened = quiet.open(decider.answer(quiet.apply(dealer.attest(quiet.ask(), "ada's legal id", ada))))
for_lender, for_second = dealer.deal(quiet.ask().nonce, decider.parameters)
share = second.compare(decider.consult(quiet.ask().nonce, for_lender), decider.public, for_second, opened)
assert decider.decide(share) is True  # 625 reaches 620, and that is all that Harbour Credit knows
try:
    decider.conclude(opened)
    raise AssertionError("the lender read a score")
except ForgeryError:
    pass

print("Ada's score is 625, the lender learnt that and no figure of hers, and a bent score was proved.")
