"""A credential as a design: a sample is issued and shown to two lenders for real, and every view is held to that.

Who sees what is each scheme's to say; the parties are those of :mod:`blindscore_crypto.world.parties`. ``batch``: how
many credentials are fetched at once; a wallet shows them in turn and starts over when they are used up, so with two
lenders a batch of one is recognised, and a batch of two is not, but by its issuer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore.designs.design import Run
from blindscore.designs.plain import columns_of, everyone, financial, own_records
from blindscore.extras import require
from blindscore.parties.cast import Cast
from blindscore.parties.store import Field, MemoryStore, TableSpec
from blindscore.parties.view import Kind, View
from blindscore.people.population import Population
from blindscore.scorecard.scorecard import Scorecard
from blindscore_crypto.designs.executed import Executed, Fitted, execute, fit, legal_ids
from blindscore_crypto.designs.sample import check_sample
from blindscore_crypto.world.parties import (
    ACCOUNTS,
    ISSUED,
    LENDERS,
    STATUS,
    Issuer,
    Lender,
    Reads,
    Wallet,
    accounts_spec,
)
from blindscore_crypto.world.run import in_pairs, kinds_of, known_of, run_of
from blindscore_crypto.world.scheme import Scheme

TELLS = ("score", "features", "bit")  # what a presentation shows
FIGURES = "exact figures"


@dataclass(frozen=True)
class Kept:
    """What every credential's design is made of."""

    scheme: Callable[[int], Scheme]  # given the threshold, made with a fresh issuer
    tells: str  # one of TELLS
    linkable: bool  # whether one credential's presentations carry a common string
    issues: str = ""  # one of TELLS, what stands in a credential; "" = what it tells
    numbered: bool = True  # whether a credential that stands alone carries its number in a status list
    known: bool = False  # whether a verifier knows a person again, and no other verifier does, by a pseudonym


def check(sample: int, batch: int, extra: str) -> None:
    """Return if the extra is there, and sample and batch make sense.

    Raises
    ------
    ParameterError, MissingExtraError
        They do not, or it is not.
    """
    from blindscore.errors import ParameterError
    from blindscore_crypto.world.parties import MAX_BATCH

    check_sample(sample)
    if not 1 <= batch <= MAX_BATCH:
        raise ParameterError(f"batch must lie between 1 and {MAX_BATCH}, got {batch}")
    require(extra)


def play(
    kept: Kept,
    population: Population,
    fitted: Fitted,
    chosen: NDArray[np.integer],
    batch: int,
    *,
    lenders: tuple[str, ...] = LENDERS,
    look_up: bool = False,
) -> Executed:
    """Issue to the chosen people, have them show to each lender, and hold all views to what was observed."""
    views = views_of(kept, population, fitted, batch, lenders)
    return execute(
        cast(kept, population, fitted, chosen, batch, lenders, look_up),
        population,
        chosen,
        views,
        fitted.decisions,
        sizes_vary=True,
    )


def cast(
    kept: Kept,
    population: Population,
    fitted: Fitted,
    chosen: NDArray[np.integer],
    batch: int,
    lenders: tuple[str, ...],
    look_up: bool,
) -> Cast:
    """Return who plays: a source that is the issuer, the lenders, and wallets."""
    scheme, features = kept.scheme(fitted.threshold), financial(population)
    known, ids = known_of(population, chosen), legal_ids(population)
    figures, register = kinds_of(population)
    store = MemoryStore(
        accounts_spec({**figures, **register, "score": "score"}),
        TableSpec(ISSUED, Field("credential", "handle"), (Field("owner", "handle"), Field("index", "own"))),
    )
    claims: dict[str, Mapping[str, str | int | float | bool | None]] = {}
    for i in map(int, chosen):
        score = int(fitted.scores[i])
        store.put(ACCOUNTS, ids[i].encode(), {**known[ids[i]], "score": score})
        claims[ids[i]] = _claims(kept, {name: known[ids[i]][name] for name in features}, score, fitted.threshold)
    # Numbers of one batch, shown in the clear, resemble one another: batches live for a day instead.
    status = batch == 1 and kept.numbered
    issuer = Issuer(scheme.issuing, claims, store, status=status)
    shown = (*next(iter(claims.values())), *((STATUS,) if status else ()))
    reads = reads_of(kept, fitted, features)
    banks = [
        Lender(name, scheme.checking, reads, fitted.threshold, MemoryStore(reads.spec()), look_up) for name in lenders
    ]

    def wallet(legal_id: str) -> Wallet:
        return Wallet(f"wallet of {legal_id}", scheme, batch, shown, lenders)

    return Cast((issuer, *banks), wallet, lambda w: w.ending(), {("wallet", "source"): "legal id"})  # type: ignore[attr-defined]


def reads_of(kept: Kept, fitted: Fitted, features: list[str]) -> Reads:
    """Return what a lender takes from what it is shown."""
    if kept.tells == "features":
        told = (*((name, "feature") for name in features), ("score", "score"))
        return Reads(told, fitted.card, fitted.threshold)
    if kept.tells == "bit":
        return Reads((("decision", "decision"),), None, fitted.threshold)
    return Reads((("score", "score"),), None, fitted.threshold)


def views_of(
    kept: Kept, population: Population, fitted: Fitted, batch: int, lenders: tuple[str, ...]
) -> dict[str, View]:
    """Return the ideal views: each lender's figures and the credential that it saw, the issuer's with all of them."""
    n, features = len(population), financial(population)
    drawn = np.random.default_rng([n, 0xC4]).permutation(n).astype(np.int64)
    shown = {name: f"credential {i % batch + 1}" for i, name in enumerate(lenders)}
    handles = dict.fromkeys(sorted(set(shown.values())), drawn) if kept.linkable else {}
    if kept.tells == "features":
        handles[FIGURES] = drawn
    ledger = own_records(population, features).assign(score=fitted.scores, **handles)
    kinds: dict[str, Kind] = {"score": "score", **dict.fromkeys(handles, "handle")}
    views = {
        "source": View("source", "legal id", ledger, columns_of(population, ledger, **kinds), everyone(population))
    }
    for name in lenders:
        clear = pd.DataFrame(index=range(n))
        if kept.tells == "features":
            clear = population.features[features].reset_index(drop=True)
            clear[FIGURES] = drawn  # exact figures are a person's own, and join whoever reads them
        if kept.tells == "bit":
            clear["decision"] = fitted.decisions.astype(np.int8)
        else:
            clear["score"] = fitted.scores
        if kept.linkable:
            clear[shown[name]] = drawn
        if kept.known:
            clear[f"pseudonym at {name}"] = drawn
        own: dict[str, Kind] = {"score": "score", "decision": "decision", shown[name]: "handle", FIGURES: "handle"}
        own[f"pseudonym at {name}"] = "handle"
        told = columns_of(population, clear, **own)
        bits = 2 if kept.tells == "bit" else fitted.card.scale.high - fitted.card.scale.low + 1
        views[name] = View(
            name, "one-time", clear, told, everyone(population), universe=None if kept.tells == "features" else bits
        )
    return views


def run(
    kept: Kept,
    population: Population,
    scorecard: Scorecard,
    rng: np.random.Generator,
    approve: float,
    sample: int,
    batch: int,
    look_up: bool,
) -> Run:
    """Fit, play a sample, and record what was observed."""
    fitted = fit(population, scorecard, approve)
    chosen = in_pairs(fitted.scores, sample, rng)
    done = play(kept, population, fitted, chosen, batch, look_up=look_up)
    own = kept.tells == "features"  # the lender scores what it is shown; else the issuer has scored
    return run_of(
        done,
        fitted,
        scorer="lender" if own else "source",
        plays={"lender": ("scorer", "lender")} if own else {"source": ("scorer", "source")},
        parameters={"approve": approve, "batch": batch},
    )


def _claims(
    kept: Kept, record: Mapping[str, float | str | None], score: int, threshold: int
) -> dict[str, str | int | float | bool | None]:
    issues = kept.issues or kept.tells
    if issues == "features":
        return dict(record)
    if issues == "bit":
        return {"approved": score >= threshold}
    return {"score": score}
