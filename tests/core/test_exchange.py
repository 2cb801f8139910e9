"""Cards travel as JSON: a round trip changes nothing, and a tampered file is refused."""

import contextlib
import json
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blindscore.errors import CardError
from blindscore.scorecard.card import Card, Characteristic, Scale
from blindscore.scorecard.forms.json import MAX_BYTES, card_from_json, card_to_json, load_card, save_card

CARD = Card(
    (
        Characteristic("age", points=(-10, 5, 20, 0), edges=(25.0, 40.5), woe=(-0.5, 0.1, 0.9, 0.0)),
        Characteristic("home", points=(8, -8, 1, 0), groups=(("own",), ("other", "rent"), ()), other=2),
    ),
    base=580,
    scale=Scale(base_score=600, pdo=40),
)


def changed(**top):
    return json.dumps({**json.loads(card_to_json(CARD)), **top})


def with_characteristic(**fields):
    plain = json.loads(card_to_json(CARD))
    plain["characteristics"][0] |= fields
    return json.dumps(plain)


def test_a_round_trip_changes_nothing(tmp_path):
    path = tmp_path / "card.json"
    save_card(CARD, path)
    assert load_card(path) == CARD
    assert load_card(path, expected=CARD.fingerprint).fingerprint == CARD.fingerprint
    assert os.listdir(tmp_path) == ["card.json"]


def test_equal_cards_have_equal_fingerprints():
    assert Card(CARD.characteristics, 580, Scale(base_score=600.0, pdo=40.0)).fingerprint == CARD.fingerprint
    assert Card(CARD.characteristics, 581, CARD.scale).fingerprint != CARD.fingerprint


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (changed(base=581), "fingerprint"),
        (with_characteristic(points=[-10, 5, 21, 0]), "fingerprint"),
        (with_characteristic(edges=[25.0, 40.6]), "fingerprint"),
        (changed(fingerprint="0" * 64), "fingerprint"),
        (changed(fingerprint="short"), "fingerprint"),
        (with_characteristic(edges=[40.5, 25.0]), "increasing"),
        (with_characteristic(points=[1, 2, 3], woe=None), "edges"),
        (with_characteristic(points=[-10, 5, 20, 10_001]), "points/3"),
        (with_characteristic(points=[0] * 18, edges=list(range(16))), "points"),
        (with_characteristic(points=[-10, 5.5, 20, 0]), "points/1"),
        (with_characteristic(points=[-10, True, 20, 0]), "points/1"),
        (with_characteristic(feature="home"), "twice"),
        (with_characteristic(woe=[0.0]), "evidence"),
        (with_characteristic(extra=1), "additionalProperties"),
        (changed(version=1), "version"),
        (with_characteristic(other=1), "other"),
        (with_characteristic(other="2"), "other"),
        (changed(format="other"), "format"),
        (changed(characteristics=[]), "characteristics"),
        (changed(base=10**30), "base"),
        (changed(base="600"), "base"),
        (changed(scale={"base_score": 600, "base_odds": 30, "pdo": 40, "low": 950, "high": 350}), "low"),
        (changed(scale={"base_score": 600, "base_odds": 30, "pdo": 40, "low": 350, "high": 10**9}), "high"),
        (changed().replace('"pdo": 40.0', '"pdo": 1e999'), "finite"),
        (changed().replace('"pdo": 40.0', '"pdo": NaN'), "JSON"),
        (changed().replace('"base": 580', '"base": 580, "base": 580'), "JSON"),
        ("[]", "top level"),
        ("", "JSON"),
        ("[" * 100_000, "JSON"),
        (b"\xff\xfe\x00", "JSON"),
        (b"\x80\x04N.", "JSON"),
    ],
)
def test_a_tampered_card_is_refused(text, word):
    assert card_from_json(changed()) == CARD  # the twin that is accepted
    with pytest.raises(CardError, match=word):
        card_from_json(text)


def test_a_sound_card_that_is_not_the_expected_one_is_refused(tmp_path):
    path = tmp_path / "card.json"
    save_card(Card(CARD.characteristics, 581, CARD.scale), path)
    assert load_card(path).base == 581
    with pytest.raises(CardError, match="expected"):
        load_card(path, expected=CARD.fingerprint)


def test_an_oversized_file_is_refused_before_it_is_parsed(tmp_path):
    path = tmp_path / "big.json"
    with open(path, "wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(CardError, match="larger"):
        load_card(path)
    with pytest.raises(CardError, match="cannot be read"):
        load_card(tmp_path / "absent.json")


def test_a_failed_write_leaves_the_old_card(tmp_path, monkeypatch):
    path = tmp_path / "card.json"
    save_card(CARD, path)
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        save_card(Card(CARD.characteristics, 1, CARD.scale), path)
    assert load_card(path) == CARD
    assert os.listdir(tmp_path) == ["card.json"]


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_a_flipped_byte_never_yields_another_card(data):
    text = bytearray(card_to_json(CARD).encode())
    at = data.draw(st.integers(0, len(text) - 1))
    text[at] = data.draw(st.integers(0, 255))
    with contextlib.suppress(CardError):
        assert card_from_json(bytes(text)) == CARD
