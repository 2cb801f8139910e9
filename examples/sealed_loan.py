"""A loan of which the lender learns one bit.

Run it with ``python examples/sealed_loan.py``. Every claim is checked on the lines below it. The people are synthetic.
"""

from dataclasses import replace

import numpy as np

from blindscore.designs.plain import choose_threshold, financial, fit_card
from blindscore.errors import BlindscoreError
from blindscore.people.society import make_society
from blindscore.scorecard.scorecard import Scorecard
from blindscore_crypto.channel.signatures import SigningKey
from blindscore_crypto.sealed import one_show
from blindscore_crypto.sealed.attestation import Source
from blindscore_crypto.sealed.groups.group import P256_GROUP
from blindscore_crypto.sealed.layout import layouts_of
from blindscore_crypto.sealed.one_show import OneShowTerms
from blindscore_crypto.sealed.parties.lender import Decision, Verifier, is_bent
from blindscore_crypto.sealed.parties.log import Log, LogWatcher
from blindscore_crypto.sealed.parties.one_show import BlindSource, OneShowWallet, fetch
from blindscore_crypto.sealed.parties.wallet import Epoch, Wallet
from blindscore_crypto.sealed.terms import Terms

THIS_MONTH, TODAY = Epoch(number=202611, last_day=20_787), 20_770


def refused(action):
    """Say whether an action ends in one of the package's own errors."""
    try:
        action()
    except BlindscoreError as why:
        print(f"   refused: {why}")
        return True
    return False


# 1. A card is fitted on past customers, with financial features only, and published with its threshold.
society = make_society(2_000, seed=7)
fitted = fit_card(society, Scorecard(), financial(society))
card = fitted.card_
scores = fitted.score_points(society.features)
threshold = choose_threshold(scores[society.history], approve=0.75)
print(f"1. The card has {len(card.features)} characteristics; approved from {threshold} points.")

# 2. Banks and bureaus vouch for bins. They are told the edges of the bins, never the points, nor who will ask.
layouts = layouts_of(card, {name: society.schema[name].source for name in card.features})
sources = [Source(P256_GROUP, layout) for layout in layouts]
lender_key = SigningKey()
terms = Terms("Lender", lender_key.public, card, threshold, layouts, tuple(s.public for s in sources))
lender = Verifier(terms, lender_key)
assert all(set(c.points) == {0} for layout in layouts for c in layout.characteristics)
print(f"2. {len(sources)} sources sign commitments to bins: {', '.join(layout.source for layout in layouts)}.")

# 3. The terms stand in a public log, and wallets answer to nothing else.
log = Log()
position = log.append(terms.log_entry)
watcher = LogWatcher(log.public)
watcher.update(log.head(), ())
print("3. The terms are in the public log.")


def wallet_of(person):
    """A wallet that learned the terms from the log and fetched one attestation from each source."""
    legal_id = str(society.register["legal_id"].iloc[person])
    bins = dict(zip(card.features, map(int, card.bins(society.features.iloc[[person]])[0]), strict=True))
    wallet = Wallet(legal_id, [], THIS_MONTH)
    wallet.learn(terms, watcher, position, log.inclusion(position, 1))
    for source in sources:
        row = [bins[f] for f in source.layout.features]
        one = source.attest(legal_id, row, epoch=THIS_MONTH.number, expires=THIS_MONTH.last_day)
        wallet.accept([one], terms)
    return wallet, legal_id, bins


applicants = np.flatnonzero(~society.history)
good = next(i for i in applicants if scores[i] >= threshold)
poor = next(i for i in applicants if scores[i] < threshold)

# 4. The applicant's own device knows the score; what it sends has one size, whatever it says.
frames, answers = [], []
for person in (good, poor):
    wallet, _, _ = wallet_of(person)
    assert wallet.score(terms) == wallet.committed_score(terms) == scores[person]
    frame = wallet.apply(lender.offer(epoch=THIS_MONTH.number, day=TODAY), day=TODAY)
    answer = lender.decide(frame, day=TODAY)
    assert Decision.decode(terms, frame, answer).approved == (scores[person] >= threshold)
    frames.append(frame)
    answers.append(answer)
assert len(frames[0]) == len(frames[1]) == terms.frame_bytes
print(f"4. One applicant approved, one not; both sent {terms.frame_bytes} bytes.")

# 5. Who was refused learns why from the public card, at home.
wallet, _, _ = wallet_of(poor)
reasons = wallet.reasons(terms)
assert reasons
print(
    f"5. {-wallet.distance(terms)} points short; reasons, computed by the refused applicant:",
    ", ".join(f"{r.feature} (-{r.lost})" for r in reasons),
)

# 6. A lender that refuses against its own terms convicts itself: anybody can judge frame and signed answer.
assert not is_bent(terms, frames[0], answers[0])
assert is_bent(terms, frames[0], lender.sign_decision(frames[0], False).encode())
print("6. A refusal against the published terms is proof against the lender.")

# 7. A threshold of the lender's own making, to read the score off in ten questions, finds no wallet that answers.
wallet, _, _ = wallet_of(good)
probe = replace(terms, threshold=threshold + 5)
question = Verifier(probe, lender_key).offer(epoch=THIS_MONTH.number, day=TODAY)
print("7. A probe with another threshold:")
assert refused(lambda: wallet.apply(question, day=TODAY))

# 8. A card bent for one person is not in the public log, so that no wallet takes it for published.
bent = replace(terms, card=replace(card, base=card.base - 20))
print("8. A card bent for one person:")
assert refused(lambda: wallet.learn(bent, watcher, position, log.inclusion(position, 1)))
assert refused(lambda: wallet.apply(Verifier(bent, lender_key).offer(epoch=THIS_MONTH.number, day=TODAY), day=TODAY))

# 9. A replayed frame gets the same answer; the same attestations under a new offer get none.
assert lender.decide(frames[0], day=TODAY) == answers[0]
moved = frames[0][:1] + lender.offer(epoch=THIS_MONTH.number, day=TODAY) + frames[0][1 + len(question) :]
print("9. A proof moved to another offer:")
assert refused(lambda: lender.decide(moved, day=TODAY))

# 10. Signed commitments can be recognised by who signed them. Blind signatures cannot: the one-show form.
blind = [BlindSource(P256_GROUP, layout, THIS_MONTH) for layout in layouts]
blind_terms = OneShowTerms(
    "Lender",
    lender_key.public,
    card,
    threshold,
    layouts,
    tuple(source.public for source in blind),
    keys=tuple(source.epoch_key for source in blind),
)
_, legal_id, bins = wallet_of(good)
unseen = OneShowWallet(legal_id, [blind_terms], THIS_MONTH)
for source in blind:
    fetch(unseen, source, legal_id, [bins[f] for f in source.layout.features])
blind_lender = Verifier(blind_terms, lender_key, check_frame=one_show.check)
frame = unseen.apply(blind_lender.offer(epoch=THIS_MONTH.number, day=TODAY), day=TODAY)
assert Decision.decode(blind_terms, frame, blind_lender.decide(frame, day=TODAY)).approved
print(f"10. The same with blind signatures: {len(frame)} bytes, and no source recognises them.")
