"""``encrypted-proved`` in a town: lenders whose committed terms stand in the log, from where wallets take them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from blindscore.parties.party import Party, wall_clock
from blindscore.parties.store import Store
from blindscore_app.town.folders import BANK, folder_of
from blindscore_app.town.lines import Lines
from blindscore_app.town.parts.blind import CARD, OneBank, Own, bank_records, behind_a_letterbox, last_day
from blindscore_app.town.patient_wallet import Looking, PatientWallet
from blindscore_app.town.secret_files import load_secret
from blindscore_crypto.channel.signatures import SigningKey, VerifyingKey
from blindscore_crypto.encrypted.points import Points
from blindscore_crypto.encrypted.proved.lender import ProvingLender
from blindscore_crypto.encrypted.proved.published import Setting, looking
from blindscore_crypto.encrypted.proved.source import ChoosingSource
from blindscore_crypto.encrypted.proved.terms import Committed, ProvedTerms
from blindscore_crypto.encrypted.proved.wallet import ProvedWallet
from blindscore_crypto.encrypted.ring.sampling import Draw
from blindscore_crypto.layout import Layout
from blindscore_crypto.sealed.groups.group import SCALAR_BYTES, decode_scalar, encode_scalar
from blindscore_crypto.sealed.groups.ristretto import group_named
from blindscore_crypto.sealed.log.entries import Entry, Kind, Member
from blindscore_crypto.sealed.parties.cast import REGISTRAR
from blindscore_crypto.sealed.parties.log import found_log, keep
from blindscore_crypto.sealed.terms import Epoch

if TYPE_CHECKING:
    from blindscore_app.town.parts.site import Founded, Site
    from blindscore_app.town.standing import Person, Town

DAYS = 30  # of an epoch
BLINDINGS = "blindings.key"  # of a lender's commitments; under the passphrase


class EncryptedProved(OneBank):
    """See :class:`~blindscore_app.town.parts.Part`."""

    closed = ("witness",)

    def found(self, site: Site) -> Founded:
        """See :class:`~blindscore_app.town.parts.Part`."""
        from blindscore_app.town.parts.site import Founded, Named, named

        group, epoch = group_named(site.group), Epoch(1, last_day(site, DAYS))
        key, registrar = site.kept.signing_key(BANK), site.kept.signing_key(REGISTRAR)
        bank = ChoosingSource(BANK, bank_records(site), site.store_of(BANK), site.clock, key, group)
        members, logged, terms = [Member(BANK, "source", bank.public)], [], {}
        for name, points in site.thresholds().items():
            signer = site.kept.signing_key(name)
            made, kept = ProvedTerms.of(name, signer.public, group, site.card, points, epoch)
            site.kept.save(name, CARD, Own(site.card, points).encode())
            site.kept.save(name, BLINDINGS, b"".join(map(encode_scalar, kept.blindings)))
            site.store_of(name)
            members.append(Member(name, "lender", signer.public))
            logged.append(Entry.sign(Kind.PROVED_TERMS, signer, made.encode()))
            terms[name] = made.encode().hex()
        entries = [Entry.sign(Kind.MEMBER, registrar, member.encode()) for member in members]
        keeper, witnesses = found_log(registrar.public, site.store_of, site.clock, site.kept.signing_key)
        keep(keeper, witnesses, [*entries, *logged])
        lenders = [Named(name, "lender") for name in terms]
        public = {"epoch": [epoch.number, epoch.last_day], "terms": terms}
        parties = [*named([bank]), *lenders, *named([keeper, *witnesses])]
        return Founded(parties, (*terms, keeper.name), [BANK], public, partial(keep, keeper, witnesses))

    def party(self, town: Town, name: str, passphrase: bytes, store: Store) -> Party:
        """See :class:`~blindscore_app.town.parts.Part`."""
        folder = folder_of(town.folder, name)
        key = SigningKey.load(folder / "signing.pem", passphrase)
        if town.roles[name] == "source":
            return ChoosingSource(name, {}, store, wall_clock, key, town.group, features=self.features(town))
        scalars = load_secret(folder / BLINDINGS, passphrase)
        blindings = [scalars[at : at + SCALAR_BYTES] for at in range(0, len(scalars), SCALAR_BYTES)]
        own = Own.load(town, name, passphrase)
        kept = Committed(Points.of(own.card), tuple(decode_scalar(town.group, scalar) for scalar in blindings))
        lender = ProvingLender(terms_of(town, name), kept, [town.key(BANK)], store, wall_clock, key)
        return behind_a_letterbox(town, lender)

    def wallet(
        self, town: Town, person: Person, lender: str, store: Store, lines: Lines | None, batch: int
    ) -> PatientWallet:
        """See :class:`~blindscore_app.town.parts.Part`; it is told names, epoch, and whom to believe about the log."""
        name, setting = f"wallet {person.number}", Setting(lender, BANK, town.epoch, town.trust)

        def look() -> Looking:
            found = yield from looking(setting, store, wall_clock)
            return found.source.raw + found.terms.encode()

        def make(terms: bytes, draw: Draw) -> ProvedWallet:
            bank = VerifyingKey(terms[:32])
            return ProvedWallet(name, ProvedTerms.decode(terms[32:]), BANK, [bank], draw=draw)

        return PatientWallet(name, store, make, lender, clock=wall_clock, looking=look)

    def layout(self, town: Town) -> Layout:
        """See :class:`~blindscore_app.town.parts.blind.OneBank`."""
        return terms_of(town, town.public["lender"]).layout


def terms_of(town: Town, lender: str) -> ProvedTerms:
    """Return a lender's published terms, as its own folder's neighbours may read them; wallets take the log's."""
    return ProvedTerms.decode(bytes.fromhex(town.public["terms"][lender]))
