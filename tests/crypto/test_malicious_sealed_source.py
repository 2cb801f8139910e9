"""Cheats of sources and of log keepers, each beside its accepted twin."""

from __future__ import annotations

from dataclasses import replace

import pytest

from blindscore.errors import ForgeryError
from blindscore.parties.message import Message
from blindscore.parties.observe import joined, observe
from blindscore.parties.store import MemoryStore
from blindscore_crypto.channel.signatures import SigningKey
from blindscore_crypto.sealed.groups.group import P256_GROUP
from blindscore_crypto.sealed.holder import secret_base
from blindscore_crypto.sealed.log.entries import Entry, Kind, Member, name_key
from blindscore_crypto.sealed.log.head import Head
from blindscore_crypto.sealed.log.lookup import Watcher
from blindscore_crypto.sealed.log.monitor import main, watch
from blindscore_crypto.sealed.parties.log import ENTRIES, LogKeeper, Witness
from blindscore_crypto.sealed.parties.source import Source, epoch_signer
from blindscore_crypto.sealed.terms import Epoch
from tests.crypto.sealed_world import EPOCH, KEYS, RECORDS, World, follow


class Crooked:
    """A source that changes what it sends."""

    role = "source"

    def __init__(self, source: Source, change) -> None:
        self._source, self._change = source, change
        self.name, self.store = source.name, source.store

    def handle(self, message: Message) -> list[Message]:
        return [replace(m, **self._change(m)) for m in self._source.handle(message)]


def fetched(world: World, change=lambda m: {}):
    """A wallet that fetched from a crooked bank."""
    keeper, witnesses = world.published()
    bank, bureau = world.sources
    from blindscore.parties.table import Table

    table = Table(
        [Crooked(bank, change), bureau, world.lender, keeper, *witnesses],
        {("wallet", "source"): "legal id"},
        world.clock,
    )
    world.enrol("ada", RECORDS["good"])
    wallet = world.new_wallet()
    table.seat(wallet)
    table.play(0, wallet.name, "apply", legal_id="ada")
    return wallet


@pytest.mark.parametrize("blind", [False, True], ids=["sealed", "one-show"])
def test_whatever_a_source_changes_the_wallet_keeps_nothing_that_is_wrong(blind):
    assert fetched(World(blind=blind)).verdict() is True
    kinds = ("openings", "closings") if blind else ("issued",)
    for kind in kinds:
        for at in (0, 1, 40, -1):

            def change(message, kind=kind, at=at):
                if message.kind != kind:
                    return {}
                body = bytearray(message.body)
                body[at] ^= 1
                return {"body": bytes(body)}

            wallet = fetched(World(blind=blind), change)
            if wallet.verdict() is None:
                assert wallet.troubles()
            else:  # the changed byte of an opening was a stated bin: the wallet holds what was signed, or nothing
                assert kind == "openings"
        for body in (b"", b"\x07" * 3):
            wallet = fetched(World(blind=blind), lambda m, b=body, k=kind: {"body": b} if m.kind == k else {})
            assert (wallet.verdict(), len(wallet.troubles())) == (None, 1)
    wallet = fetched(World(blind=blind), lambda m: {"kind": "refused", "body": b""})
    assert "refuses to sign" in wallet.troubles()[0]
    wallet = fetched(World(blind=blind), lambda m: {"kind": "gift"})
    assert "answers with 'gift'" in wallet.troubles()[0]


def test_dates_of_a_persons_own_would_mark_it_and_are_refused():
    world = World()
    other = Source("bank", world.sources[0].signatory.layout, world.source_keys[0], Epoch(202611, EPOCH.last_day - 1),
                   MemoryStore(), clock=world.clock)  # fmt: skip
    world.sources[0] = other
    wallet = world.apply("ada", "good")
    assert wallet.verdict() is None
    assert any("mark its holder" in why for why in wallet.troubles())


def test_a_blind_key_of_a_persons_own_is_not_signed_under():
    """Tracking by key: the source signs under a second key of this epoch; the wallet blinds under the logged one."""
    world = World(blind=True)
    bank, key = world.sources[0], world.source_keys[0]
    layout = bank.signatory.layout
    marked = Source("bank", layout, key, EPOCH, bank.store, clock=world.clock,
                    blind=epoch_signer(world.group, layout, EPOCH))  # fmt: skip
    entries, world.sources[0] = world.entries(), marked
    world.entries = lambda: entries
    wallet = world.apply("ada", "good")
    assert wallet.verdict() is None
    assert any("does not make a signature" in why for why in wallet.troubles())


def test_lender_and_source_find_each_other_in_sealed_and_not_in_one_show():
    """The link of lender and source: all approved people against none; K and N do not join either."""
    for blind, expected in ((False, {0}), (True, set())):
        world = World(blind=blind)
        table = world.table()
        for person, (who, record) in enumerate((("ada", "good"), ("bob", "poor"))):
            world.enrol(who, RECORDS[record])
            wallet = world.new_wallet(who)
            table.seat(wallet)
            table.play(person, wallet.name, "apply", legal_id=who)
        seen = observe(table)
        assert joined(seen["lender"], seen["source"]) == expected
        customers = [row["public"] for source in world.sources for _, row in source.store.items("customers")]
        assert len(customers) == 4
        spent = {key for key, _ in world.lender.store.items("spent")}
        assert not spent & set(customers)


def test_the_same_secret_at_two_lenders_gives_nullifiers_that_are_not_comparable():
    """Decisional Diffie-Hellman says why; here: no bytes recur, and K is neither of them."""
    from blindscore_crypto.sealed.holder import scope

    group, k = P256_GROUP, 31337
    shown = [group.encode(group.mul(k, scope(group, SigningKey().public, 1))) for _ in range(2)]
    shown.append(group.encode(group.mul(k, secret_base(group))))
    assert len({s[i : i + 16] for s in shown for i in range(1, len(s) - 15)}) == 3 * (65 - 16)


# The log's keeper


def look(keeper, watcher, world, names=("Harbour Bank",)):
    keys = [name_key(name) for name in names]
    (found,) = keeper.handle(Message("log", "lookup", watcher.ask(keys), "line"))
    return watcher.read(keys, found.body, world.clock())


def test_a_log_split_for_one_reader_finds_no_witnesses():
    world = World()
    keeper, witnesses = world.published()
    watcher = Watcher(world.trust, MemoryStore())
    assert look(keeper, watcher, world)[0] is not None
    bent = replace(world.terms, threshold=700)
    fork = LogKeeper(KEYS.log, KEYS.registrar.public, MemoryStore(), [w.name for w in witnesses], world.clock)
    for entry in world.entries()[:-1]:
        fork.append(entry)
    fork.append(Entry.sign(Kind.TERMS, world.key, bent.encode()).encode())
    follow(fork, witnesses)
    assert fork.head().cosigned == ()
    with pytest.raises(ForgeryError, match="0 witnesses"):
        look(fork, Watcher(world.trust, MemoryStore()), world)
    # Even with the witnesses' help it would not extend what this reader saw.
    head = fork.head()
    fork._head = replace(head, cosigned=tuple((k.public.id, head.cosign(k)) for k in KEYS.witnesses))
    with pytest.raises(ForgeryError, match="convict"):
        look(fork, watcher, world)
    assert look(fork, Watcher(world.trust, MemoryStore()), world)[0] is not None  # the limit: k witnesses that help


def test_a_map_that_differs_from_the_list_is_not_cosigned():
    world = World()
    keeper, witnesses = world.published()
    good = keeper.refresh()[0]
    (cosigned,) = witnesses[0].handle(replace(good, sender="log"))
    assert cosigned.kind == "cosigned"
    book = keeper.book
    for head in (
        Head.sign(KEYS.log, len(book.tree), book.tree.root(), bytes(32), int(world.clock())),
        Head.sign(KEYS.log, len(book.tree), bytes(32), book.map.root, int(world.clock())),
        Head.sign(KEYS.log, len(book.tree), book.tree.root(), book.map.root, int(world.clock()) + 10**6),
        Head.sign(SigningKey(), len(book.tree), book.tree.root(), book.map.root, int(world.clock())),
    ):
        keeper._head = head
        (refused,) = witnesses[0].handle(replace(keeper._extend("witness 0"), sender="log"))
        assert refused.kind == "refused"


def test_a_keeper_that_admits_what_the_rules_forbid_loses_its_witnesses():
    world = World()
    keeper, witnesses = world.published()
    stranger = SigningKey()
    forged = Entry.sign(Kind.MEMBER, stranger, Member("Quay Bank", "lender", stranger.public).encode()).encode()
    keeper.book.entries.append(forged)
    keeper.book.tree.append(forged)
    keeper.book.map.insert(name_key("Quay Bank"), bytes(32))
    follow(keeper, witnesses)
    assert keeper.head().cosigned == ()
    with pytest.raises(ForgeryError, match="witnesses"):
        look(keeper, Watcher(world.trust, MemoryStore()), world)


def test_a_lookup_is_answered_whole_or_refused():
    world = World()
    keeper, witnesses = world.published()
    for kind, body in (
        ("lookup", b""),
        ("lookup", bytes(8) + b"\x41" + bytes(65 * 32)),
        ("sing", b""),
        ("cosigned", b""),
    ):
        (refused,) = keeper.handle(Message("log", kind, body, "line"))
        assert refused.kind == "refused"
    (refused,) = witnesses[0].handle(Message("witness 0", "extend", b"\x07" * 50, "log"))
    assert refused.kind == "refused"
    fresh = Witness("w", SigningKey(), KEYS.log.public, KEYS.registrar.public, MemoryStore(), world.clock)
    assert fresh.handle(Message("w", "sing", b"", "log"))[0].kind == "refused"


# The monitor


def test_the_monitor_alarms_on_what_the_rules_forbid_and_on_siblings():
    world = World()
    entries = world.entries()
    assert watch(entries, KEYS.registrar.public) == []
    bent = Entry.sign(Kind.TERMS, world.key, replace(world.terms, threshold=700).encode()).encode()
    key = SigningKey()
    sibling = [
        Entry.sign(Kind.MEMBER, KEYS.registrar, Member("Sibling", "lender", key.public).encode()).encode(),
        Entry.sign(
            Kind.TERMS, key, replace(world.terms, lender="Sibling", lender_key=key.public, threshold=700).encode()
        ).encode(),
    ]
    later = replace(world.terms, epoch=Epoch(202612, EPOCH.last_day + 30), threshold=650)
    moved = Entry.sign(Kind.TERMS, world.key, later.encode()).encode()
    alarms = watch([*entries, bent, *sibling, moved, b"noise"], KEYS.registrar.public)
    what = [alarm.what for alarm in alarms]
    assert [alarm.index - len(entries) for alarm in alarms] == [0, 2, 3, 4]
    for part, text in zip(("another terms", "siblings may ask twice", "changed card or threshold", "log entry"), what):
        assert part in text


def test_the_monitor_is_a_command(tmp_path, capsys):
    from blindscore.parties.sqlite_store import SqliteStore

    world = World(blind=True)
    store = SqliteStore(tmp_path / "log.db")
    keeper = LogKeeper(KEYS.log, KEYS.registrar.public, store, (), world.clock)
    for entry in world.entries():
        keeper.append(entry)
    KEYS.registrar.public.save(tmp_path / "registrar.pub")
    command = [str(tmp_path / "log.db"), str(tmp_path / "registrar.pub")]
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "terms of 'Harbour Bank' for 'loan', epoch 202611: from 640 points under card" in said
    assert "ALARM" not in said
    bent = Entry.sign(Kind.TERMS, world.key, replace(world.terms, threshold=700).encode()).encode()
    store.insert_once(ENTRIES.name, (99).to_bytes(8, "big"), {"entry": bent})
    store.insert_once(ENTRIES.name, (100).to_bytes(8, "big"), {"entry": b"noise"})
    store.close()
    assert main(command) == 1
    assert capsys.readouterr().out.count("ALARM") == 2
    assert main([str(tmp_path / "nowhere.db"), command[1]]) == 2
    assert "there is no such file" in capsys.readouterr().err
