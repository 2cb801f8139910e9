"""The keys that wallets seal to stand in the witnessed log: a town that gives one person another key is refused."""

from __future__ import annotations

import pytest

from blindscore.errors import DataError, ForgeryError
from blindscore.parties.store import MemoryStore, close_store
from blindscore_app.town.board import prepare
from blindscore_app.town.logged_keys import CHECKED, LoggedKeys
from blindscore_app.town.oblivious import Desk
from blindscore_app.town.playing import tell
from blindscore_app.town.running import running_here
from blindscore_app.town.standing import Town
from blindscore_crypto.channel.ohttp import Gateway, KeyConfig

PEOPLE = 2
DESIGNS = ("sealed", "encrypted-proved")  # `one-show` has the former's log


@pytest.fixture(scope="module", params=DESIGNS)
def up(request, tmp_path_factory):
    """A town that is up, in threads of this process, with a relay."""
    folder = tmp_path_factory.mktemp("town") / "a"
    town, passphrase, _ = prepare(folder, request.param, PEOPLE, 3, history=500, delay_s=0)
    with running_here(town, passphrase) as services:
        yield town, services


def lying(town, **keys):
    """The same town with another public file: as one person may be given it."""
    other = Town(town.folder)
    other.public["sealing"].update({name: config.encode().hex() for name, config in keys.items()})
    return other


def served(services, name):
    return dict(services[name].meter.served) | dict(services[name].meter.refused)


def close(wallet, lines):
    lines.close()
    close_store(wallet.store)


def test_a_wallet_checks_the_keys_once_and_learns_as_before(up):
    town, services = up
    wallet, lines = town.wallet(0)
    assert wallet.store.count(CHECKED.name) == 0
    before = served(services, "log").get("lookup", 0)
    lines.begin()
    assert served(services, "log")["lookup"] == before + 1
    lines.begin()
    tell(wallet, lines, "learn")
    after = served(services, "log")["lookup"]
    assert after > before + 1  # its terms
    tell(wallet, lines, "learn")
    assert (wallet.store.count(CHECKED.name), wallet.troubles()) == (1, [])
    close(wallet, lines)
    again, lines = town.wallet(0)  # another process of the person's: what was checked is kept
    lines.begin()
    assert served(services, "log")["lookup"] == after
    close(again, lines)


@pytest.mark.parametrize("person", range(PEOPLE))  # one whose wallet has checked the true file, and one whose has not
def test_a_town_that_gives_one_wallet_another_key_is_refused_and_nothing_is_sealed_to_it(up, person):
    town, services = up
    wallet, lines = lying(town, lender=Gateway().config).wallet(person)
    institutions = [name for name, role in town.roles.items() if role in ("lender", "source")]
    before = {name: served(services, name) for name in institutions}
    for command in ("learn", "apply"):
        with pytest.raises(ForgeryError, match="gives for lender is not the one in the witnessed log"):
            tell(wallet, lines, command)
    assert {name: served(services, name) for name in institutions} == before
    close(wallet, lines)


def test_another_key_of_the_logs_own_is_seen_in_the_first_answer_though_the_log_opens_it(up):
    """The liar holds the secret of the key that it gave one person, and the log's answer is the true one."""
    town, services = up
    gateway, honest = Gateway(), services["log"].desk
    wallet, lines = lying(town, log=gateway.config).wallet(1)
    with pytest.raises(DataError, match="does not answer"):  # sealed to a key that the log has not
        lines.begin()
    before = served(services, "log").get("lookup", 0)
    services["log"].desk = Desk("log", gateway)
    try:
        with pytest.raises(ForgeryError, match="gives for log is not the one in the witnessed log"):
            tell(wallet, lines, "learn")
    finally:
        services["log"].desk = honest
    assert served(services, "log")["lookup"] == before + 1  # one question, which all ask alike
    close(wallet, lines)


def test_the_question_is_the_same_for_everybody_and_a_key_of_no_epoch_is_refused(up):
    town, services = up
    configs = {name: KeyConfig.decode(bytes.fromhex(key)) for name, key in town.public["sealing"].items()}
    assert set(configs) == {"lender", "log"}
    asked = []

    def look(question):
        asked.append(question)
        return services["log"].party.look_up(question)

    for _ in range(2):
        LoggedKeys(town.trust, town.epoch.number, MemoryStore()).require(configs, look)
    assert asked[0] == asked[1]
    with pytest.raises(ForgeryError, match="for lender is not the one"):
        LoggedKeys(town.trust, town.epoch.number + 1, MemoryStore()).require(configs, look)
    swapped = {"lender": configs["log"], "log": configs["lender"]}
    with pytest.raises(ForgeryError, match="for lender is not the one"):
        LoggedKeys(town.trust, town.epoch.number, MemoryStore()).require(swapped, look)


@pytest.mark.parametrize("up", ["sealed"], indirect=True)
def test_the_auditor_finds_a_public_key_that_the_log_lacks(up):
    town, _ = up
    assert town.part.audit(town) == []
    found = lying(town, lender=Gateway().config).part.audit(lying(town, lender=Gateway().config))
    assert {(one.party, one.table) for one in found} == {
        (name, "entries") for name, role in town.roles.items() if role == "log"
    }
    assert "key to seal to lender with is not among them" in found[0].why


@pytest.mark.parametrize("design", ["encrypted", "sealed"])
def test_a_town_without_a_log_or_without_a_relay_checks_none(tmp_path, design):
    town, *_ = prepare(tmp_path / "a", design, PEOPLE, 3, history=500, relay=design == "encrypted")
    wallet, lines = town.wallet(0)
    assert (lines.via is None) == (design == "sealed")
    assert lines.via is None or lines.via.logged is None
    lines.begin()
    close(wallet, lines)
