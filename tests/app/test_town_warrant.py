"""Standing orders: what arrives is copied for them, and one that forbids to tell is told nowhere."""

from __future__ import annotations

import asyncio
import json
import logging

import httpx
import pytest

from blindscore.errors import ParameterError
from blindscore.parties.message import Message
from blindscore_app.town.bundle import MEDIA, pack
from blindscore_app.town.service import Service
from blindscore_app.town.warrant import Heeded, copied, place, standing


class Desk:
    """Answers everything with one word."""

    name, role = "bank", "source"

    def handle(self, message):
        return [Message(message.sender, "done", b"done", self.name)]


def visit(folder, log):
    """Let Ada (logged in) and a stranger speak to a service; return answers, health, metrics and log."""
    tokens = {"8b1a9953c4611296a827abf8c47804d7": "ada"}
    service = Service(Desk(), None, logins={}, heeded=Heeded(folder))
    service._sender = lambda request: tokens.get(request.headers.get("authorization", ""), "line 1")

    async def play():
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(service.app()), base_url="https://bank", headers={"content-type": MEDIA}
        ) as client:
            said = []
            for number, token in enumerate([next(iter(tokens)), ""]):
                body = pack([Message("bank", "request", b"figure %d" % number)])
                said.append((await client.post("/messages", content=body, headers={"authorization": token})).content)
            health = (await client.get("/health")).json()
            kinds = sorted(service.meter.served.items())
            return said, health, kinds

    log.clear()
    with log.at_level(logging.INFO, "blindscore.town"):
        seen = asyncio.run(play())
    lines = [
        {k: v for k, v in json.loads(r.message).items() if k != "ms"}
        for r in log.records
        if r.name == "blindscore.town"
    ]
    return *seen, lines


def test_all_that_arrives_is_copied_from_the_order_on(tmp_path, caplog):
    visit(tmp_path, caplog)
    record = place(tmp_path, "", gag=False)
    assert copied(record.with_suffix(".copy")) == []  # what came before is the other order's
    visit(tmp_path, caplog)
    found = copied(record.with_suffix(".copy"))
    assert found == [("ada", "request", b"figure 0"), ("line 1", "request", b"figure 1")]


def test_an_order_on_a_person_copies_where_the_line_names_her_and_nothing_else(tmp_path, caplog):
    record = place(tmp_path, "ada", gag=False)
    nobody = place(tmp_path, "bob", gag=False)
    visit(tmp_path, caplog)
    assert [sender for sender, _, _ in copied(record.with_suffix(".copy"))] == ["ada"]
    assert copied(nobody.with_suffix(".copy")) == []


def test_an_order_that_forbids_to_tell_shows_in_its_record_and_nowhere_else(tmp_path, caplog):
    before = visit(tmp_path, caplog)
    record = place(tmp_path, "", gag=True)
    assert json.loads(record.read_text("utf-8"))["gag"] is True
    assert visit(tmp_path, caplog) == before
    assert len(copied(record.with_suffix(".copy"))) == 2  # it is heeded all the same
    place(tmp_path, "", gag=False)  # the control: one that may be told is told
    assert visit(tmp_path, caplog)[1]["standing_orders"] == 1 + before[1]["standing_orders"]


def test_only_the_owner_reads_a_copy_and_a_spoilt_record_is_refused(tmp_path, caplog):
    record = place(tmp_path, "", gag=False)
    visit(tmp_path, caplog)
    assert record.with_suffix(".copy").stat().st_mode & 0o777 == 0o600
    assert record.parent.stat().st_mode & 0o777 == 0o700
    record.write_text("[]", "utf-8")
    with pytest.raises(ParameterError, match="no record of an order"):
        standing(tmp_path)
