"""The laws beside the ledger: each entry says how far it was read, and is looked at again once it applies."""

from __future__ import annotations

import datetime
import tomllib
from importlib.resources import files

import pytest

from blindscore.designs.registry import load_designs
from blindscore.surveillance.attacks.registry import load_capabilities

LAWS = tomllib.loads((files("blindscore_app.report") / "law.toml").read_text("utf-8"))["entry"]
KEYS = {
    "law",
    "asks",
    "status",
    "as_of",
    "applies_from",
    "looked_at",
    "source",
    "verified",
    "capabilities",
    "shows",
    "designs",
}


def stale(entry, today):
    """Whether an entry has begun to apply without anybody having looked at it since."""
    begins = entry["applies_from"]
    return isinstance(begins, datetime.date) and entry["looked_at"] < begins <= today


@pytest.mark.parametrize("entry", LAWS, ids=lambda entry: entry["law"])
def test_an_entry_says_what_it_rests_on_and_is_looked_at_once_it_applies(entry):
    assert set(entry) == KEYS
    assert all(entry[key] for key in KEYS - {"applies_from", "designs"})
    assert entry["looked_at"] <= datetime.date.today(), "looked at in the future"
    assert not stale(entry, datetime.date.today()), "it applies by now: look at it again, and date `looked_at`"
    assert set(entry["designs"]) <= set(load_designs("all"))
    assert set(entry["capabilities"]) <= {capability.name for capability in load_capabilities()}


def test_an_entry_goes_stale_on_its_day_and_not_before():
    (act,) = (entry for entry in LAWS if "Annex III" in entry["law"])
    assert not stale(act, datetime.date(2027, 12, 1))
    assert stale(act, datetime.date(2027, 12, 2))
    assert not stale({**act, "looked_at": datetime.date(2027, 12, 3)}, datetime.date(2027, 12, 4))
