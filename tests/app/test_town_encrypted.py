"""The encrypted designs as a town: parties decide as the clear card does, and orders find what each may hold."""

from __future__ import annotations

import json
import os
import secrets
import time
from types import SimpleNamespace

import pytest

from blindscore.errors import DataError, ParameterError
from blindscore.parties.message import Message
from blindscore.parties.store import MemoryStore
from blindscore.scorecard.forms.json import card_from_json
from blindscore_app.town import board
from blindscore_app.town.folders import PUBLIC, folder_of
from blindscore_app.town.order import cell, memory, of_party, seize
from blindscore_app.town.parts import PARTS, part_of
from blindscore_app.town.parts.blind import CARD, Own
from blindscore_app.town.playing import tell
from blindscore_app.town.running import running
from blindscore_crypto.layout import Layout
from tests.town_table import AtATable
from tests.two_lenders import LENDERS, Left, shared, windows

PEOPLE, SEED, HISTORY = 3, 3, 500
LENGTH = 24  # bytes of a string that would join two files
WAIT_S = 300.0  # at most: parties that were killed come up slowly where a machine is busy
DESIGNS = [name for name in PARTS if name.startswith("encrypted")]
BYSTANDERS = {
    "encrypted-decision": {"helper"},
    "encrypted-audited": {"auditor"},
    "encrypted-proved": {"log", "witness"},
}
# design -> what an order finds in the lender's files: totals, decisions
AT_LENDER = {
    "encrypted": (PEOPLE, 0),
    "encrypted-decision": (0, PEOPLE),
    "encrypted-audited": (PEOPLE, 0),
    "encrypted-proved": (PEOPLE, 0),
}


@pytest.fixture(scope="module", params=DESIGNS)
def played(request, tmp_path_factory):
    """Everybody applies to two lenders; parties come up from their folders and sit at a table."""
    folder = tmp_path_factory.mktemp("town") / "a"
    town, passphrase, _ = board.prepare(folder, request.param, PEOPLE, SEED, history=HISTORY, delay_s=0, lenders=2)
    seated = AtATable(town, passphrase)
    told, left = {lender: [] for lender in LENDERS}, Left(folder)
    for person in range(PEOPLE):
        for lender in LENDERS:
            told[lender].append(seated.apply(person, lender))
        left.note(person)
    clear = json.loads((folder / board.CLEAR).read_text("utf-8"))
    seated.close()
    return request.param, town, passphrase, told, clear, left.rows


def test_everybody_is_answered_as_the_clear_card_says_by_both_lenders(played):
    design, town, _, told, clear, _ = played
    assert sorted(told) == ["lender", "lender-2"]
    for lender, rows in told.items():
        assert [decision for decision, _, _ in rows] == clear[lender]
        assert [troubles for *_, troubles in rows] == [[]] * PEOPLE
    assert 0 < sum(clear["lender"]) < PEOPLE  # both are played
    if design in ("encrypted-audited", "encrypted-proved"):  # the person is told its score, signed
        assert [score for _, score, _ in told["lender"]] == [score for _, score, _ in told["lender-2"]]
        assert all(isinstance(score, int) for _, score, _ in told["lender"])
    assert set(town.roles.values()) == {"source", "lender", "relay"} | BYSTANDERS.get(design, set())


def test_an_order_finds_totals_or_bits_at_lenders_and_nobody_by_name_but_at_the_bank(played):
    design, town, *_ = played
    known = board.whom(town.folder)
    for name, role in town.roles.items():
        found = seize(folder_of(town.folder, name), known)
        if role == "source":
            (records,) = (one for one in found if one.place == "table records")
            assert (records.named, records.read) == (PEOPLE, PEOPLE)
            continue
        assert {(one.named, one.read) for one in found} <= {(0, 0)}  # none where nothing is kept
        counted = sum(one.totals for one in found), sum(one.decisions for one in found)
        if role == "lender":
            assert counted == AT_LENDER[design]
        else:  # an auditor that picks everybody reads every total; a helper, a log and a relay nothing
            assert counted == ((PEOPLE, 0) if role == "auditor" else (0, 0))


def test_two_lenders_files_share_no_string_of_a_person(played):
    """Nonce, pseudonym and masks are of one application; a string that is planted in both lenders' rows is found."""
    *_, left = played
    assert all(len(windows(rows, LENGTH)) > 1000 for rows in left.values())
    assert shared(left, LENGTH, LENGTH // 2) == {person: set() for person in range(PEOPLE)}
    mark = secrets.token_bytes(LENGTH)
    planted = {key: rows | {("table scores", b"x" + mark)} if key[1] == 1 else rows for key, rows in left.items()}
    found = shared(planted, LENGTH, LENGTH // 2)
    assert mark in found[1]
    assert found[0] == found[2] == set()


def test_captured_rows_count_what_the_files_hold(played):
    design, town, *_ = played
    rows = {(row.coalition, row.capability, row.secret): row for row in board.capture(town.folder)}
    assert rows["lender", "disclose", "any record"].people_exposed == 0
    assert rows["source", "disclose", "any record"].people_exposed == PEOPLE
    assert rows["lender+source", "link", "join"].advantage == 0.0  # the bank that runs keeps nothing that it attests
    assert {row.design for row in rows.values()} == {design}
    assert ("helper", "disclose", "any record") in rows or design != "encrypted-decision"


def test_cards_and_thresholds_lie_under_the_passphrase_alone(played):
    _, town, passphrase, *_ = played
    own = Own.load(town, "lender", passphrase.encode())
    points = json.dumps(max((list(c.points) for c in own.card.characteristics), key=len)).encode()
    for path in (p for p in town.folder.rglob("*") if p.is_file() and p.name not in (board.EXPERIMENT, board.PAST)):
        content = path.read_bytes()
        assert own.card.fingerprint.encode() not in content, path
        assert points not in content, path
        assert passphrase.encode() not in content, path
    with pytest.raises(DataError, match="passphrase is wrong"):
        Own.load(town, "lender", b"another passphrase")


def test_what_is_no_card_of_a_lender_is_refused(played, tmp_path):
    _, town, passphrase, *_ = played
    from blindscore_app.town.secret_files import save_secret

    path = folder_of(town.folder, "lender") / CARD
    before = path.read_bytes()
    try:
        save_secret(path, b'{"card": 1}', passphrase.encode())
        with pytest.raises(DataError, match="no scorecard of a lender"):
            Own.load(town, "lender", passphrase.encode())
    finally:
        path.write_bytes(before)


def test_the_public_file_tells_no_points(played):
    design, town, passphrase, *_ = played
    own = Own.load(town, "lender", passphrase.encode())
    public = (town.folder / PUBLIC / "town.json").read_text("utf-8")
    if design != "encrypted-proved":
        assert set(town.public["terms"]["lender"]) <= {"layout", "parameters", "commitment", "helper"}
    assert own.card.fingerprint not in public
    layout = Layout.of(own.card)
    assert town.part.features(town) == list(layout.features)
    assert card_from_json(json.loads(own.encode())["card"]) == own.card


def test_bad_towns_are_refused(tmp_path):
    for more, words in (
        ({"perk": 600}, "encrypted has no perk"),
        ({"lenders": 9}, "1 to 4 lenders"),
    ):
        with pytest.raises(ParameterError, match=words):
            board.prepare(tmp_path / "x", "encrypted", 2, 1, history=HISTORY, **more)
    with pytest.raises(ParameterError, match="a town plays sealed"):
        part_of("bureau")


def test_a_lender_that_is_none_is_not_applied_to(played):
    with pytest.raises(DataError, match="no lender of this town is called 'lender-9'"):
        played[1].wallet(0, lender="lender-9")


@pytest.fixture(scope="module")
def town_of_processes(tmp_path_factory):
    """``encrypted-decision`` over TLS: lender and helper are killed between the steps, and come back."""
    folder = tmp_path_factory.mktemp("processes") / "a"
    town, passphrase, decisions = board.prepare(folder, "encrypted-decision", PEOPLE, SEED, history=HISTORY, delay_s=1)
    known, dumps = board.whom(folder), {}
    with running(town, passphrase) as up:
        wallets = [town.wallet(number) for number in range(PEOPLE)]
        for command in ("learn", "apply"):
            for wallet, lines in wallets:
                tell(wallet, lines, command)
            for name in ("lender", "helper") if command == "learn" else ("helper", "lender"):
                up.kill(name)
                up.start(name)
                up.await_up(name)
        early = list(wallets[0][0].handle(Message("", "collect", b"")))
        for wallet, lines in wallets:
            board.collect(wallet, wallet, lines, time.monotonic() + WAIT_S)
        if os.geteuid() == 0:
            dumps = {name: memory(up.processes[name].pid, known) for name in ("lender", "helper", "relay", "bank")}
        told = [(wallet.verdict(), wallet.troubles()) for wallet, _ in wallets]
        metrics = up.metrics()
        for wallet, lines in wallets:
            lines.close()
            wallet.store.close()
    return town, decisions, told, known, dumps, metrics, early


def test_processes_decide_as_the_clear_card_though_lender_and_helper_were_killed(town_of_processes):
    _, decisions, told, _, _, metrics, early = town_of_processes
    assert told == [(bool(decision), []) for decision in decisions]
    assert [(message.to, message.kind) for message in early] == [("lender", "fetch")]
    assert sorted(metrics) == ["bank", "helper", "lender", "relay"]
    assert metrics["relay"]['blindscore_served_total{role="relay",kind="sealed"}'] > 0


def test_memory_of_lender_helper_and_relay_holds_nobody_and_the_banks_everybody(town_of_processes):
    dumps = town_of_processes[4]
    if not dumps:
        pytest.skip("reading another process's memory needs root")
    assert dumps["bank"].named == PEOPLE  # the control
    assert {(dumps[name].named, dumps[name].read) for name in ("lender", "helper", "relay")} == {(0, 0)}


def test_logs_of_processes_hold_no_name_secret_or_ticket(town_of_processes):
    town, _, _, known, *_ = town_of_processes
    for name in town.roles:
        log = (folder_of(town.folder, name) / "service.log").read_text("utf-8")
        assert not any(who in log for who in known)
        for place in of_party(town.folder, name):
            long = [cell(c) for row in place.rows for c in row if isinstance(c, bytes) and len(c) >= 16]
            assert not any(value.hex()[:32] in log for value in long)
    assert '"kind": "opening"' in (folder_of(town.folder, "helper") / "service.log").read_text("utf-8")


def test_a_party_of_a_role_that_the_design_lacks_is_refused():
    town = SimpleNamespace(public={"design": "encrypted"}, roles={"aide": "helper"})
    with pytest.raises(DataError, match="encrypted has no helper, which aide is said to be"):
        part_of("encrypted").party(town, "aide", b"", MemoryStore())
