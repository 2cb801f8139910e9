"""The bins of a card as settings of the next fit: cut points, groups and special codes, to edit, merge and lock.

A bin that is a special code comes out as ``special``, not as two cuts a float apart.
"""

from __future__ import annotations

from blindscore.scorecard.card import Card, Characteristic
from blindscore.scorecard.special import code_edges


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


def cuts_of(c: Characteristic) -> list[float]:
    """Cut points between amounts, without the two edges of each special code.

    A cut that stood where a code stands has left no trace of its own, so refitting joins the two sides.
    """
    ends = {edge for code in c.codes.values() for edge in code_edges(code)}
    return [edge for edge in c.edges if edge not in ends]


def _feature(c: Characteristic) -> dict[str, object]:
    if c.groups is not None:
        return {"groups": [list(group) for k, group in enumerate(c.groups) if group and k != c.other], "locked": False}
    special = list(c.codes.values())
    return {"cuts": cuts_of(c), **({"special": special} if special else {}), "locked": False}
