"""Print the published figures beside those of both societies: ``python -m blindscore.people.figures``.

It prints the two tables of ``docs/society.md``.
"""

from __future__ import annotations

import argparse

import numpy as np

from blindscore.people.calibration import auc, conduct_gains, reached
from blindscore.people.facts import DISPARITIES, FACTS, Fact
from blindscore.people.gaps import disparity_figures, one_bit_gaps, sex_assortativity, told_by_money
from blindscore.people.society import KINDS, Society, make_society
from blindscore.people.variables import AGE, CONDUCT_NAMES, PIETY, POLITICS


def without_target(society: Society) -> dict[str, float]:
    """Figures for which no published target is used, so that a reader can judge them; by what they say."""
    assert society.friends is not None  # a society always has a graph
    first, second = society.friends.T
    degree = np.bincount(society.friends.ravel(), minlength=len(society))
    doings = society.features[list(CONDUCT_NAMES)]
    thin = society.features["arrears_months"].isna().to_numpy()
    out = {
        "people": float(len(society)),
        "share who default": float(society.default.mean()),
        "share with a thin file": float(thin.mean()),
        "public officials": float(society.officials.sum()),
    }
    for name in society.traits:
        out[f"people with {name}"] = float((society.traits[name] > 0).sum())
    for name in ("illness", "rare_illness", "pregnant"):
        out[f"AUC of {name} from conduct"] = auc(doings, society.traits[name].to_numpy() == 1)
    out |= {f"AUC of default that conduct adds to a {name} file": gain for name, gain in conduct_gains(society).items()}
    for what, column in (("politics", POLITICS), ("piety", PIETY), ("age", AGE)):
        latent = society.roots[:, column]
        out[f"correlation of friends' {what}"] = float(np.corrcoef(latent[first], latent[second])[0, 1])
    out["correlation of friends' sex"] = sex_assortativity(society)
    out["mean number of friends"] = float(degree.mean())
    out["most friends"] = float(degree.max())
    out["correlation of friends' numbers of friends"] = float(
        np.corrcoef(np.concatenate([degree[first], degree[second]]), np.concatenate([degree[second], degree[first]]))[
            0, 1
        ]
    )
    return out | one_bit_gaps(society) | told_by_money(society)


def targets_table(independent: Society, disparate: Society) -> str:
    """Targets and reached figures as a Markdown table; a figure outside its tolerance is bold.

    The independent society has no targets of disparity: its figures there are shown, and judged by nothing.
    """
    plain, tied = reached(independent), reached(disparate)
    lines = [
        "| figure | target | tolerance | independent | with disparities | status | source |",
        "|---|---:|---:|---:|---:|---|---|",
    ]
    lines += [_row(fact, _judged(fact, plain), _judged(fact, tied)) for fact in FACTS]
    plain, tied = disparity_figures(independent), disparity_figures(disparate)
    for fact in DISPARITIES:
        shown = "none" if np.isnan(plain[fact.name]) else f"{plain[fact.name]:.3f}"
        lines.append(_row(fact, shown, _judged(fact, tied)))
    return "\n".join(lines)


def _row(fact: Fact, independent: str, disparate: str) -> str:
    return (
        f"| {fact.what} | {fact.value:.3f} | {fact.tolerance:.3f} | {independent} | {disparate} "
        f"| {fact.status} | {fact.source} |"
    )


def _judged(fact: Fact, figures: dict[str, float]) -> str:
    value = f"{figures[fact.name]:.3f}"
    return value if fact.holds(figures[fact.name]) else f"**{value}**"


def _number(value: float | None) -> str:
    if value is None:
        return "none"
    return f"{value:,.0f}" if value >= 5 and value == round(value) else f"{value:.3f}"


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description="Print published figures beside those of the synthetic societies.")
    parser.add_argument("--people", type=int, default=60_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    independent, disparate = (make_society(asked.people, asked.seed, kind=kind) for kind in KINDS)
    print(targets_table(independent, disparate))
    print("\n| figure without a target | independent | with disparities |\n|---|---:|---:|")
    plain, tied = without_target(independent), without_target(disparate)
    for what in tied:
        print(f"| {what} | {_number(plain.get(what))} | {_number(tied[what])} |")


if __name__ == "__main__":
    main()
