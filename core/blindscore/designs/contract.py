"""The contract that every design keeps, whoever wrote it: rules of its run, and what its claims must look like in it.

A claim that holds in the run is not proved by that: where a protocol is executed, the tests moreover play a cheat
against each claim (``tests/claims.py`` of the repository). This part needs nothing but the design.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import is_dataclass

import numpy as np
import pandas as pd

from blindscore.designs.design import (
    CONSTANT_SIZES,
    NO_CONDUCT,
    ONE_BIT,
    PUBLIC_CARD,
    SCORE_ONLY,
    SIGNED_DECISION,
    SOURCE_BLIND,
    UNLINKABLE,
    VERIFIED_SCORE,
    Design,
    Run,
)
from blindscore.designs.plain import LEGAL_ID
from blindscore.errors import ContractError
from blindscore.parties.view import Kind
from blindscore.people.population import Population
from blindscore.people.society import Society, make_society
from blindscore.scorecard.scorecard import Scorecard
from blindscore.surveillance.coalitions import coalitions_of, shared_handles

PEOPLE = 1500
CONDUCT = ("posts", "shopping")
Holds = Callable[[Design, Run, Population], bool]


def check_design(design: Design, people: int = PEOPLE, seed: int = 7) -> Run:
    """Run a design over a synthetic society and hold it to every rule and each of its claims.

    Parameters
    ----------
    people
        How many; a few hundred may leave a rule about shares to luck.
    seed
        Of the society and the run.

    Raises
    ------
    ContractError
        A rule or a claim does not hold; the message names all that do not.
    """
    society = make_society(people, seed=seed)
    run = design.run(society, Scorecard(), np.random.default_rng(seed))
    if broken := broken_by(design, run, society):
        raise ContractError(f"design {design.name!r} breaks its contract: {'; '.join(broken)}")
    return run


def broken_by(design: Design, run: Run, people: Population) -> list[str]:
    """Return the rules and claims that a run over these people does not bear out, in words."""
    broken = [name for name, holds in RULES.items() if not holds(design, run, people)]
    return broken + [f"claims that {c}" for c in sorted(design.enforces & set(CLAIMS)) if not CLAIMS[c](run, people)]


def _record(design: Design, run: Run, people: Population) -> bool:
    frozen = is_dataclass(design) and type(design).__dataclass_params__.frozen
    known = design.enforces <= {*CLAIMS, PUBLIC_CARD, SIGNED_DECISION}
    return frozen and known and design.summary.endswith(".") and all(rule.source for rule in design.rules)


def _scores(design: Design, run: Run, people: Population) -> bool:
    scale = run.card.scale
    return (
        run.scores.shape == run.decisions.shape == (len(people),)
        and run.scores.dtype == np.int16
        and scale.low <= run.scores.min() <= run.scores.max() <= scale.high
        and np.array_equal(run.decisions, run.scores >= run.threshold)
    )


def _approves(design: Design, run: Run, people: Population) -> bool:
    return bool(0.5 < run.decisions.mean() < 0.95)


def _views(design: Design, run: Run, people: Population) -> bool:
    everybody = set(range(len(people)))
    return {"scorer", "lender", "source"} <= set(run.views) and all(
        set(view.person) == everybody
        and len(view.clear) == len(view.person)
        and view.role in run.views
        and view.basis in ("modelled", "observed")
        and (view.keyed_by == "legal id") == (LEGAL_ID in view.clear.columns)
        and not set(people.sensitive.columns) & set(view.clear.columns)
        for view in run.views.values()
    )


def _feared(design: Design, run: Run, people: Population) -> bool:
    names = {coalition.name for coalition in coalitions_of(run, design.feared)}
    always = {"scorer", "lender", "source", "state", "observer", "scorer+state", "lender+source", "all"}
    return (always | set(run.views)) <= names


def _agrees(design: Design, run: Run, people: Population) -> bool:
    return run.real_agree == run.real_runs


def _wire(design: Design, run: Run, people: Population) -> bool:
    told_of_all = len(run.views["lender"].messages) == len(people)
    return told_of_all and _constant_sizes(run, people) == (CONSTANT_SIZES in design.enforces)


def _finite(design: Design, run: Run, people: Population) -> bool:
    told = {view: view.clear[view.values] for view in run.views.values() if view.universe is not None}
    # Who reads nothing has one value: nothing.
    return all((len(v.drop_duplicates()) if view.values else 1) <= (view.universe or 0) for view, v in told.items())


def _at_risk(design: Design, run: Run, people: Population) -> bool:
    return 0 <= run.audit_share <= 1 and _verified(run, people) == (VERIFIED_SCORE in design.enforces)


def _conduct(design: Design, run: Run, people: Population) -> bool:
    again = bool((run.score(people) == run.scores).all())
    return again and _no_conduct(run, people) == (NO_CONDUCT in design.enforces)


def _executed(design: Design, run: Run, people: Population) -> bool:
    return run.real_runs > 0 or not design.enforces & {PUBLIC_CARD, SIGNED_DECISION, VERIFIED_SCORE}


def _explained(design: Design, run: Run, people: Population) -> bool:
    """Whether the scorer's view tells the score, as it must where no protocol computes it from what nobody sees."""
    view = run.views["scorer"]
    if run.real_runs or view.friends is not None or view.visits is not None:
        return True
    known = view.clear[view.values].set_axis(view.person)
    alike = known.groupby(view.values, dropna=False).ngroup() if view.values else 0
    scores = pd.Series(run.scores[view.person], view.person)
    return bool((scores.groupby(alike).nunique() == 1).all()) if view.values else scores.nunique() == 1


RULES: Mapping[str, Holds] = {
    "a design is a frozen record, its summary is a sentence, its claims are known and its rules have sources": _record,
    "scores are int16 on the card's scale and decide at the threshold": _scores,
    "between half and 95% are approved": _approves,
    "scorer, lender and source have views of everybody, names only where they say so, and no secret": _views,
    "whoever has a view, and whom the design fears, stands in a coalition": _feared,
    "every real run agrees with the clear score": _agrees,
    "the wire has a size for everybody, one size where that is claimed and several where it is not": _wire,
    "a finite view has no more values than it says": _finite,
    "what is claimed of a protocol is claimed of one that was executed": _executed,
    "where no protocol was executed, the scorer's view tells the score that it computes": _explained,
    "only verified scores put who bends them at risk": _at_risk,
    "scoring again gives the same, and other conduct moves a score unless the opposite is claimed": _conduct,
}


def _told_alone(run: Run, *kinds: Kind) -> str | None:
    lender = run.views["lender"]
    return lender.values[0] if len(lender.values) == 1 and lender.values == lender.of(*kinds) else None


def _score_only(run: Run, people: Population) -> bool:
    lender, told = run.views["lender"], _told_alone(run, "score", "total")
    return told is not None and np.array_equal(run.card.clip(lender.clear[told].to_numpy()), run.scores[lender.person])


def _one_bit(run: Run, people: Population) -> bool:
    lender, told = run.views["lender"], _told_alone(run, "decision")
    return told is not None and np.array_equal(lender.clear[told].astype(bool), run.decisions[lender.person])


def _unlinkable(run: Run, people: Population) -> bool:
    return not shared_handles(run.views["lender"], run.views["source"])


def _source_blind(run: Run, people: Population) -> bool:
    return not run.views["source"].of("score", "total", "decision")


def _constant_sizes(run: Run, people: Population) -> bool:
    return len(run.views["lender"].messages[["bytes_up", "bytes_down"]].drop_duplicates()) == 1


def _no_conduct(run: Run, people: Population) -> bool:
    return bool((run.score(_other_conduct(people)) == run.scores).all())


def _verified(run: Run, people: Population) -> bool:
    return 0 < run.audit_share <= 1


def _other_conduct(people: Population) -> Population:
    if not isinstance(people, Society):
        raise ContractError("only the synthetic society answers an intervention on conduct; take make_society")
    other = people.do({f.name: 9.0 for f in people.schema.features if f.context in CONDUCT})
    if other.features.equals(people.features):
        raise ContractError("these people have no conduct that an intervention could change; take the society")
    return other


# Claim -> whether a run bears it out. PUBLIC_CARD and SIGNED_DECISION speak of a protocol: only a cheat tests them.
CLAIMS: Mapping[str, Callable[[Run, Population], bool]] = {
    SCORE_ONLY: _score_only,
    ONE_BIT: _one_bit,
    UNLINKABLE: _unlinkable,
    SOURCE_BLIND: _source_blind,
    CONSTANT_SIZES: _constant_sizes,
    NO_CONDUCT: _no_conduct,
    VERIFIED_SCORE: _verified,
}
