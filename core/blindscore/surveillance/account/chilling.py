"""Chilling effect: people who know that they are scored behave as the score likes. An intervention, not a guess.

That people drop lawful conduct when they know they are watched is observed: readers turned away from articles on
terrorism after June 2013 (Penney, "Chilling Effects: Online Surveillance and Wikipedia Use", Berkeley Technology Law
Journal 31, 2016). How much they adapt to a score nobody has measured; here everybody does who gains by it: of two
values of each conduct feature, the society's tenth and ninetieth percentile, a person takes the one that raises its
score most, if either does, while all else follows as the society makes it. That is the pressure of a rule, an upper end
of what people give up; those who do not know the rule, or would rather lose points, give up less.

``python -m blindscore.surveillance.account.chilling PEOPLE DESIGN...`` prints it for some designs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from blindscore.as_script import say
from blindscore.designs.design import Run
from blindscore.errors import ParameterError
from blindscore.people.society import SETTABLE, Society

ENDS = (0.1, 0.9)  # percentiles of today's conduct between which people choose


@dataclass(frozen=True)
class Chill:
    """What one design makes of one kind of conduct."""

    feature: str
    adapt: float  # share of people whose score one of both ends would raise
    gain: float  # points that they gain, mean over them; 0 where nobody adapts
    admitted: float  # share of the refused whom adapting alone would have approved
    before: float  # mean of the feature over everybody
    after: float  # the same once everybody who gains has adapted


def chilling(society: Society, run: Run, features: Sequence[str] | None = None) -> tuple[Chill, ...]:
    """Return what people would do differently under a run's rule, one kind of conduct at a time.

    Parameters
    ----------
    features
        Conduct to ask about; all that the society can set and has if None.

    Raises
    ------
    ParameterError
        A feature is none of conduct.
    """
    asked = [name for name in SETTABLE if name in society.features] if features is None else list(features)
    before = run.score(society).astype(np.int32)
    found = []
    for name in asked:
        own = society.features[name].to_numpy(np.float64)
        ends = [float(end) for end in np.nanquantile(own, ENDS)]
        scores = np.stack([run.score(society.do({name: end})).astype(np.int32) for end in ends])
        best = scores.argmax(axis=0)
        reached = scores.max(axis=0)
        adapts = reached > before
        refused = before < run.threshold
        moved = np.where(adapts, np.array(ends)[best], own)
        found.append(
            Chill(
                feature=name,
                adapt=float(adapts.mean()),
                gain=float((reached - before)[adapts].mean()) if adapts.any() else 0.0,
                admitted=float((reached >= run.threshold)[refused].mean()) if refused.any() else 0.0,
                before=float(np.nanmean(own)),
                after=float(np.nanmean(moved)),
            )
        )
    return tuple(found)


def chilling_table(people: int, names: Sequence[str], seed: int = 1) -> str:
    """Return, in Markdown, what each design makes of each kind of conduct in a society of so many people.

    Raises
    ------
    ParameterError
        No design has such a name, or a society cannot have so many people.
    """
    from blindscore.designs.registry import load_designs
    from blindscore.people.society import make_society
    from blindscore.scorecard.scorecard import Scorecard
    from blindscore.surveillance.frontier import run_design

    known = load_designs()
    if unknown := [name for name in names if name not in known]:
        raise ParameterError(f"no design is called {unknown[0]!r}; there are {', '.join(known)}")
    society = make_society(people, seed=seed)
    lines = ["| design | conduct | would adapt | points gained | refused who get in | mean before | after |"]
    lines.append("|---|---|---:|---:|---:|---:|---:|")
    for design in (known[name] for name in known if name in names):
        for chill in chilling(society, run_design(society, design, Scorecard(), seed)):
            if chill.adapt:
                figures = f"{chill.adapt:.3f} | {chill.gain:.1f} | {chill.admitted:.3f}"
                lines.append(
                    f"| `{design.name}` | {chill.feature} | {figures} | {chill.before:.3g} | {chill.after:.3g} |"
                )
    return "\n".join(lines)


if __name__ == "__main__":
    say(chilling_table, {"people": int}, "design")
