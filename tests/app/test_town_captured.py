"""Rows that orders give in a town's files stand beside the modelled ones, and agree with them where they should."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from blindscore.errors import DataError
from blindscore.parties.party import SetClock, wall_clock
from blindscore.parties.table import Table
from blindscore.people.society import make_society
from blindscore.scorecard.scorecard import Scorecard
from blindscore.surveillance.attacks.disclose import Disclose
from blindscore.surveillance.attacks.link import Link
from blindscore.surveillance.capability import rows_of
from blindscore.surveillance.coalitions import Coalition
from blindscore.surveillance.ledger import Ledger
from blindscore.surveillance.truth import Truth, auxiliary_people
from blindscore_app.town import board
from blindscore_app.town.captured import into_ledger
from blindscore_app.town.folders import folder_of
from blindscore_app.town.lines import Lines
from blindscore_app.town.order import cell, of_party
from blindscore_app.town.parts.sealed import rider_of, terms_of
from blindscore_app.town.standing import Town
from blindscore_crypto.designs.one_show import OneShow
from blindscore_crypto.designs.sealed import Sealed
from blindscore_crypto.sealed.offer import NO_CHANNEL
from blindscore_crypto.sealed.parties.cast import LINES

PEOPLE, SEED, HISTORY = 4, 3, 500
POINTS = 600  # of the perk
DESIGNS = {"sealed": Sealed(sample=2), "one-show": OneShow(sample=2)}


@pytest.fixture(scope="module")
def at_a_table():
    """Parties at a table have no line that could be bound."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Town, "channel", lambda town, name: NO_CHANNEL)
        patch.setattr(Lines, "channel_to", lambda lines, name: NO_CHANNEL)
        yield


@pytest.fixture(scope="module", params=list(DESIGNS))
def served(request, tmp_path_factory, at_a_table):
    """A town's own folders and stores, its parties at a table; then the orders, and the same design modelled."""
    folder = tmp_path_factory.mktemp("captured") / "town"
    perk = POINTS if request.param == "sealed" else 0
    town, passphrase, decisions = board.prepare(
        folder, request.param, PEOPLE, SEED, history=HISTORY, delay_s=0, perk=perk, lenders=2
    )
    parties = [town.party(name, passphrase.encode()) for name in town.roles]
    by_name = {party.name: party for party in parties}
    waiting = by_name["log"].refresh()
    while waiting:  # the log has its head cosigned anew
        message = waiting.pop(0)
        for reply in by_name[message.to].handle(replace(message, sender="log")):
            waiting += by_name["log"].handle(replace(reply, sender=message.to))
    table = Table(parties, LINES, SetClock(wall_clock()))
    clear = json.loads((folder / board.CLEAR).read_text("utf-8"))
    assert clear["lender"] == decisions.tolist()
    assert clear["lender"] != clear["lender-2"]  # which asks for more
    everybody = [(*one, lender) for lender in town.public["lenders"] for one in enumerate(board.whom(folder))]
    for number, legal_id, lender in everybody:
        wallet, lines = town.wallet(number, lender=lender)
        lines.close()
        table.seat(wallet)
        for command in ("learn", "apply", "collect"):
            table.play(number, wallet.name, command, legal_id=legal_id)
        by_name[lender].settle()
        table.play(number, wallet.name, "collect", legal_id=legal_id)
        assert wallet.verdict() == clear[lender][number]
        table.leave(wallet.name)
        wallet.store.close()
    rides = ridden(town, table, by_name["office"]) if request.param == "sealed" else []
    for party in parties:
        party.store.close()
    captured = {(r.coalition, r.capability, r.secret): r for r in board.capture(folder)}
    society = make_society(people=HISTORY + PEOPLE, seed=SEED)
    run = DESIGNS[request.param].run(society, Scorecard(), np.random.default_rng(0))
    return request.param, folder, town, captured, society, run, rides, passphrase


def ridden(town, table, office):
    """Everybody proves the perk's points, fetches a token, and rides twice; one row a person."""
    rows = []
    for number, legal_id in enumerate(board.whom(town.folder)):
        rider, lines = rider_of(town, number)
        lines.close()
        table.seat(rider)

        def told(command, number=number, rider=rider, legal_id=legal_id):
            table.play(number, rider.name, command, legal_id=legal_id)

        for command in ("learn", "apply", "collect"):
            told(command)
        office.settle()
        opened = []
        tokens = []
        for command in ("collect", "token", "token", "ride", "ride"):
            told(command)
            opened.append(rider.granted)
            tokens.append(rider.token)
        assert tokens[1] == tokens[2]  # asked for again, as after a lost reply
        rows.append((rider.wallet.score() >= POINTS, rider.wallet.verdict(), opened[3:], rider.token))
        table.leave(rider.name)
        rider.store.close()
    return rows


def modelled(served, roles, capability, secret):
    design, _, _, _, society, run, *_ = served
    known = auxiliary_people(society, SEED)
    truth = Truth(society, design, DESIGNS[design].enforces, run, Coalition("+".join(roles), roles), known, SEED)
    return next(row for row in rows_of(capability, truth, {secret}))


@pytest.mark.parametrize(
    ("roles", "share"), [(("lender",), 0.0), (("source",), 1.0), (("log",), 0.0), (("witness",), 0.0)]
)
def test_orders_expose_the_share_that_the_model_says(served, roles, share):
    captured = served[3]
    told = modelled(served, roles, Disclose(), "any record")
    row = captured["+".join(roles), "disclose", "any record"]
    assert (row.kind, row.basis, row.bound, row.removed) == ("captured", "observed", None, False)
    assert row.advantage == row.people_exposed / PEOPLE == share
    assert told.advantage == pytest.approx(share, abs=0.02)  # a bit names one of many by chance
    assert row.low <= told.advantage <= row.high


@pytest.mark.parametrize(("roles", "share"), [(("lender",), 0.0), (("source",), 1.0)])
def test_orders_name_whom_the_model_names(served, roles, share):
    told = modelled(served, roles, Link(), "name")
    row = served[3]["+".join(roles), "link", "name"]
    assert row.advantage == share
    assert told.advantage == pytest.approx(share, abs=0.02)


def test_files_of_source_and_lender_share_no_string_since_the_source_keeps_none(served):
    """The model lets a curious source of ``sealed`` keep what it signs; the one that ran does not."""
    design, captured = served[0], served[3]
    row = captured["lender+source", "link", "join"]
    told = modelled(served, ("lender", "source"), Link(), "join")
    assert row.advantage == 0.0
    assert (told.advantage > 0.5) == (design == "sealed")
    assert captured["lender+source", "disclose", "any record"].advantage == 1.0  # the source's own files


def test_no_past_customer_stands_anywhere_and_the_card_is_the_modelled_one(served):
    _, _, town, captured, _, run, *_ = served
    rows = [row for (_, capability, _), row in captured.items() if capability == "remember"]
    assert len(rows) == 5
    assert all(row.advantage == 0.0 and row.low < 0 < row.high < 0.1 for row in rows)
    card = terms_of(town, "lender").card
    assert card.fingerprint == run.card.fingerprint  # so the modelled row speaks of these very bytes


def test_what_is_planted_is_found(served, tmp_path):
    """The control: names, figures and a past customer in a lender's folder are counted."""
    _, folder, *_ = served
    whom = board.whom(folder)
    past = json.loads((folder / board.PAST).read_text("utf-8"))
    note = folder_of(folder, "lender") / "note.txt"
    one = next(iter(whom))
    figure = next(v for v in whom[one].values() if v == v and not (64 * v).is_integer())
    note.write_text(f"{one} {figure!r} {' '.join(past['members'])}", "utf-8")
    try:
        rows = {(r.coalition, r.capability): r for r in board.capture(folder)}
    finally:
        note.unlink()
    assert rows["lender", "disclose"].people_exposed == 1
    assert rows["lender", "link"].advantage == 1 / PEOPLE
    assert rows["lender", "remember"].advantage == 1.0


def test_rows_stand_in_a_ledger_beside_its_own(served):
    rows = tuple(served[3].values())
    ledger = Ledger({}, (), ())
    with pytest.raises(DataError, match="the ledger has no design"):
        into_ledger(ledger, rows)


def test_an_order_may_ask_for_what_came_since_a_day(served):
    _, folder, *_ = served
    today = int(wall_clock() // 86400)
    assert sum(one.decisions for one in board.serve_order(folder, "lender", "", today, as_json=True)) == PEOPLE
    assert sum(one.decisions for one in board.serve_order(folder, "lender", "", today + 2, as_json=True)) == 0


@pytest.mark.parametrize("served", ["sealed"], indirect=True)
def test_the_perk_is_granted_once_to_whoever_reaches_it_and_nobody_is_known_by_it(served):
    _, folder, town, *_, rides, _ = served
    reached = [score for score, *_ in rides]
    assert [verdict for _, verdict, *_ in rides] == reached
    assert 0 < sum(reached) < PEOPLE  # both are played
    assert all(opened == ([True, None] if score else [None, None]) for score, _, opened, _ in rides)
    whom = board.whom(folder)
    held = {name: of_party(folder, name) for name in ("office", "gate")}
    for lying in held.values():
        assert not any(place.named(whom) or place.read(whom) for place in lying)
    assert sum(place.exposed(whom).decisions for place in held["office"]) == PEOPLE
    # A control, and the claim: the gate keeps of each token what names it, and the office nothing of any.
    tokens = {hashlib.sha256(b"blindscore/sealed/v1/token" + t[:98]).digest() for *_, t in rides if t}
    cells = {name: [cell(c) for place in lying for row in place.rows for c in row] for name, lying in held.items()}
    assert tokens <= set(cells["gate"])
    own = {"gate": {c for c in cells["gate"] if len(c) >= 16}, "office": {c for c in cells["office"] if len(c) >= 16}}
    assert not own["gate"] & own["office"]
    assert town.part.audit(town) == []


HEAVY = {"pandas", "scipy", "sklearn", "numba", "matplotlib", "httpx"}
BUILT = f"""
import os, sys
from pathlib import Path
from blindscore_app.town.lines import Lines
from blindscore_app.town.service import Service
from blindscore_app.town.standing import Town
place = Town(Path(sys.argv[1]))
party = place.party("lender", os.environ["BLINDSCORE_PASSPHRASE"].encode())
Service(party, Lines(place.addresses, place.identity("lender").client_side())).app()
print(sorted({HEAVY} & set(sys.modules)))
"""


@pytest.mark.parametrize("served", ["one-show"], indirect=True)
def test_a_lenders_service_loads_none_of_what_fits_and_measures(served):
    """Seven services start with each town: what one loads is paid seven times."""
    environment = {**os.environ, "BLINDSCORE_PASSPHRASE": served[-1]}
    command = [sys.executable, "-c", BUILT, str(served[1])]
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert told.stdout.strip() == "[]", told.stderr
