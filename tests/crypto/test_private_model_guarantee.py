"""The model file: card and guarantee travel together, and neither can be swapped or embellished."""

import json
import time

import numpy as np
import pandas as pd
import pytest

from blindscore.errors import CardError, ForgeryError, ParameterError
from blindscore_crypto.private_model.accounting import Release, epsilon_of, epsilon_rdp
from blindscore_crypto.private_model.domains import Domains, Number
from blindscore_crypto.private_model.estimator import PrivateScorecard
from blindscore_crypto.private_model.guarantee import Guarantee, load_private, save_private


@pytest.fixture(scope="module")
def model():
    rng = np.random.default_rng(1)
    people = pd.DataFrame({"late": rng.poisson(1.0, 500).astype(float)})
    domains = Domains.declared({"late": Number(edges=(1.0, 2.0))})
    return PrivateScorecard(1.0, 1e-5, domains=domains).fit(people, rng.random(500) < 0.2 + 0.1 * (people["late"] > 1))


@pytest.fixture
def path(model, tmp_path):
    save_private(model, tmp_path / "card.json")
    return tmp_path / "card.json"


def test_the_file_carries_card_and_guarantee(model, path):
    card, guarantee = load_private(path)
    assert card == model.card_
    assert guarantee == Guarantee.of(model)
    assert (guarantee.epsilon, guarantee.delta, guarantee.method) == (1.0, 1e-5, "onestep")
    assert guarantee.neighbours == "add or remove one person"
    assert "not the applicant" in json.loads(path.read_text())["guarantee"]["protects"]


def spoilt(path, change):
    plain = json.loads(path.read_text())
    change(plain)
    path.write_text(json.dumps(plain))
    return path


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda p: p["guarantee"].update(epsilon=0.5), "more than"),
        (lambda p: p["guarantee"]["releases"][0].update(sigma=0.1), "more than"),
        (lambda p: p["guarantee"].update(card="0" * 64), "another card"),
        (lambda p: p["guarantee"].update(neighbours="replace one cell"), "neighbours"),
        (lambda p: p["guarantee"].update(protects="everybody"), "not a private card"),
        (lambda p: p["guarantee"].update(epsilon=float("nan")), "epsilon"),
        (lambda p: p["guarantee"].update(delta=0.5), "delta"),
        (lambda p: p["guarantee"].update(method="magic"), "method"),
        (lambda p: p["guarantee"].update(releases=[]), "releases"),
        (lambda p: p["guarantee"]["releases"][0].update(sigma=-1), "not a private card"),
        (lambda p: p["guarantee"]["releases"][0].update(sampling=2), "not a private card"),
        (lambda p: p["guarantee"]["releases"][0].pop("what"), "not a private card"),
        (lambda p: p.update(version=2), "not a private card"),
        (lambda p: p.pop("guarantee"), "not a private card"),
    ],
)
def test_an_embellished_guarantee_is_refused(path, change, word):
    load_private(path)
    with pytest.raises(ForgeryError, match=word):
        load_private(spoilt(path, change))


def test_a_changed_card_is_refused(path):
    with pytest.raises(CardError, match="fingerprint"):
        load_private(spoilt(path, lambda p: p["card"].update(base=p["card"]["base"] + 1)))


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff\xfe", b"[" * 100_000])
def test_hostile_bytes_are_refused(tmp_path, content):
    (tmp_path / "bad.json").write_bytes(content)
    with pytest.raises(ForgeryError, match=r"bad\.json"):
        load_private(tmp_path / "bad.json")
    with pytest.raises(ForgeryError, match="cannot be read"):
        load_private(tmp_path / "absent.json")


def test_a_guarantee_that_does_not_add_up_cannot_be_made():
    Guarantee(1.0, 1e-5, "onestep", (Release("sum", 1.0, 5.0),))
    with pytest.raises(ParameterError, match="more than"):
        Guarantee(1.0, 1e-5, "onestep", (Release("sum", 1.0, 1.0),))


def test_either_bound_is_proof_and_files_charged_by_the_older_one_are_still_read():
    exact, older = (Release("sum", 9.0, 36.0),), (Release("sum", 1.0, 1.0),)
    assert epsilon_of(exact, 1e-5) < 1.0 < epsilon_rdp(exact, 1e-5)
    assert epsilon_rdp(older, 1e-5) < 5.0 < epsilon_of(older, 1e-5)  # so little noise is not counted any more
    Guarantee(1.0, 1e-5, "onestep", exact)
    Guarantee(5.0, 1e-5, "onestep", older)


def test_a_hostile_record_of_sampled_steps_is_judged_quickly():
    steps = Release("steps", 1.0, 1.0, 10**9, 1e-6, "float")
    started = time.monotonic()
    with pytest.raises(ParameterError, match="more than"):
        Guarantee(epsilon_rdp([steps], 1e-5) / 1.05, 1e-5, "opacus", (steps,))
    assert time.monotonic() - started < 5
