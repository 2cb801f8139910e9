"""``intercept``: read a decision off the wire, from message times and sizes alone.

Encryption in transit hides content, not length: a refusal that carries its reasons is longer than an approval, and
whoever watches the line reads the decision. Attack: the best of several classifiers on hour, bytes up and bytes down,
learnt on auxiliary people. Advantage: ``2 BA - 1``. Bound: total variation over what the wire can show at all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from blindscore.surveillance.coalitions import OBSERVER, view_of
from blindscore.surveillance.inference.bound import entropy_bits, finite_view_bound, plug_in_bias
from blindscore.surveillance.inference.classifiers import cross_entropy_bits, infer
from blindscore.surveillance.inference.evidence import Evidence, encode
from blindscore.surveillance.inference.intervals import balanced_advantage, tpr_at_fpr
from blindscore.surveillance.ledger import Row
from blindscore.surveillance.scene import Scene, row_codes


@dataclass(frozen=True)
class Intercept:
    """Tell approvals from refusals on the wire."""

    name = "intercept"

    def measure(self, scene: Scene) -> list[Row]:
        """Return one row for the observer; whoever computes or receives the decision need not intercept it."""
        view = view_of(scene.run, OBSERVER)
        if scene.coalition.roles != (OBSERVER,) or view is None or len(view.clear) != len(scene.population):
            return []
        shown = view.clear.iloc[np.argsort(view.person)].reset_index(drop=True)
        decision = scene.run.decisions.astype(np.int64)
        targets = ~scene.auxiliary
        key = ("intercept", view.digest, decision.tobytes())
        guess = scene.once(key, lambda: infer(Evidence.of(encode(shown)), decision, scene.auxiliary, scene.seed))
        advantage = balanced_advantage(decision[targets], guess.best[targets], scene.rng("intercept"))
        code = row_codes(shown)[targets]
        bound = finite_view_bound(code, decision[targets])
        bias = plug_in_bias(code, decision[targets], scene.rng("intercept", "bound"))
        return [
            Row(
                design=scene.design,
                coalition=scene.coalition.name,
                capability=self.name,
                secret="decision",
                attack=guess.attack,
                advantage=advantage.value,
                low=advantage.low,
                high=advantage.high,
                control=0.0,  # without the wire nobody outside knows of an application at all
                bits=max(0.0, entropy_bits(decision[targets]) - cross_entropy_bits(guess, decision, targets)),
                tpr_at_fpr_0_001=tpr_at_fpr(decision[targets] == 1, guess.probability[targets, -1]),
                bound=bound,
                reason=(
                    f"the wire shows {len(np.unique(code))} different messages (total variation; independence alone "
                    f"would read {bias:.3f})"
                ),
            )
        ]
