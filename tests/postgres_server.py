"""A PostgreSQL server for tests: of its own folder, reached by its socket alone, which may crash and come up again."""

from __future__ import annotations

import glob
import os
import shutil
import subprocess

import pytest

BINARIES = sorted(glob.glob("/usr/lib/postgresql/*/bin"))


class Server:
    """Root cannot run one, so "nobody" does."""

    def __init__(self, folder):
        pytest.importorskip("psycopg", reason="psycopg is not installed: pip install 'blindscore[town]'")
        if not BINARIES:
            pytest.skip("no PostgreSQL server on this machine: install Debian's package postgresql")
        self.folder, self.data = folder, folder / "data"
        self.user = "nobody" if os.geteuid() == 0 else None
        if self.user:
            for parent in [folder, *folder.parents[:3]]:
                parent.chmod(parent.stat().st_mode | 0o055)
            shutil.chown(folder, self.user)
        self._run("initdb", "-D", self.data, "-A", "trust", "-U", "blindscore", "--no-sync")
        self.start()

    @property
    def conninfo(self):
        return self.database("postgres")

    def database(self, name):
        """How libpq reaches one of its databases."""
        return f"host={self.folder} user=blindscore dbname={name}"

    def new_database(self, name):
        """Make a database; return how libpq reaches it."""
        self._run("createdb", "-h", self.folder, "-U", "blindscore", name)
        return self.database(name)

    def start(self):
        options = f"-c listen_addresses='' -c unix_socket_directories={self.folder}"
        self._run("pg_ctl", "-D", self.data, "-o", options, "-l", self.folder / "log", "-w", "start")

    def crash(self):
        """End it at once: no connection is told, and nothing is written that was not written through."""
        self._run("pg_ctl", "-D", self.data, "-m", "immediate", "stop")

    def _run(self, program, *arguments):
        # A server that was started holds on to the pipes of who started it, so nothing is piped.
        subprocess.run(
            [f"{BINARIES[-1]}/{program}", *map(str, arguments)],
            user=self.user,
            cwd="/",
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
