"""Parties behind TLS: what they are told of a sender, what they answer, and what the wire and the log show."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import socket
import ssl

import httpx
import pytest

from blindscore.errors import DataError, ForgeryError
from blindscore.parties.message import Message
from blindscore_app.town.authority import found
from blindscore_app.town.bundle import pack, unpack
from blindscore_app.town.front import MAX_REQUEST
from blindscore_app.town.lines import Lines
from blindscore_app.town.service import Service
from blindscore_app.town.tap import DOWN, UP, Tap
from blindscore_app.town.wire.link import LINKS
from tests.town_services import Echo, Running


@pytest.fixture(scope="module")
def identities(tmp_path_factory):
    return found(tmp_path_factory.mktemp("ca"), ["bank", "lender"])


@pytest.fixture(scope="module")
def town(identities):
    bank_party, lender_party = Echo("bank"), Echo("lender", onward="bank")
    token = hashlib.sha256(b"secret-token").hexdigest()
    lines = Lines({}, identities["bank"].client_side())
    bank = Running(Service(bank_party, lines, logins={token: "ada"}), identities["bank"].server_side(known_only=False))
    onward = Lines({"bank": bank.address}, identities["lender"].client_side())
    lender = Running(Service(lender_party, onward), identities["lender"].server_side(known_only=False))
    yield bank, lender
    bank.stop()
    lender.stop()


@pytest.fixture
def wallet(identities, town):
    bank, lender = town
    addresses = {"bank": bank.address, "lender": lender.address}
    lines = Lines(addresses, identities["bank"].anonymous_side(), tokens={"bank": "secret-token"}, fresh=True)
    yield lines
    lines.close()


def test_a_bundle_comes_back_as_it_went_and_nothing_else_is_taken():
    sent = [Message("x", "ask", b"abc"), Message("x", "more", b"")]
    body = pack(sent)
    assert [(m.kind, m.body, m.to, m.sender) for m in unpack(body, "me", "you")] == [
        ("ask", b"abc", "me", "you"),
        ("more", b"", "me", "you"),
    ]
    for spoilt in (b"", body[:-1], body + b"x", b"\xff" + body[1:], body.replace(b"ask", b"a\xffk"), b"\x01\x05ab"):
        with pytest.raises(ForgeryError, match="message"):
            unpack(spoilt, "me", "you")


def test_a_login_shows_the_legal_id_a_certificate_the_name_and_a_wallet_nothing(wallet, town):
    bank, lender = town
    (answer,) = wallet.send(Message("bank", "echo", b"abc"))
    assert (answer.kind, answer.body, answer.sender) == ("echo-back", b"cba", "bank")
    assert bank.service.party.senders()[-1] == "ada"
    (answer,) = wallet.send(Message("lender", "on", b"xyz"))
    assert (answer.kind, answer.body) == ("answer", b"zyx")
    assert lender.service.party.senders()[-1].startswith("line ")
    assert bank.service.party.senders()[-1] == "lender"


def test_a_wrong_token_shows_nobody(identities, town):
    bank, _ = town
    lines = Lines({"bank": bank.address}, identities["bank"].anonymous_side(), tokens={"bank": "guess"})
    lines.send(Message("bank", "echo", b""))
    lines.close()
    assert bank.service.party.senders()[-1].startswith("line ")


def test_what_a_party_refuses_is_one_word_to_the_sender_and_no_secret_in_the_log(wallet, caplog):
    with caplog.at_level(logging.INFO, logger="blindscore.town"):
        with pytest.raises(DataError, match="lender answers 400: refused"):
            wallet.send(Message("lender", "bad", b"canary-body"))
        wallet.send(Message("bank", "echo", b"canary-body"))
    log = caplog.text
    assert '"refused": "ForgeryError"' in log
    assert "canary" not in log
    assert "secret-token" not in log
    assert "ada" not in log


def test_too_long_bodies_malformed_ones_and_strangers_are_refused(identities, town):
    bank, _ = town
    with httpx.Client(verify=identities["bank"].anonymous_side(), trust_env=False) as client:
        assert client.post(f"{bank.address}/messages", content=bytes(MAX_REQUEST + 1)).status_code == 413
        assert client.post(f"{bank.address}/messages", content=b"\x09nonsense").status_code == 400
        assert client.get(f"{bank.address}/health").json()["role"] == "echo"
        metrics = client.get(f"{bank.address}/metrics").text
        assert 'blindscore_served_total{role="echo",kind="echo"}' in metrics
    with pytest.raises(httpx.ConnectError), httpx.Client(trust_env=False) as stranger:
        stranger.get(f"{bank.address}/health")  # an authority that nobody told it about


def test_only_tls_13_is_spoken(identities, town):
    bank, _ = town
    old = identities["bank"].anonymous_side()
    old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError), socket.create_connection(("127.0.0.1", bank.port)) as raw:
        old.wrap_socket(raw, server_hostname="127.0.0.1")


def test_an_institution_that_shows_no_certificate_is_refused_where_only_known_ones_may_speak(identities):
    private = Running(
        Service(Echo("helper"), Lines({}, identities["bank"].client_side())),
        identities["bank"].server_side(known_only=True),
    )
    known = Lines({"helper": private.address}, identities["lender"].client_side())
    assert known.send(Message("helper", "echo", b"ab"))[0].body == b"ba"
    known.close()
    stranger = Lines({"helper": private.address}, identities["lender"].anonymous_side())
    with pytest.raises(DataError, match="helper does not answer"):
        stranger.send(Message("helper", "echo", b"ab"))
    stranger.close()


def test_a_tap_sees_sizes_and_directions_of_what_it_cannot_read(identities, town):
    bank, _ = town

    async def tapped():
        tap = Tap(("127.0.0.1", bank.port), LINKS["dsl"])
        port = await tap.start()
        lines = Lines({"bank": f"https://127.0.0.1:{port}"}, identities["bank"].anonymous_side())
        answers = await asyncio.to_thread(lines.send, Message("bank", "echo", b"canary" * 1000))
        lines.close()
        await tap.stop()
        return tap, answers

    tap, answers = asyncio.run(tapped())
    assert answers[0].body == (b"canary" * 1000)[::-1]
    (flow,) = tap.flows
    up = sum(p.size for p in flow.packets if p.direction == UP)
    down = sum(p.size for p in flow.packets if p.direction == DOWN)
    assert 6000 < up < 9000
    assert 6000 < down < 10_000
    assert [p.at for p in flow.packets] == sorted(p.at for p in flow.packets)


def test_an_answer_on_a_schedule_leaves_at_a_multiple_of_it(identities):
    slow = Running(
        Service(Echo("slow"), Lines({}, identities["bank"].client_side()), answer_after=0.05),
        identities["bank"].server_side(known_only=False),
    )
    lines = Lines({"slow": slow.address}, identities["bank"].anonymous_side())
    for _ in range(3):
        lines.send(Message("slow", "echo", b""))
    lines.close()
    assert min(slow.service.meter.seconds) >= 0.05
    assert json.loads(json.dumps(slow.service.meter.quantile(0.5))) >= 0.05
