"""The world's executed systems: the contract in short, what batches part, and forgeries refused."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from blindscore.designs.design import ONE_BIT, SCORE_ONLY, UNLINKABLE, Design
from blindscore.designs.registry import load_designs
from blindscore.errors import ForgeryError, ParameterError
from blindscore.extras import missing
from blindscore.people.society import make_society
from blindscore.scorecard.scorecard import Scorecard
from blindscore.surveillance.coalitions import coalitions_of, shared_handles
from blindscore_crypto.designs.executed import fit
from blindscore_crypto.world import mdoc, sd_jwt
from blindscore_crypto.world.credential import play
from blindscore_crypto.world.design import Credential
from blindscore_crypto.world.linking import linked
from blindscore_crypto.world.run import in_pairs
from blindscore_crypto.world.sd_jwt import SdJwtScore

RUN = {name: d for name, d in load_designs("world").items() if hasattr(d, "extra") and not missing(d.extra)}
SHOWN = {name: d for name, d in RUN.items() if isinstance(d, Credential)}
SLOW = {"longfellow": 2}  # a proof takes seconds: two people do
SCHEMES = [module for module, extra in ((sd_jwt, "sd-jwt"), (mdoc, "mdoc")) if not missing(extra)]
NONCE = b"n" * 16


@pytest.fixture(scope="module")
def society():
    return make_society(400, seed=7)


def played(design, society, **changes):
    return replace(design, sample=SLOW.get(design.name, 4), **changes).run(
        society, Scorecard(method="woe"), np.random.default_rng(1)
    )


@pytest.mark.parametrize("name", sorted(RUN))
def test_every_executed_system_passes_the_contract_in_short(name, society):
    design = RUN[name]
    assert isinstance(design, Design)
    run = played(design, society)
    assert run.real_runs == run.real_agree == SLOW.get(name, 4)
    assert {"scorer", "lender", "source"} <= set(run.views)
    coalitions_of(run, design.feared)
    lender = run.views["lender"]
    assert lender.basis == "observed"
    assert lender.received
    assert ("legal_id" in lender.clear) == (name not in SHOWN)
    if SCORE_ONLY in design.enforces:
        assert lender.values == ["score"]
    if ONE_BIT in design.enforces:
        assert lender.values == ["decision"]
    if UNLINKABLE in design.enforces:
        assert not shared_handles(lender, run.views["second lender"])
    sizes = lender.messages["bytes_down"].groupby(run.decisions).nunique()
    assert (sizes == 1).all()
    assert lender.messages["bytes_down"].nunique() == 2  # "true" and "false" differ in length


@pytest.mark.parametrize("name", sorted({n for n, d in SHOWN.items() if d.kept.linkable} - {"sd-jwt"}))
def test_batches_part_lenders_from_each_other_and_not_from_the_issuer(name, society):
    one, many = linked(RUN[name].kept, society, Scorecard(method="woe"), (1, 4), sample=4)
    assert (one.lenders, one.issuer) == (1.0, 1.0)
    assert (many.lenders, many.issuer) == (0.0, 1.0)


def test_exact_figures_join_whatever_the_batch(society):
    if "sd-jwt" in RUN:
        run = played(RUN["sd-jwt"], society, batch=2)
        assert shared_handles(run.views["lender"], run.views["second lender"]) == ["exact figures"]


@pytest.mark.parametrize("name", sorted({n for n, d in SHOWN.items() if d.kept.linkable} - {"sd-jwt"}))
def test_a_batch_passes_its_observation_whoever_is_drawn(name, society):
    # Once, a length byte of DER that only one device's two signatures shared passed for a common string of one person.
    fitted = fit(society, Scorecard(method="woe"), 0.75)
    for seed in range(10):
        chosen = in_pairs(fitted.scores, 4, np.random.default_rng(seed))
        assert play(RUN[name].kept, society, fitted, chosen, 2).real_agree == 4


def test_a_document_tells_no_finer_time_than_the_day_and_its_sizes_do_not_vary():
    if missing("mdoc"):
        pytest.skip("the extra mdoc is not installed")
    made, sizes = mdoc.scheme(), set()
    for _ in range(20):
        holder = made.holding()
        shown = holder.present(made.issuing.issue(holder.ask(), {"score": 640}), ("score",), NONCE, "lender")
        assert set(re.findall(rb"T(\d\d:\d\d:\d\d)Z", shown)) == {b"00:00:00"}
        sizes.add(len(shown))
    assert len(sizes) == 1


@pytest.mark.parametrize("module", SCHEMES, ids=lambda module: module.__name__.rpartition(".")[2])
def test_a_presentation_is_good_for_one_nonce_audience_issuer_and_device(module):
    made, other = module.scheme(), module.scheme()
    holder, thief = made.holding(), made.holding()
    credential = made.issuing.issue(holder.ask(), {"score": 640, "hidden": 3})
    shown = holder.present(credential, ("score",), NONCE, "lender")
    assert dict(made.checking.check(shown, NONCE, "lender"))["score"] == 640
    assert "hidden" not in made.checking.check(shown, NONCE, "lender")
    for checking, presentation, nonce, audience in (
        (made.checking, shown, b"m" * 16, "lender"),
        (made.checking, shown, NONCE, "other"),
        (other.checking, shown, NONCE, "lender"),
        (made.checking, thief.present(credential, ("score",), NONCE, "lender"), NONCE, "lender"),
        (made.checking, shown[:-7], NONCE, "lender"),
        (made.checking, b"\xff\x00", NONCE, "lender"),
        (made.checking, b"x" * 2**20, NONCE, "lender"),
    ):
        with pytest.raises(ForgeryError, match=r"not signed by issuer and device for this use|more than 65536 bytes"):
            checking.check(presentation, nonce, audience)


def test_a_batch_out_of_range_is_refused(society):
    if missing("sd-jwt"):
        pytest.skip("the extra sd-jwt is not installed")
    with pytest.raises(ParameterError, match="batch must lie between 1 and 64"):
        SdJwtScore(batch=65).run(society, Scorecard(), np.random.default_rng(1))
