"""The store in PostgreSQL keeps to the same contract, on a real server that the test starts and ends."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest

from blindscore.errors import DataError, ForgeryError, ParameterError
from blindscore.parties.sqlite_store import SqliteStore
from blindscore.parties.store import Field, TableSpec
from blindscore_app.town import board
from blindscore_app.town.board import EXPERIMENT, serve_order
from blindscore_app.town.folders import PUBLIC, STORE, WALLETS, folder_of, schema_of
from tests.postgres_server import Server
from tests.store_contract import ASKED, SPENT, StoreContract
from tests.town_table import AtATable

CRASHED = {"sealed": 136, "encrypted-decision": 121}  # seeds of sequences in which databases restart several times


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """How libpq reaches a server of the tests' own."""
    made = Server(tmp_path_factory.mktemp("postgres", numbered=True))
    yield made.conninfo
    made.crash()


class TestPostgres(StoreContract):
    @pytest.fixture
    def store(self, server, request):
        from blindscore_app.town.postgres_store import PostgresStore

        kept = PostgresStore(server, request.node.name[:60], SPENT, ASKED)
        yield kept
        kept.close()


def test_fields_that_are_new_are_added_and_other_ones_refused(server):
    from blindscore_app.town.postgres_store import PostgresStore

    first = PostgresStore(server, "moving", SPENT)
    first.put("spent", b"k", {"by": b"x"})
    first.close()
    wider = TableSpec("spent", SPENT.key, (*SPENT.fields, Field("when", "own")), keep_days=2)
    again = PostgresStore(server, "moving", wider)
    assert again.get("spent", b"k") == {"by": b"x", "when": None}
    again.put("spent", b"k", {"by": b"x", "when": 7})
    assert again.get("spent", b"k") == {"by": b"x", "when": 7}
    again.close()
    with pytest.raises(ParameterError, match="made with other fields"):
        PostgresStore(server, "moving", TableSpec("spent", SPENT.key, (Field("whom", "own"),)))


def test_storms_over_postgresql_break_nothing_and_leave_no_schema(server):
    import psycopg

    from blindscore_app.town.storm.campaign import ON_DISK, campaign

    seen = campaign([ON_DISK - 1], database=server)  # seed 10: encrypted-audited; on disk, every eleventh
    assert not seen.broken, seen.text()
    assert seen.sequences == 1
    with psycopg.connect(server) as connection:
        left = connection.execute("SELECT schema_name FROM information_schema.schemata WHERE schema_name LIKE 'storm%'")
        assert left.fetchall() == []
    with pytest.raises(DataError, match="is not dropped"):
        campaign([ON_DISK - 1], database="host=/nowhere user=blindscore")


@pytest.fixture(scope="module")
def crashing(tmp_path_factory):
    """A server that may be ended at any time, and is up again at once."""
    made = Server(tmp_path_factory.mktemp("crashing", numbered=True))
    yield made
    made.crash()


@pytest.mark.parametrize("design", CRASHED)
def test_a_server_that_itself_crashes_loses_nothing_that_a_party_acknowledged(crashing, design, monkeypatch):
    """In the midst of a storm; parties are not started again, and connect anew."""
    from blindscore_app.town.storm.campaign import checks_remembered, play, village_of
    from blindscore_app.town.storm.on_disk import on_disk
    from blindscore_app.town.storm.weather import Weather

    ended = []

    def restart(weather):
        ended.append(len(weather.trail))
        crashing.crash()
        crashing.start()

    monkeypatch.setattr(Weather, "_restart_database", restart)
    with checks_remembered(), on_disk(crashing.conninfo) as make:
        broken, weather = play(village_of(design), CRASHED[design], make)
    assert broken == []
    assert len(ended) >= 2
    assert weather.decisions >= 1


def test_a_block_that_loses_its_connection_keeps_nothing_though_a_party_passes_it_over(server):
    """Before, what came after the error was kept alone: on a connection of its own, outside of the block."""
    import psycopg

    from blindscore_app.town.postgres_store import PostgresStore

    kept = PostgresStore(server, "lost", SPENT)
    kept.put("spent", b"old", {"by": b"0"})
    (own,) = kept._run("SELECT pg_backend_pid()").fetchone()

    def played():
        with kept.atomic():
            kept.put("spent", b"first", {"by": b"1"})
            with psycopg.connect(server) as other:
                other.execute("SELECT pg_terminate_backend(%s, 5000)", (own,))
            with suppress(DataError):  # as a party does that refuses what fails
                kept.get("spent", b"old")
            with suppress(DataError, psycopg.Error):
                kept.put("spent", b"last", {"by": b"2"})

    with pytest.raises(DataError, match="nothing was kept"):
        played()
    assert kept.items("spent") == [(b"old", {"by": b"0"})]
    kept.put("spent", b"next", {"by": b"3"})  # it has connected again
    assert kept.count("spent") == 2
    kept.close()


def test_what_follows_an_inner_block_that_failed_still_belongs_to_the_outer_one(server):
    from blindscore_app.town.postgres_store import PostgresStore

    kept = PostgresStore(server, "within", SPENT)

    def played():
        with kept.atomic():
            kept.put("spent", b"outer", {"by": b"1"})
            with suppress(DataError), kept.atomic():
                kept.put("spent", b"inner", {"by": b"2"})
                kept._run("SELECT 1 / 0")
            kept.put("spent", b"after", {"by": b"3"})
            if not ends_well:
                raise ForgeryError("refused after all")

    ends_well = False
    with pytest.raises(ForgeryError, match="after all"):
        played()
    assert kept.items("spent") == []
    ends_well = True
    played()
    assert [key for key, _ in kept.items("spent")] == [b"after", b"outer"]
    kept.close()


def test_keys_spread_over_the_shards(server):
    import psycopg

    from blindscore_app.town.postgres_store import PostgresStore
    from blindscore_app.town.postgres_values import SHARDS

    kept = PostgresStore(server, "spread", SPENT)
    for i in range(256):
        kept.put("spent", bytes([i]), {"by": b""})
    kept.close()
    with psycopg.connect(server) as connection:
        rows = connection.execute(
            "SELECT _shard, count(*) FROM spread.spent GROUP BY _shard ORDER BY _shard"
        ).fetchall()
    assert rows == [(shard, 256 // SHARDS) for shard in range(SHARDS)]


def test_a_server_that_is_not_there_is_said_in_one_line(server):
    from blindscore_app.town.postgres_store import PostgresStore

    with pytest.raises(DataError, match="PostgreSQL, schema x: nothing was kept"):
        PostgresStore("host=/nowhere dbname=x connect_timeout=2", "x", SPENT)


RECORDS = TableSpec("records", Field("legal id", "handle"), (Field("income", "feature"), Field("job", "feature")))
DECIDED = TableSpec("decided", Field("digest", "own"), (Field("approved", "decision"),), keep_days=40)
PEOPLE = {"ada-17": {"income": 1234.567890123}, "bob-18": {"income": 0.123456789}}


def keep(bank, lender):
    """What a source and a lender keep: one person's figures by name; two bits by nobody's."""
    bank.declare(RECORDS)
    bank.put("records", b"ada-17", {"income": PEOPLE["ada-17"]["income"], "job": None})
    lender.declare(DECIDED)
    lender.put("decided", b"\x01" * 32, {"approved": 1}, day=100)
    lender.put("decided", b"\xf2" * 32, {"approved": 0}, day=200)
    for store in (bank, lender):
        store.close()


@pytest.fixture(scope="module")
def towns(server, tmp_path_factory):
    """Two towns' folders with the same rows: one on files, and one on the server."""
    from blindscore_app.town.postgres_store import PostgresStore

    made = {}
    for kind in ("files", "server"):
        town = made[kind] = tmp_path_factory.mktemp(kind)
        for name in ("bank", "lender", PUBLIC, WALLETS):
            folder_of(town, name).mkdir()
        (town / PUBLIC / "town.json").write_text(json.dumps({"roles": {"bank": "source", "lender": "lender"}}))
        (town / EXPERIMENT).write_text(json.dumps(PEOPLE))
    keep(*(SqliteStore(folder_of(made["files"], name) / STORE) for name in ("bank", "lender")))
    keep(*(PostgresStore(server, schema_of(name)) for name in ("bank", "lender")))
    return made


@pytest.mark.parametrize("since", [0, 150])
@pytest.mark.parametrize("on", ["bank", "lender"])
def test_an_order_on_the_server_finds_what_one_on_files_does(server, towns, on, since):
    by_file = serve_order(towns["files"], on, since=since, as_json=True)
    by_server = serve_order(towns["server"], on, since=since, as_json=True, database=server)
    assert by_server == by_file
    told = {one.place: one for one in by_server}
    if on == "bank":
        assert (told["table records"].named, told["table records"].read) == (1, 1)
    else:
        assert told["table decided"].decisions == (1 if since else 2)
        assert (told["table decided"].named, told["table decided"].read) == (0, 0)


def test_an_order_that_misses_the_server_says_so(server, towns):
    with pytest.raises(DataError, match="say how to reach it: --database"):
        serve_order(towns["server"], "bank", as_json=True)
    with pytest.raises(DataError, match="cannot be read"):
        serve_order(towns["server"], "bank", as_json=True, database="host=/nowhere dbname=x connect_timeout=2")
    with pytest.raises(DataError, match="no tables of a party there"):
        serve_order(
            towns["server"],
            "bank",
            as_json=True,
            database=f"{server} options='-c search_path=x'".replace("dbname=postgres", "dbname=template1"),
        )


def test_an_encrypted_town_on_the_server_decides_and_exposes_what_one_on_files_does(crashing, tmp_path):
    found = {}
    for kind, database in (("files", ""), ("server", crashing.new_database("town"))):
        town, passphrase, clear = board.prepare(
            tmp_path / kind, "encrypted-decision", 2, 3, history=500, delay_s=0, database=database
        )
        seated = AtATable(town, passphrase)
        told = [seated.apply(number) for number in range(2)]
        seated.close()
        assert [decision for decision, *_ in told] == [bool(one) for one in clear]
        assert [troubles for *_, troubles in told] == [[], []]
        for name in ("bank", "lender", "helper"):
            rows = serve_order(tmp_path / kind, name, as_json=True, database=database)
            tables = (one for one in rows if one.place.startswith("table "))
            found[kind, name] = {(o.place, o.named, o.read, o.totals, o.decisions) for o in tables}
    for name in ("bank", "lender", "helper"):
        assert found["server", name] == found["files", name]
    assert ("table records", 2, 2, 0, 0) in found["server", "bank"]
    assert {told[1:] for told in found["server", "helper"]} == {(0, 0, 0, 0)}
    assert sum(decisions for *_, decisions in found["server", "lender"]) == 2
