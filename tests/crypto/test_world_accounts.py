"""Accounts that are read: what a blind pipe holds, what a signed file proves, and who is read without being asked."""

from __future__ import annotations

import numpy as np
import pytest

from blindscore.errors import ForgeryError
from blindscore.extras import missing
from blindscore.people.society import make_society
from blindscore.scorecard.scorecard import Scorecard
from blindscore.surveillance.coalitions import shared_handles
from blindscore_crypto.world import aadhaar_offline, account_aggregator, open_banking


@pytest.fixture(scope="module")
def society():
    return make_society(400, seed=7)


def played(design, society):
    if missing(design.extra):
        pytest.skip(f"the extra {design.extra} is not installed")
    return design(sample=4).run(society, Scorecard(method="woe"), np.random.default_rng(1))


def test_the_pipe_knows_who_consents_to_whom_and_no_figure(society):
    run = played(account_aggregator.AccountAggregator, society)
    pipe = run.views[account_aggregator.PIPE]
    assert pipe.basis == "observed"
    assert pipe.values == []
    assert pipe.opaque_bytes > 200  # a statement passes through it
    assert shared_handles(pipe, run.views["lender"]) == ["legal_id"]
    assert set(run.views["lender"].of("feature")) == set(run.views["source"].of("feature"))


def test_a_sealed_statement_opens_for_one_key_and_unchanged():
    if missing("account-aggregator"):
        pytest.skip("the extra account-aggregator is not installed")
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    key, other = X25519PrivateKey.generate(), X25519PrivateKey.generate()
    sealed = account_aggregator.seal(b"statement", key.public_key().public_bytes_raw())
    assert account_aggregator.unseal(sealed, key) == b"statement"
    for changed, opener in ((sealed, other), (sealed[:-1] + bytes([sealed[-1] ^ 1]), key), (sealed[:20], key)):
        with pytest.raises(
            ForgeryError, match="statement refused: it was not sealed for this request, or it was changed"
        ):
            account_aggregator.unseal(changed, opener)


def test_a_signed_file_names_its_person_and_nobody_can_write_another_into_it(society):
    run = played(aadhaar_offline.AadhaarOffline, society)
    assert shared_handles(run.views["lender"], run.views["second lender"]) == ["legal_id", "reference"]
    assert {"age_band", "sex", "region"} <= set(run.views["lender"].values)
    seal = aadhaar_offline.new_seal()
    reference, file = seal.signed("ada", {"region": "area 1"})
    assert seal.read(file) == {"reference": reference, "legal_id": "ada", "region": "area 1"}
    inside = file.partition(b"<UidData>")[2].partition(b"</UidData>")[0]
    forged = inside.replace(b"ada", b"eve")
    for other in (
        file.replace(b'name="ada"', b'name="eve"'),
        file.replace(b"<UidData>", b"<UidData>" + forged + b"</UidData><UidData>"),
        b"<x/>",
        b"no xml",
        b"x" * 2**17,
    ):
        with pytest.raises(ForgeryError, match=r"file refused: (not signed by the authority|more than 65536 bytes)"):
            seal.read(other)
    with pytest.raises(ForgeryError, match="file refused: not signed by the authority"):
        aadhaar_offline.new_seal().read(file)


def test_an_agent_reads_people_whom_nobody_asked(society):
    run = played(open_banking.OpenBanking, society)
    assert run.views["agent"].friends is not None
    assert run.views["lender"].values == ["score"]
    neighbours = np.bincount(society.friends.ravel(), minlength=400)
    told = run.parameters[open_banking.SILENT]
    assert 0 < told <= neighbours.max()


def test_silent_parties_are_those_paid_who_did_not_consent():
    friends = np.array([[0, 1], [1, 2], [3, 0]])
    assert open_banking.silent_parties(friends, [0]) == {1, 3}
    assert open_banking.silent_parties(friends, [0, 1]) == {2, 3}
    assert open_banking.silent_parties(friends, []) == set()
