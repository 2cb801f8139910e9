"""The bins of a card as settings of the next fit: cut points, groups and special codes, to edit, merge and lock.

A bin that is a special code comes out as ``special``, not as two cuts a float apart.
"""

from __future__ import annotations

import math
from itertools import pairwise

from blindscore.scorecard.card import Card, Characteristic


def card_to_settings(card: Card) -> str:
    """Return the TOML text; see :mod:`blindscore.scorecard.settings.read` for what it means to ``fit``."""
    import tomlkit

    scale = card.scale
    out = tomlkit.document()
    out.add(tomlkit.comment(f"Bins of scorecard {card.fingerprint[:16]}. Move or remove a cut, join or split groups;"))
    out.add(tomlkit.comment("locked = true keeps a feature's bins as they stand, else `fit` may still merge them."))
    table = tomlkit.table()
    for key in ("base_score", "base_odds", "pdo", "low", "high"):
        table.add(key, getattr(scale, key))
    out.add("scale", table)
    features = tomlkit.table(is_super_table=True)
    for c in card.characteristics:
        features.add(c.feature, _feature(c))
    out.add("features", features)
    return tomlkit.dumps(out)


def split_edges(edges: tuple[float, ...]) -> tuple[list[float], list[float]]:
    """Return cuts between amounts, and special codes: a code's bin reaches from it to the next float.

    A code that stands where a cut stood too leaves no trace of the cut, so refitting joins the two sides.
    """
    special = [a for a, b in pairwise(edges) if b == math.nextafter(a, math.inf)]
    ends = {*special, *(math.nextafter(code, math.inf) for code in special)}
    return [edge for edge in edges if edge not in ends], special


def _feature(c: Characteristic) -> dict[str, object]:
    if c.groups is not None:
        return {"groups": [list(group) for group in c.groups if group], "locked": False}
    cuts, special = split_edges(c.edges)
    return {"cuts": cuts, **({"special": special} if special else {}), "locked": False}
