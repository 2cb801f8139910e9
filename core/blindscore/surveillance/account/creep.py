"""Function creep: each year the score's operator reads one more part of life, and nobody asks again.

The notion: Koops, "The concept of function creep", Law, Innovation and Technology 13 (2021): a system of one purpose
comes to serve others without anybody deciding upon the whole. Modelled here is its plainest course: a bureau of
financial figures, by name, that adds one context of life a year. Which comes when is this project's choice, from what
lenders already buy to what none is known to; the last year is ``platform`` without friends and places.

``python -m blindscore.surveillance.account.creep PEOPLE`` prints it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from blindscore.as_script import say
from blindscore.designs.flows import SCORE, Flow, Flows
from blindscore.people.population import FINANCIAL, Population
from blindscore.scorecard.scorecard import Scorecard
from blindscore.surveillance.capability import Capability
from blindscore.surveillance.frontier import measure
from blindscore.surveillance.ledger import Row

YEARS = (FINANCIAL, "device", "shopping", "browsing", "social", "posts")
OPERATOR = "scorer"


@dataclass(frozen=True)
class Year:
    """One year of a system that grows."""

    added: str  # the context of life that is new
    auc: float | None
    rows: tuple[Row, ...]  # of the operator alone

    @property
    def bits(self) -> float:
        """Bits that the operator learns, summed over the secrets one by one: an upper limit of what they tell."""
        return sum(row.bits or 0.0 for row in self.rows)


def grown(contexts: Sequence[str]) -> Flows:
    """Return the design of a year in which all these contexts of life are read, by name."""
    return Flows(
        name=f"year {len(contexts)}",
        summary=f"One operator reads {', '.join(contexts)} by name.",
        reads=tuple(contexts),
        flows=(
            Flow("source", OPERATOR, ("register", *contexts, SCORE), "legal id"),
            Flow(OPERATOR, "lender", ("register", SCORE), "legal id"),
        ),
    )


def creep(population: Population, attack: Capability, seed: int = 1, years: Sequence[str] = YEARS) -> tuple[Year, ...]:
    """Return, year by year, what the operator can do with one capability, and how well it scores.

    Contexts of which these people have nothing are passed over.

    Parameters
    ----------
    attack
        :class:`~blindscore.surveillance.attacks.profile.Profile`, say.
    years
        Contexts in the order in which they are added.
    """
    known = {feature.context for feature in population.schema.features}
    order = [context for context in years if context in known]
    designs = [grown(order[: k + 1]) for k in range(len(order))]
    ledger = measure(population, designs, Scorecard(), seed=seed, command="", capabilities=[attack])
    return tuple(
        Year(added, design.auc, tuple(ledger.find(design=design.design, capability=attack.name, coalition=OPERATOR)))
        for added, design in zip(order, ledger.designs, strict=True)
    )


def creep_table(people: int, seed: int = 1) -> str:
    """Return, in Markdown, what each year's addition tells the operator of secrets, and what it does for the score."""
    from blindscore.people.society import make_society
    from blindscore.surveillance.attacks.profile import Profile

    found = creep(make_society(people, seed=seed), Profile(), seed)
    secrets = [row.secret for row in found[0].rows]
    lines = [f"| year | added | AUC | bits | {' | '.join(secrets)} |", f"|---|---|---:|---:|{'---:|' * len(secrets)}"]
    for k, year in enumerate(found, 1):
        told = " | ".join(f"{row.advantage:.3f}" for row in year.rows)
        lines.append(f"| {k} | {year.added} | {year.auc or 0.0:.3f} | {year.bits:.3f} | {told} |")
    return "\n".join(lines)


if __name__ == "__main__":
    say(creep_table, {"people": int})
