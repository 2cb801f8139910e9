"""A town of real processes over TLS: it decides as the clear card does, orders find what is there, nothing is lost."""

from __future__ import annotations

import json
import os

import pytest

from blindscore.errors import DataError, ParameterError
from blindscore_app.town.board import EXPERIMENT, prepare, serve_order
from blindscore_app.town.folders import WALLETS, folder_of
from blindscore_app.town.order import memory, seize
from blindscore_app.town.playing import tell
from blindscore_app.town.running import running, town_of
from blindscore_app.town.secret_files import load_secret, save_secret
from blindscore_crypto.layout import Layout

PEOPLE = 3


@pytest.fixture(scope="module", params=["one-show"])
def played(request, tmp_path_factory):
    """Everybody fetches; the lender is killed and comes back; everybody applies; a bank is killed; all is collected."""
    folder = tmp_path_factory.mktemp("town") / "a"
    town, passphrase, decisions = prepare(folder, request.param, PEOPLE, 3, history=500, delay_s=1, banks=2)
    known = json.loads((folder / EXPERIMENT).read_text("utf-8"))
    dumps = {}
    with running(town, passphrase) as up:
        wallets = [town.wallet(number) for number in range(PEOPLE)]
        for wallet, lines in wallets:
            tell(wallet, lines, "learn")
        up.kill("lender")
        up.start("lender")
        up.await_up("lender")
        for wallet, lines in wallets:
            tell(wallet, lines, "apply")
        up.kill("lender")  # after the answers were noted, before they were decided
        up.start("lender")
        up.await_up("lender")
        for wallet, lines in wallets:
            for _ in range(40):
                tell(wallet, lines, "collect")
                if wallet.verdict() is not None:
                    break
        if os.geteuid() == 0:
            dumps = {name: memory(up.processes[name].pid, known) for name in ("lender", "bank", "relay")}
        verdicts = [wallet.verdict() for wallet, _ in wallets]
        troubles = [wallet.troubles() for wallet, _ in wallets]
        for wallet, lines in wallets:
            lines.close()
            wallet.store.close()
    return folder, town, decisions, known, verdicts, troubles, dumps


def test_everybody_is_answered_as_the_clear_card_says_though_the_lender_was_killed_twice(played):
    _, _, decisions, _, verdicts, troubles, _ = played
    assert verdicts == decisions.tolist()
    assert troubles == [[]] * PEOPLE


def test_an_order_finds_nobody_at_the_lender_and_everybody_at_the_bank(played):
    folder, town, _, known, _, _, _ = played
    at_lender = seize(folder_of(folder, "lender"), known)
    assert sum(one.decisions for one in at_lender) == PEOPLE
    assert {one.named for one in at_lender} == {0}
    assert {one.read for one in at_lender} == {0}
    at_relay = seize(folder_of(folder, "relay"), known)
    assert {(one.named, one.read, one.decisions) for one in at_relay} == {(0, 0, 0)}
    at_bank = {one.place: one for one in seize(folder_of(folder, "bank"), known)}
    assert at_bank["table records"].named == PEOPLE
    assert at_bank["table records"].read == PEOPLE
    at_second = {one.place: one for one in seize(folder_of(folder, "bank-2"), known)}
    assert at_second["table records"].named == PEOPLE
    assert max(one.named for one in seize(folder / WALLETS, known)) == 1  # each person's own, one at a time
    assert set(town.roles.values()) == {"source", "lender", "log", "witness", "relay"}


def test_each_of_two_banks_holds_its_part_alone(played):
    folder = played[0]
    held = {
        name: set(Layout.decode((folder_of(folder, name) / "layout.json").read_bytes()).features)
        for name in ("bank", "bank-2", "bureau")
    }
    assert held["bank-2"] == {"savings"}
    assert "income" in held["bank"]
    assert not held["bank"] & held["bank-2"]
    assert not held["bureau"] & (held["bank"] | held["bank-2"])


def test_the_memory_of_the_banks_process_holds_its_customers_and_lenders_and_relays_nobody(played):
    dumps = played[-1]
    if not dumps:
        pytest.skip("reading another process's memory needs root")
    assert dumps["bank"].named == PEOPLE  # the control: what is there is found
    for name in ("lender", "relay"):
        assert (dumps[name].named, dumps[name].read) == (0, 0)


def test_logs_name_nobody_and_hold_no_passphrase(played):
    folder, town, _, known, _, _, _ = played
    for name in town.roles:
        log = (folder_of(folder, name) / "service.log").read_text("utf-8")
        assert not any(legal_id in log for legal_id in known)
    assert '"status": 200' in (folder_of(folder, "lender") / "service.log").read_text("utf-8")


def test_orders_on_nobody_and_towns_that_are_none_are_refused(played, tmp_path):
    folder = played[0]
    with pytest.raises(ParameterError, match="no party of this town is called 'mayor'"):
        serve_order(folder, "mayor", "", as_json=True)
    with pytest.raises(ParameterError, match="nobody in this town"):
        serve_order(folder, "lender", "x", as_json=True)
    with pytest.raises(DataError, match="no town lies here"):
        town_of(tmp_path)
    with pytest.raises(ParameterError, match="a town of encrypted has 1 bank, not 2"):
        prepare(tmp_path / "c", "encrypted", 2, 1, history=500, banks=2)
    with pytest.raises(ParameterError, match="a town of sealed has 1 or 2 banks, not 3"):
        prepare(tmp_path / "c", "sealed", 2, 1, history=500, banks=3)
    with pytest.raises(ParameterError, match="a town plays sealed, one-show, encrypted"):
        prepare(tmp_path / "b", "platform", 2, 1)


def test_a_secret_opens_under_its_passphrase_alone(tmp_path):
    save_secret(tmp_path / "k", b"secret", b"passphrase")
    assert load_secret(tmp_path / "k", b"passphrase") == b"secret"
    with pytest.raises(DataError, match="passphrase is wrong"):
        load_secret(tmp_path / "k", b"passphrasf")
    raw = bytearray((tmp_path / "k").read_bytes())
    raw[-1] ^= 1
    (tmp_path / "k").write_bytes(raw)
    with pytest.raises(DataError, match="does not open"):
        load_secret(tmp_path / "k", b"passphrase")
    (tmp_path / "k").write_bytes(b"no secret")
    with pytest.raises(DataError, match="no secret of a town"):
        load_secret(tmp_path / "k", b"passphrase")
