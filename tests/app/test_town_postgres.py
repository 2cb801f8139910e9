"""The store in PostgreSQL keeps to the same contract, on a real server that the test starts and ends."""

from __future__ import annotations

import glob
import os
import shutil
import subprocess

import pytest

from blindscore.errors import DataError, ParameterError
from blindscore.parties.store import Field, TableSpec
from tests.store_contract import ASKED, SPENT, StoreContract

BINARIES = sorted(glob.glob("/usr/lib/postgresql/*/bin"))


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """A server of its own folder, reached by its socket alone; root cannot run one, so "nobody" does."""
    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install 'blindscore[town]'")
    if not BINARIES:
        pytest.skip("no PostgreSQL server on this machine: install Debian's package postgresql")
    folder = tmp_path_factory.mktemp("postgres", numbered=True)
    root = os.geteuid() == 0
    user = "nobody" if root else None
    if root:
        for parent in [folder, *folder.parents[:3]]:
            parent.chmod(parent.stat().st_mode | 0o055)
        shutil.chown(folder, "nobody")
    data, run = folder / "data", {"user": user, "capture_output": True, "text": True, "check": True, "cwd": "/"}
    binary = BINARIES[-1]
    subprocess.run([f"{binary}/initdb", "-D", data, "-A", "trust", "-U", "blindscore", "--no-sync"], **run)
    options = f"-c listen_addresses='' -c unix_socket_directories={folder}"
    subprocess.run(
        [f"{binary}/pg_ctl", "-D", data, "-o", options, "-l", folder / "log", "-w", "start"],
        **{**run, "capture_output": False, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL},
    )
    yield f"host={folder} user=blindscore dbname=postgres"
    subprocess.run([f"{binary}/pg_ctl", "-D", data, "-m", "immediate", "stop"], **run)


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


def test_keys_spread_over_the_shards(server):
    import psycopg

    from blindscore_app.town.postgres_store import SHARDS, PostgresStore

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
