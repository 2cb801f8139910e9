"""``company``: tell who is refused by the company that they keep.

Attack: the best of several classifiers on how often a person's friends, and their friends, are refused, learnt from the
auxiliary people's own decisions. Advantage: ``2 BA - 1``. Control: 0, since nobody outside reads friendships.
"""

from dataclasses import dataclass, replace

from blindscore.surveillance.capability import Capability
from blindscore.surveillance.inference.classifiers import Guess, infer
from blindscore.surveillance.inference.evidence import Evidence, friends_labels, friends_of
from blindscore.surveillance.inference.judged import class_row
from blindscore.surveillance.knowledge import Knowledge
from blindscore.surveillance.ledger import Row
from blindscore.surveillance.truth import DECISION, Truth


@dataclass(frozen=True)
class Company(Capability):
    """Tell refusals by friends' refusals."""

    name = "company"
    question = "tell who is refused by the company that they keep"
    order = 65
    quick = True

    def secrets(self, truth: Truth) -> list[str]:
        """Return one: the decision."""
        return [DECISION]

    def attack(self, knowledge: Knowledge, secret: str) -> Guess | None:
        """Return a guess from the friendships that are read; None where none are."""
        friends = next((view.friends for view in knowledge.views if view.friends is not None), None)
        if friends is None or len(friends) == 0:
            return None
        labels = knowledge.labels[secret]
        graph = friends_of(friends, len(knowledge))
        columns = friends_labels(graph, labels.code, knowledge.auxiliary, labels.classes)
        return infer(Evidence.of(columns), labels, knowledge.auxiliary, knowledge.seed)

    def judge(self, truth: Truth, secret: str, guess: Guess) -> Row:
        """Return the row."""
        row = class_row(truth, self.name, secret, secret, guess)
        return replace(row, reason="attack only: a better use of the friendships may tell more")
