"""``number-alone``: guess what nobody should learn from the score, the total or the decision alone.

Attack: the best of several classifiers on these few columns of the coalition's views, whatever else they read, learnt
from the auxiliary people. Advantage: ``(k BA - 1)/(k - 1)``, BA the balanced accuracy over the k classes. It says how
much of what ``profile`` finds is told by the number itself, so that no rule about inputs would keep it from a lender.
"""

from dataclasses import dataclass, replace

import numpy as np

from blindscore.surveillance.capability import Capability
from blindscore.surveillance.inference.classifiers import Guess, infer
from blindscore.surveillance.inference.evidence import Evidence, encode
from blindscore.surveillance.inference.judged import class_row
from blindscore.surveillance.knowledge import Knowledge
from blindscore.surveillance.ledger import Row
from blindscore.surveillance.truth import Truth

NUMBERS = ("score", "total", "decision")  # kinds of columns


@dataclass(frozen=True)
class NumberAlone(Capability):
    """Infer each sensitive trait from score, total and decision."""

    name = "number-alone"
    question = "guess your secrets from your number alone"
    order = 12

    def secrets(self, truth: Truth) -> list[str]:
        """Return the sensitive columns."""
        return truth.secrets

    def attack(self, knowledge: Knowledge, secret: str) -> Guess | None:
        """Return the best guess from any one view's numbers; None where no view holds one."""
        guesses = []
        for view in knowledge.views:
            names = view.of(*NUMBERS)
            if names and len(view.clear):
                told = encode(view.clear[names])
                columns = np.full((len(knowledge), told.shape[1]), np.nan)
                columns[view.person] = told
                guesses.append(
                    infer(Evidence.of(columns), knowledge.labels[secret], knowledge.auxiliary, knowledge.seed)
                )
        return min(guesses, key=lambda guess: guess.loss, default=None)

    def judge(self, truth: Truth, secret: str, guess: Guess) -> Row:
        """Return the row."""
        row = class_row(truth, self.name, secret, secret, guess)
        return replace(row, reason="attack only: other classifiers may read the number better")
