"""What every attack on classes is judged by: advantage on targets, bits, and carriers found at few false alarms."""

from __future__ import annotations

from dataclasses import replace

from blindscore.surveillance.inference.bound import entropy_bits
from blindscore.surveillance.inference.classifiers import Guess, cross_entropy_bits
from blindscore.surveillance.inference.intervals import balanced_advantage, tpr_at_fpr
from blindscore.surveillance.ledger import Row
from blindscore.surveillance.truth import Truth


def class_row(truth: Truth, capability: str, secret: str, asked: str, guess: Guess, *purpose: str) -> Row:
    """Return the row of a guess at the classes of ``asked``, its control 0 and its bound still to be said.

    Many coalitions of a run make the very same guess: what is told of it is worked out once.

    Parameters
    ----------
    purpose
        Of the generator that draws the interval.
    """
    drawn = purpose or (capability,)
    # The guess is kept with its figures, so that nothing else comes to lie where it lay.
    key = ("judged", asked, id(guess.probability), id(guess.prior), *drawn)
    _, row = truth.pooled.once(key, lambda: (guess, _judge(truth, asked, guess, drawn)))
    whose = replace(row, design=truth.design, coalition=truth.coalition.name)
    return replace(whose, capability=capability, secret=secret, attack=guess.attack)


def _judge(truth: Truth, asked: str, guess: Guess, purpose: tuple[str, ...]) -> Row:
    """Return the figures of a row, which is nobody's yet."""
    targets, right = truth.asked(asked), truth.classes(asked)
    shown = right[targets]
    advantage = balanced_advantage(shown, guess.best[targets], truth.rng(*purpose))
    two = guess.probability.shape[1] == 2
    return Row(
        design="",
        coalition="",
        capability="",
        secret="",
        attack="",
        advantage=advantage.value,
        low=advantage.low,
        high=advantage.high,
        control=0.0,
        tpr_at_fpr_0_001=tpr_at_fpr(shown == 1, guess.probability[targets, 1]) if two else None,
        bits=max(0.0, entropy_bits(shown) - cross_entropy_bits(guess, right, targets)) if targets.any() else None,
    )
