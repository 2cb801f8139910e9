"""Parties behind TLS: what they are told of a sender, what they answer, and what the wire and the log show."""

from __future__ import annotations

import asyncio
import datetime
import gc
import hashlib
import json
import logging
import socket
import ssl

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.x509.oid import NameOID

from blindscore.errors import DataError, ForgeryError, ParameterError
from blindscore.parties.message import Message
from blindscore.parties.store import MemoryStore
from blindscore_app.town.authority import found
from blindscore_app.town.bundle import pack, unpack
from blindscore_app.town.end_point import end_point, key_config
from blindscore_app.town.front import MAX_REQUEST
from blindscore_app.town.lines import Lines
from blindscore_app.town.service import Service
from blindscore_app.town.serving import InThread
from blindscore_app.town.tap import DOWN, UP, Tap
from blindscore_app.town.via_relay import Via
from blindscore_app.town.wire.link import LINKS
from blindscore_crypto.channel.ohttp import Gateway
from blindscore_crypto.channel.signatures import SigningKey
from blindscore_crypto.sealed.offer import NO_CHANNEL, ask
from blindscore_crypto.sealed.parties.wallet import TERMS
from tests.crypto.sealed_world import World
from tests.town_services import Echo


class Relay:
    """Poe: passes on to the true lender what a wallet says to it, over a line of its own."""

    name, role = "Harbour Bank", "relay"

    def __init__(self, onward, identity):
        self.store, self.puts_right = MemoryStore(), None
        self.lines = Lines({self.name: onward}, identity.anonymous_side())

    def handle(self, message):
        body = message.body if self.puts_right is None else message.body[:32] + self.puts_right
        answers = self.lines.send(Message(self.name, message.kind, body))
        return [Message(message.sender, answer.kind, answer.body) for answer in answers]


@pytest.fixture(scope="module")
def identities(tmp_path_factory):
    return found(tmp_path_factory.mktemp("ca"), ["bank", "lender"])


@pytest.fixture(scope="module")
def town(identities):
    bank_party, lender_party = Echo("bank"), Echo("lender", onward="bank")
    token = hashlib.sha256(b"secret-token").hexdigest()
    lines = Lines({}, identities["bank"].client_side())
    bank = InThread(Service(bank_party, lines, logins={token: "ada"}), identities["bank"].server_side(known_only=False))
    onward = Lines({"bank": bank.address}, identities["lender"].client_side())
    lender = InThread(Service(lender_party, onward), identities["lender"].server_side(known_only=False))
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


def test_a_channel_is_the_lenders_certificate_whoever_stands_in_between(identities, town):
    """Poe's relay has a certificate of the same authority for the same host: TLS takes it, and the offer does not."""
    world, client = World(), SigningKey()
    lender = world.new_lender(channel_of=lambda message: identities["lender"].end_point)
    at_lender = InThread(
        Service(lender, Lines({}, identities["lender"].client_side())),
        identities["lender"].server_side(known_only=False),
    )
    poe = Relay(at_lender.address, identities["bank"])
    relay = InThread(
        Service(poe, Lines({}, identities["bank"].client_side())), identities["bank"].server_side(known_only=False)
    )
    straight, relayed = (
        Lines({world.lender_name: where.address}, identities["bank"].anonymous_side()) for where in (at_lender, relay)
    )
    here, there = straight.channel_to(world.lender_name), relayed.channel_to(world.lender_name)
    assert (here, there) == (identities["lender"].end_point, identities["bank"].end_point)
    (offer,) = straight.send(Message(world.lender_name, "ask", ask(client.public, here)))
    wallet = world.new_wallet(channel_to=straight.channel_to)
    wallet.store.put(TERMS.name, wallet._when, {"terms": world.terms.encode()})
    assert wallet.check_offer(offer.body, client).channel == here
    # As it is told, the lender refuses; with the channel put right on its way, the wallet does.
    (refused,) = relayed.send(Message(world.lender_name, "ask", ask(client.public, there)))
    assert refused.kind == "refused"
    poe.puts_right = here
    (offer,) = relayed.send(Message(world.lender_name, "ask", ask(client.public, there)))
    assert offer.kind == "offer"
    caught = world.new_wallet(store=wallet.store, channel_to=relayed.channel_to)
    with pytest.raises(ForgeryError, match="somebody may stand in between"):
        caught.check_offer(offer.body, client)
    assert straight.channel_to("nobody") == NO_CHANNEL
    straight.close()
    relayed.close()
    poe.lines.close()
    at_lender.stop()
    relay.stop()


def test_an_end_point_is_of_a_certificate_whose_signature_names_a_hash(identities):
    der = ssl.PEM_cert_to_DER_cert(identities["lender"].certificate.read_text())
    expected = hashlib.sha256(b"tls-server-end-point:" + hashlib.sha256(der).digest()).digest()
    assert end_point(der) == identities["lender"].end_point == expected
    with pytest.raises(ParameterError, match="these bytes are none"):
        end_point(der[:-1])
    key = ed25519.Ed25519PrivateKey.generate()
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")]), datetime.datetime.now(datetime.UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    gateway = Gateway()
    config = gateway.config.encode()
    channel = Lines(
        {}, identities["bank"].anonymous_side(), via=Via("relay", SigningKey().public, {"lender": gateway.config})
    )
    assert channel.channel_to("lender") == key_config(config) != end_point(der)
    with pytest.raises(ForgeryError, match="key configuration"):
        key_config(config[:-1])
    with pytest.raises(ParameterError, match="names no hash"):
        end_point(made.sign(key, None).public_bytes(serialization.Encoding.DER))


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
    service = Service(Echo("helper"), Lines({}, identities["bank"].client_side()))
    with InThread(service, identities["bank"].server_side(known_only=True)) as private:
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
    service = Service(Echo("slow"), Lines({}, identities["bank"].client_side()), answer_after=0.05)
    with InThread(service, identities["bank"].server_side(known_only=False)) as slow:
        lines = Lines({"slow": slow.address}, identities["bank"].anonymous_side())
        for _ in range(3):
            lines.send(Message("slow", "echo", b""))
        lines.close()
    assert min(service.meter.seconds) >= 0.05
    assert json.loads(json.dumps(service.meter.quantile(0.5))) >= 0.05


def test_a_service_ends_though_a_line_that_nobody_reads_is_kept_to_it(identities, caplog):
    """The end of TLS is never answered on such a line: neither waited for, nor left open."""
    addresses: dict[str, str] = {}
    kept = Lines(addresses, identities["lender"].client_side())
    with caplog.at_level(logging.ERROR, logger="uvicorn.error"):
        service = Service(Echo("bank"), Lines({}, identities["bank"].client_side()))
        with InThread(service, identities["bank"].server_side(known_only=False)) as bank:
            addresses["bank"] = bank.address
            kept.send(Message("bank", "echo", b""))
    gc.collect()  # a connection left open is a warning here, and so an error
    kept.close()
    assert "graceful shutdown exceeded" not in caplog.text
