"""Second bank: who keeps savings at another bank than the one that pays the wages has two, and each knows its part.

Which figure lies where is this project's choice: savings at the second bank, everything else of a bank's at the first.
"""

from __future__ import annotations

from dataclasses import replace

from blindscore.errors import ParameterError
from blindscore.people.population import Population
from blindscore.scorecard.card import Card
from blindscore_app.town.folders import BANK

SECOND = "bank-2"
ELSEWHERE = "savings"


def with_second_bank(people: Population, card: Card) -> Population:
    """Return the same people, whose savings a bank of its own holds.

    Raises
    ------
    ParameterError
        The card does not read savings, so that nobody would ask the second bank.
    """
    if ELSEWHERE not in card.features or people.schema[ELSEWHERE].source != BANK:
        raise ParameterError(f"this card reads no {ELSEWHERE} of a bank; a second bank would be asked nothing")
    held = tuple(replace(one, source=SECOND) if one.name == ELSEWHERE else one for one in people.schema.features)
    return replace(people, schema=replace(people.schema, features=held))
