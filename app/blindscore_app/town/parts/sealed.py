"""``sealed`` and ``one-show`` in a town: sources, lenders, log and witnesses; for a perk, office and gate."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from Crypto.PublicKey import RSA

from blindscore.errors import DataError
from blindscore.parties.party import Party, wall_clock
from blindscore.parties.sqlite_store import SqliteStore
from blindscore.parties.store import Store, close_store
from blindscore_app.town.folders import GATE, OFFICE, PERK_STORE, TOKEN_KEY, folder_of
from blindscore_app.town.lines import Lines
from blindscore_app.town.secret_files import load_secret
from blindscore_crypto.channel.signatures import SigningKey
from blindscore_crypto.layout import Layout
from blindscore_crypto.sealed.blind.acl import AclSigner
from blindscore_crypto.sealed.blind.blind_rsa import BlindSigner
from blindscore_crypto.sealed.groups.group import decode_scalar
from blindscore_crypto.sealed.groups.ristretto import group_named
from blindscore_crypto.sealed.log.entries import Entry, Kind, Member
from blindscore_crypto.sealed.offer import NO_CHANNEL
from blindscore_crypto.sealed.parties.gate import Gate
from blindscore_crypto.sealed.parties.lender import Lender
from blindscore_crypto.sealed.parties.log import LogKeeper, Witness, keep
from blindscore_crypto.sealed.parties.office import Office
from blindscore_crypto.sealed.parties.rider import Rider
from blindscore_crypto.sealed.parties.source import Source, customer_name
from blindscore_crypto.sealed.parties.wallet import Setting, Wallet
from blindscore_crypto.sealed.perks.token_key import RSA_BITS, TokenKey
from blindscore_crypto.sealed.perks.tokens import Challenge, RsaIssuer
from blindscore_crypto.sealed.terms import EpochKey, Terms

if TYPE_CHECKING:
    from blindscore.parties.cast import Cast
    from blindscore_app.town.auditor.books import Finding
    from blindscore_app.town.parts.site import Founded, Site
    from blindscore_app.town.standing import Person, Town

PERK = "perk"  # purpose of the office's terms


class Sealed:
    """See :class:`~blindscore_app.town.parts.Part`."""

    perks = True
    banks = 2
    closed = ("witness",)
    several = ("lender",)
    coverable = True

    def found(self, site: Site) -> Founded:
        """See :class:`~blindscore_app.town.parts.Part`."""
        from blindscore_app.town.parts.site import Founded, named
        from blindscore_crypto.sealed.parties.cast import REGISTRAR, cast

        made = cast(
            site.card,
            site.threshold,
            site.people,
            site.store_of,
            blind=site.design == "one-show",
            group=group_named(site.group),
            secrets=site.kept,
            clock=site.clock,
        )
        first = next(party for party in made.institutions if isinstance(party, Lender))
        more, entries, registrar = [], [], site.kept.keys[REGISTRAR]
        for name, points in list(site.thresholds().items())[1:]:
            key = site.kept.signing_key(name)
            terms = replace(first.terms, lender=name, lender_key=key.public, threshold=points)
            more.append(Lender(terms, key, site.store_of(name)))
            entries += _logged(registrar, key, name, "lender", terms)
        lenders, others = [first, *more], list[Party](more)
        perk: dict[str, str] = {}
        if site.perk:
            office, gate, logged, perk = _perk(site, first.terms, registrar)
            others, entries = [*others, office, gate], entries + logged
        if entries:
            _publish(made, entries)
        sources = [party.name for party in made.institutions if isinstance(party, Source)]
        for party in made.institutions:
            if isinstance(party, Source):
                path = folder_of(site.town, party.name) / "layout.json"
                path.write_bytes(party.signatory.layout.encode())
        epoch, behind = first.terms.epoch, (*site.lenders, "log", *((OFFICE, GATE) if perk else ()))
        public = {
            "epoch": [epoch.number, epoch.last_day],
            "perk": perk,
            "terms": {lender.name: lender.terms.encode().hex() for lender in lenders},
        }
        parties = named([*made.institutions, *others])
        return Founded(parties, behind, sources, public, lambda entries: _publish(made, entries))

    def party(self, town: Town, name: str, passphrase: bytes, store: Store) -> Party:
        """See :class:`~blindscore_app.town.parts.Part`."""
        role, folder = town.roles[name], folder_of(town.folder, name)
        if role == "gate":
            return Gate(name, challenge(town), [TokenKey.decode(bytes.fromhex(town.public["perk"]["key"]))], store)
        key = SigningKey.load(folder / "signing.pem", passphrase)
        if role in ("lender", "office"):
            wait, own = int(town.public["delay_s"]), town.channel(name)
            terms = terms_of(town, name)
            desk = Lender(terms, key, store, delay_s=wait, role=role, channel_of=lambda _: own, share=town.share)
            if role == "lender":
                return desk
            secret = RSA.import_key(load_secret(folder / TOKEN_KEY, passphrase))
            return Office(desk, RsaIssuer(terms.threshold, terms.epoch, BlindSigner(secret)))
        layout = Layout.decode((folder / "layout.json").read_bytes())
        blind = None
        if (folder / "blind.key").exists():
            scalar = decode_scalar(town.group, load_secret(folder / "blind.key", passphrase))
            blind = AclSigner(town.group, EpochKey.context(layout.fingerprint, town.epoch), scalar)
        return Source(name, layout, key, town.epoch, store, group=town.group, blind=blind)

    def wallet(self, town: Town, person: Person, lender: str, store: Store, lines: Lines | None, batch: int) -> Wallet:
        """See :class:`~blindscore_app.town.parts.Part`."""
        setting = Setting(lender, town.epoch, town.trust, batch=batch)
        name, channel_to = f"wallet {person.number}", unbound if lines is None else lines.channel_to
        wallet = Wallet(name, person.legal_id, setting, store, clock=wall_clock, channel_to=channel_to)
        if lender != town.public["lender"]:
            _share_secret(town, person, wallet)
        return wallet

    def names_at_source(self, town: Town, legal_id: str) -> tuple[bytes, ...]:
        """See :class:`~blindscore_app.town.parts.Part`."""
        return legal_id.encode(), customer_name(town.epoch, legal_id)

    def audit(self, town: Town) -> list[Finding]:
        """See :class:`~blindscore_app.town.parts.Part`."""
        from blindscore_app.town.auditor.of_town import audit_sealed_town

        return audit_sealed_town(town)

    def features(self, town: Town) -> list[str]:
        """See :class:`~blindscore_app.town.parts.Part`."""
        return terms_of(town, town.public["lender"]).card.features


def unbound(to: str) -> bytes:
    """Return the channel to an institution where nothing is said on any line."""
    return NO_CHANNEL


def terms_of(town: Town, name: str) -> Terms:
    """Return the published terms of a lender, or of a perk's office."""
    return Terms.decode(bytes.fromhex(town.public["perk"]["terms"] if name == OFFICE else town.public["terms"][name]))


def challenge(town: Town) -> Challenge:
    """Return what the perk's gate asks for."""
    return Challenge(town.public["perk"]["issuer"], town.public["perk"]["origin"])


def rider_of(town: Town, number: int) -> tuple[Rider, Lines]:
    """Return what takes a person to the perk, with a store of its own, and the lines on which it speaks.

    Raises
    ------
    DataError
        The town has no perk.
    """
    if not town.public.get("perk"):
        raise DataError(f"the town in {town.folder} was founded without a perk; found one with: town up --perk")
    person = town.person(number)
    perk = terms_of(town, OFFICE)
    setting = Setting(OFFICE, town.epoch, town.trust, purpose=perk.purpose, batch=1)
    store = SqliteStore(person.folder / PERK_STORE)
    lines = town.lines(person, Lines, town.addresses(), store)
    name, channel_to = f"rider {number}", lines.channel_to
    wallet = Wallet(name, person.legal_id, setting, store, clock=wall_clock, channel_to=channel_to)
    _share_secret(town, person, wallet)
    return Rider(wallet, GATE, challenge(town)), lines


def _share_secret(town: Town, person: Person, wallet: Wallet) -> None:
    """Let a wallet hold the secret of this person's first one: a source signs for one alone."""
    first, lines = town.wallet(person.number)
    wallet.take_secret(first.secret(town.group), town.group)
    lines.close()
    close_store(first.store)


def _logged(registrar: SigningKey, key: SigningKey, name: str, role: str, terms: Terms) -> list[Entry]:
    member = Member(name, role, key.public)
    return [Entry.sign(Kind.MEMBER, registrar, member.encode()), Entry.sign(Kind.TERMS, key, terms.encode())]


def _publish(made: Cast, entries: list[Entry]) -> None:
    keeper = next(party for party in made.institutions if isinstance(party, LogKeeper))
    keep(keeper, [party for party in made.institutions if isinstance(party, Witness)], entries)


def _perk(site: Site, terms: Terms, registrar: SigningKey) -> tuple[Office, Gate, list[Entry], dict[str, str]]:
    """Make an office and a gate; return them, what is logged of them, and what else is published."""
    key = site.kept.signing_key(OFFICE)
    perk = replace(terms, lender=OFFICE, lender_key=key.public, purpose=PERK, threshold=site.perk)
    secret = RSA.generate(RSA_BITS)
    issuer = RsaIssuer(site.perk, terms.epoch, BlindSigner(secret))
    site.kept.save(OFFICE, TOKEN_KEY, secret.export_key("DER"))
    asked = Challenge(issuer="perks.example", origin="gate.example")
    office = Office(Lender(perk, key, site.store_of(OFFICE), role="office"), issuer)
    gate = Gate(GATE, asked, [issuer.key], site.store_of(GATE))
    entries = _logged(registrar, key, OFFICE, "office", perk)
    entries.append(Entry.sign(Kind.TOKEN_KEY, key, issuer.key.encode()))
    told = {"terms": perk.encode().hex(), "key": issuer.key.encode().hex()}
    return office, gate, entries, told | {"issuer": asked.issuer, "origin": asked.origin}
