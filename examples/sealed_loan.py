"""A loan of which the lender learns one bit.

Run it with ``python examples/sealed_loan.py``. Every claim is checked on the lines below it. The people are synthetic.
"""

from dataclasses import replace

import numpy as np

from blindscore.designs.plain import choose_threshold, financial, fit_card
from blindscore.errors import BlindscoreError
from blindscore.parties.message import Message
from blindscore.parties.observe import joined, observe
from blindscore.parties.store import MemoryStore
from blindscore.parties.table import Table
from blindscore.people.society import make_society
from blindscore.scorecard.scorecard import Scorecard
from blindscore_crypto.sealed.judge import Finding, judge
from blindscore_crypto.sealed.log.entries import Entry, Kind
from blindscore_crypto.sealed.offer import Decision, Verdict, digest
from blindscore_crypto.sealed.parties.cast import cast


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


# 2. Banks and bureaus keep records and sign bins. They are told the edges, never the points, nor who will ask.
def sit_down(blind):
    """Parties with fresh keys, their public papers in a log that three witnesses follow."""
    made = cast(card, threshold, society, lambda name: MemoryStore(), blind=blind, batch=2)
    by_role = {}
    for party in made.institutions:
        by_role.setdefault(party.role, []).append(party)
    return made, by_role, Table(made.institutions, made.lines, made.clock)


made, parties, table = sit_down(blind=False)
(lender,), (log,) = parties["lender"], parties["log"]
terms = lender.terms
layouts = [source.signatory.layout for source in parties["source"]]
assert all(set(c.points) == {0} for layout in layouts for c in layout.characteristics)
print(f"2. {len(layouts)} sources sign commitments to bins: {', '.join(s.name for s in parties['source'])}.")


# 3. Two people apply. Their wallets find the terms in the log, fetch a batch of signatures, and answer the lender.
def apply(made, table, person):
    """One whole application; return the wallet and what it sent the lender."""
    legal_id = str(society.register["legal_id"].iloc[person])
    wallet = made.wallet(legal_id)
    table.seat(wallet)
    table.play(int(person), wallet.name, "apply", legal_id=legal_id)
    return wallet


applicants = np.flatnonzero(~society.history)
good = next(i for i in applicants if scores[i] >= threshold)
poor = next(i for i in applicants if scores[i] < threshold)
wallets = {person: apply(made, table, person) for person in (good, poor)}
for person, wallet in wallets.items():
    assert wallet.verdict() == (scores[person] >= threshold)
    assert wallet.score() == scores[person]
sizes = table.tape.sizes()
assert all(len(sequences) == 1 for sequences in sizes.values())
print(f"3. One approved, one not; both sent messages of {sizes['wallet', 'lender'].pop()} bytes.")

# 4. Who was refused learns why from the public card, at home.
wallet = wallets[poor]
assert wallet.reasons()
print(
    f"4. {-wallet.distance()} points short; reasons, computed by the refused applicant:",
    ", ".join(f"{r.feature} (-{r.lost})" for r in wallet.reasons()),
)

# 5. A lender that refuses against its own terms convicts itself: anybody can judge the papers. So does one that, after
#    its receipt, says nothing.
papers, key = wallets[good].application(), lender._key
answer, receipt = papers["answer"], papers["receipt"]
now = made.clock()
bent = Decision.make(key, digest(answer), Verdict.REFUSED).encode()
assert judge(terms, answer, receipt, papers["decision"], now) == Finding.KEPT
assert judge(terms, answer, receipt, bent, now) == Finding.BENT
assert judge(terms, answer, receipt, None, now) == Finding.OVERDUE
print("5. A refusal against the published terms, or silence after the receipt, is proof against the lender.")

# 6. The log holds one document a lender, purpose and epoch: a card bent for one person finds no place in it, and no
#    wallet believes what is not there.
bent_terms = replace(terms, card=replace(card, base=card.base - 20))
print("6. A card bent for one person, as a second document:")
assert refused(lambda: log.append(Entry.sign(Kind.TERMS, key, bent_terms.encode()).encode()))

# 7. A second answer in one epoch could narrow the score down. The wallet gives none, and a wallet without scruples
#    shows the lender the same nullifier again.
table.play(int(good), wallets[good].name, "apply", legal_id=str(society.register["legal_id"].iloc[good]))
assert any("second answer" in why for why in wallets[good].troubles())
print("7. A second application in one epoch gets no answer.")

# 8. A lost reply is given again; an answer without a receipt is not even stored.
(again,) = lender.handle(Message(lender.name, "fetch", digest(answer), "line"))
assert again.body == papers["decision"]
(nothing,) = lender.handle(Message(lender.name, "answer", answer[:-1] + bytes([answer[-1] ^ 1]), "line"))
assert nothing.kind == "refused"
print("8. The same question gets the same decision.")

# 9. Signed commitments can be recognised by who signed them. Blind signatures cannot: the one-show form.
seen = observe(table)
assert joined(seen["lender"], seen["source"]) == {good}
made, parties, table = sit_down(blind=True)
unseen = [apply(made, table, person) for person in (good, poor)]
assert [wallet.verdict() for wallet in unseen] == [True, False]
seen = observe(table)
assert not joined(seen["lender"], seen["source"])
print("9. The same with blind signatures: lender and sources hold no common string of any applicant.")
