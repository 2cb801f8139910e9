"""What a ledger says that it came from, made again: people, designs with their settings, scorecard, attacks."""

from __future__ import annotations

from dataclasses import dataclass

from blindscore.designs.design import Design
from blindscore.errors import DataError
from blindscore.people.population import Population
from blindscore.people.society import KINDS, Kind, make_society
from blindscore.scorecard.scorecard import Scorecard
from blindscore.surveillance.capability import Capability
from blindscore.surveillance.ledger import Ledger
from blindscore.surveillance.outside import check_outside
from blindscore_app.report.figures import is_synthetic

MOST_PEOPLE = 1_000_000


@dataclass(frozen=True)
class Origin:
    """A run that can be run again."""

    people: int
    kind: Kind
    seeds: tuple[int, ...]  # the first is measured whole, marks are put to the others
    designs: tuple[Design, ...]
    scorecard: Scorecard  # unfitted
    outside: tuple[str, ...] = ()  # registers that attackers bring along

    def population(self, seed: int) -> Population:
        """Return the people of a seed."""
        return make_society(people=self.people, seed=seed, kind=self.kind)


def origin_of(ledger: Ledger) -> Origin:
    """Return what a ledger says that it came from.

    Raises
    ------
    DataError
        The people were real (they are not in a ledger), or the ledger lacks people or seed, or they are none that the
        program would make.
    ParameterError
        A design is unknown here, or its settings do not fit it.
    """
    from blindscore.designs.parameters import restored
    from blindscore.designs.registry import by_name, load_designs
    from blindscore.errors import ParameterError

    if not is_synthetic(ledger):
        raise DataError("real people are not kept in a ledger: only one of the synthetic society can be run again")
    people, seed = ledger.meta.get("people"), ledger.meta.get("seed")
    seeds = ledger.meta.get("seeds", [seed])
    if not _whole(people, MOST_PEOPLE) or not isinstance(seeds, list) or not seeds or seeds[0] != seed:
        raise DataError("the ledger's meta lacks people or seed; run the frontier again")
    if len(seeds) > 100 or not all(_whole(one, 2**32 - 1) for one in seeds):
        raise DataError("the ledger's meta names seeds that are none; run the frontier again")
    kind = next((kind for kind, name in KINDS.items() if name == ledger.meta.get("population")), None)
    if kind is None:
        raise DataError(f"no society is called {str(ledger.meta.get('population'))[:60]!r}; run the frontier again")
    known = load_designs("all")
    unknown = [row.design for row in ledger.designs if row.design not in known]
    if unknown:
        raise ParameterError(f"no design is called {', '.join(unknown)}; install the package that brings it")
    named = by_name([known[row.design] for row in ledger.designs])
    designs = tuple(restored(design, ledger.design(name).parameters) for name, design in named.items())
    outside = check_outside(map(str, ledger.meta.get("outside", ())))
    return Origin(int(people or 0), kind, tuple(seeds), designs, _scorecard(ledger), outside)


def attacks_of(ledger: Ledger) -> list[Capability]:
    """Return the attacks that a ledger has rows of.

    Raises
    ------
    DataError
        One is not known here.
    """
    from blindscore.surveillance.attacks.registry import load_capabilities

    known = {capability.name: capability for capability in load_capabilities()}
    asked = sorted({row.capability for row in ledger.rows})
    unknown = [name for name in asked if name not in known]
    if unknown:
        raise DataError(f"no attack is called {', '.join(unknown)}; install the package that brings it")
    return [capability for name, capability in known.items() if name in asked]


def _whole(value: object, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most


def _scorecard(ledger: Ledger) -> Scorecard:
    """Return the unfitted scorecard of the run, scale and all."""
    stated = ledger.meta.get("scorecard", {})
    known = Scorecard().get_params()
    card: Scorecard = Scorecard().set_params(**{k: v for k, v in dict(stated).items() if k in known})
    return card
