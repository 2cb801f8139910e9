"""Cast: who plays the sealed and the one-show design, with keys, log and records, ready to sit down.

::

    wallet --legal id--> bank, bureau ... (source)      wallet --one-time--> lender, log
    log --institution--> witness 0, 1, 2 (of which two must cosign)
"""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
import pandas as pd

from blindscore.designs.plain import LEGAL_ID
from blindscore.errors import ParameterError
from blindscore.parties.cast import Cast, Ending, StoreOf
from blindscore.parties.party import DAY_S, Party, SetClock
from blindscore.parties.store import Value
from blindscore.people.population import Population
from blindscore.scorecard.card import Card
from blindscore_crypto.channel.signatures import SigningKey
from blindscore_crypto.layout import Layout
from blindscore_crypto.sealed.blind.acl import AclSigner
from blindscore_crypto.sealed.groups.group import P256_GROUP, Group
from blindscore_crypto.sealed.judge import Finding
from blindscore_crypto.sealed.log.entries import Entry, Kind, Member
from blindscore_crypto.sealed.log.head import Trust
from blindscore_crypto.sealed.parties.lender import Lender
from blindscore_crypto.sealed.parties.log import NEEDED, WITNESSES, found_log, keep
from blindscore_crypto.sealed.parties.source import Source, epoch_signer
from blindscore_crypto.sealed.parties.wallet import Setting, Wallet
from blindscore_crypto.sealed.terms import LOAN, Epoch, Terms, layouts_of

LENDER, REGISTRAR = "lender", "registrar"
DAYS = 30  # of an epoch
LINES = MappingProxyType({("wallet", "source"): "legal id"})


class Secrets:
    """Makes the keys of a cast, by the names of those who hold them."""

    def signing_key(self, name: str) -> SigningKey:
        """Return the signing key of an institution."""
        return SigningKey()

    def blind_signer(self, name: str, group: Group, layout: Layout, epoch: Epoch) -> AclSigner:
        """Return the blind-signing key of a source for one layout and epoch."""
        return epoch_signer(group, layout, epoch)


def cast(
    card: Card,
    threshold: int,
    population: Population,
    store_of: StoreOf,
    *,
    blind: bool,
    group: Group = P256_GROUP,
    batch: int = 1,
    secrets: Secrets | None = None,
    clock: SetClock | None = None,
) -> Cast:
    """Return the parties, who have made their keys and published what must be public.

    Parameters
    ----------
    population
        Whose records the sources hold.
    blind
        Whether sources sign blindly: the one-show form.
    batch
        How many signatures of each source a wallet fetches; one of each is used by an application.
    secrets
        Makes the parties' keys; a town keeps them. By default they are fresh and live as long as the cast.
    clock
        By default a clock that stands.
    """
    secrets, clock = secrets or Secrets(), clock or SetClock()
    epoch = Epoch(1, int(clock() // DAY_S) + DAYS)
    source_of = {name: source_name(population.schema[name].source) for name in card.features}
    sources, entries = [], []
    for name, layout in layouts_of(card, source_of).items():
        key = secrets.signing_key(name)
        signer = secrets.blind_signer(name, group, layout, epoch) if blind else None
        source = Source(name, layout, key, epoch, store_of(name), group=group, clock=clock, blind=signer)
        entries.append((Member(name, "source", key.public), source.signatory.blind))
        sources.append(source)
    _enrol(sources, population)
    lender_key, registrar = secrets.signing_key(LENDER), secrets.signing_key(REGISTRAR)
    signatories = tuple(source.signatory for source in sources)
    terms = Terms(LENDER, lender_key.public, LOAN, epoch, card, threshold, signatories, group)
    lender = Lender(terms, lender_key, store_of(LENDER), clock=clock)
    publish = [Entry.sign(Kind.MEMBER, registrar, Member(LENDER, "lender", lender_key.public).encode())]
    publish += [Entry.sign(Kind.MEMBER, registrar, member.encode()) for member, _ in entries]
    publish += [
        Entry(Kind.EPOCH_KEY, member.key, key.signed, key.signature) for member, key in entries if key is not None
    ]
    publish.append(Entry.sign(Kind.TERMS, lender_key, terms.encode()))
    keeper, witnesses = found_log(registrar.public, store_of, clock, secrets.signing_key)
    keep(keeper, witnesses, publish)
    trust = Trust(keeper.public, tuple(witness.public for witness in witnesses), NEEDED)
    setting = Setting(LENDER, epoch, trust, batch=batch)

    def wallet(legal_id: str) -> Party:
        name = f"wallet {legal_id}"
        return Wallet(name, legal_id, setting, store_of(name), clock=clock)

    return Cast(
        institutions=(*sources, lender, keeper, *witnesses),
        wallet=wallet,
        ending=ending,
        lines=LINES,  # type: ignore[arg-type]
        clock=clock,
        keys_bytes=sum(len(entry.encode()) for entry in publish),
    )


def source_name(source: str) -> str:
    """Return the name of a source as an institution: its own, unless another party is called so already."""
    taken = (LENDER, "log", *(f"witness {i}" for i in range(WITNESSES)))
    return f"{source} (source)" if source in taken else source


def ending(party: Party) -> Ending:
    """Return what a wallet holds after its application was played."""
    if not isinstance(party, Wallet):
        raise ParameterError("only a wallet of this design has an ending")
    finding = party.finding()
    score = None if party.application() is None else party.score()
    return Ending(party.verdict(), score, bent=finding in (Finding.BENT, Finding.OVERDUE))


def _enrol(sources: list[Source], population: Population) -> None:
    legal_ids = population.register[LEGAL_ID].astype(str)
    for source in sources:
        features = source.signatory.layout.features
        table = population.features[features]
        for legal_id, row in zip(legal_ids, table.itertuples(index=False, name=None), strict=True):
            source.enrol(legal_id, {name: plain(value) for name, value in zip(features, row, strict=True)})


def plain(value: object) -> Value:
    """Return a figure as a source writes it down; None where it is missing."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value is pd.NA or value != value:
        return None
    return value if isinstance(value, int | float | str) else str(value)
