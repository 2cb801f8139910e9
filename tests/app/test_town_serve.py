"""``blindscore serve --share``: a lender that is two processes over one database."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time

import pytest
from typer.testing import CliRunner

from blindscore.parties.store import close_store
from blindscore_app.cli import app
from blindscore_app.commands.serve import PASSPHRASE
from blindscore_app.town import board
from blindscore_app.town.playing import tell
from blindscore_app.town.running import first_line, publish, running

PEOPLE, WAIT_S = 4, 120.0


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    town, passphrase, _ = board.prepare(
        tmp_path_factory.mktemp("town") / "a", "sealed", PEOPLE, 3, history=500, delay_s=1
    )
    return town, passphrase


@contextlib.contextmanager
def lenders(town, passphrase, shares):
    """The lender's processes, by share, and where each listens."""
    command = [sys.executable, "-m", "blindscore_app.cli", "serve", "lender", "--town", str(town.folder), "--share"]
    environment = {**os.environ, PASSPHRASE: passphrase, "OMP_NUM_THREADS": "1"}
    more = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True, "env": environment}
    every = [subprocess.Popen([*command, share], **more) for share in shares]
    try:
        yield ["https://127.0.0.1:" + first_line(one).removeprefix("listening ") for one in every]
    finally:
        for one in every:
            one.terminate()
            one.wait()
            one.stdout.close()


def test_who_asks_one_process_of_a_lender_is_answered_by_the_other(prepared):
    town, passphrase = prepared
    with running(town, passphrase) as up:
        up.kill("lender")
        others = {name: f"https://127.0.0.1:{port}" for name, port in up.ports.items()}
        with lenders(town, passphrase, ("1/2", "2/2")) as addresses:
            wallets = []
            publish(town, {**others, "lender": addresses[0]})
            for person in range(PEOPLE):
                wallet, lines = town.wallet(person)
                for command in ("learn", "apply"):
                    tell(wallet, lines, command)
                wallets.append((wallet, lines))
            publish(town, {**others, "lender": addresses[1]})
            for wallet, lines in wallets:
                board.collect(wallet, wallet, lines, time.monotonic() + WAIT_S)
                assert wallet.verdict() is not None
                assert wallet.troubles() == []
                lines.close()
                close_store(wallet.store)


@pytest.mark.parametrize("share", ["3/2", "0/2", "2", "1/65", "a/b"])
def test_a_share_that_is_none_is_refused_in_a_sentence(prepared, share):
    town, passphrase = prepared
    refused = CliRunner().invoke(
        app, ["serve", "lender", "--town", str(town.folder), "--share", share], env={PASSPHRASE: passphrase}
    )
    assert refused.exit_code != 0
    assert f"--share is K/N, as 1/2 for the first of two processes, and N at most 64; got {share}" in str(
        refused.exception or refused.output
    )


def test_whoever_is_one_process_is_not_served_by_two(prepared):
    town, passphrase = prepared
    refused = CliRunner().invoke(
        app, ["serve", "bank", "--town", str(town.folder), "--share", "1/2"], env={PASSPHRASE: passphrase}
    )
    assert refused.exit_code != 0
    assert "bank is one process" in str(refused.exception or refused.output)
