"""A card on one HTML page, self-contained: what a credit officer signs, and what an applicant may read."""

from __future__ import annotations

from html import escape

import pandas as pd

from blindscore.scorecard.card import Card
from blindscore.scorecard.scorecard import Scorecard

_STYLE = (
    "body{font:14px/1.4 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#222}"
    "table{border-collapse:collapse;width:100%}th,td{padding:.2em .6em;text-align:left;border-bottom:1px solid #ddd}"
    "td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}tr.first td{border-top:2px solid #888}"
    "code{word-break:break-all}@media print{body{margin:0}}"
)


def card_page(scorecard: Scorecard, title: str = "Scorecard") -> str:
    """Return the page as HTML text; every name of a feature or category is escaped."""
    table = scorecard.table()
    known = table.people.notna().any()
    head = ["feature", "bin", "points"] + (["people", "defaulted"] if known else [])
    cells = "".join(f"<th{' class=n' if k > 1 else ''}>{name}</th>" for k, name in enumerate(head))
    rows, before = [], None
    for row in table.to_dict("records"):
        first = row["feature"] != before
        before = row["feature"]
        shown = f"<td>{escape(str(row['feature'])) if first else ''}</td><td>{escape(str(row['bin']))}</td>"
        shown += f"<td class=n>{row['points']:+d}</td>"
        if known:
            shown += f"<td class=n>{_share(row['share'])}</td><td class=n>{_share(row['bad_rate'])}</td>"
        rows.append(f"<tr{' class=first' if first else ''}>{shown}</tr>")
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
        f"<h1>{escape(title)}</h1>{_how(scorecard.card_)}"
        f"<table><thead><tr>{cells}</tr></thead><tbody>{''.join(rows)}</tbody></table></html>\n"
    )


def _how(card: Card) -> str:
    scale = card.scale
    return (
        "<p>Start with the base, add the points of one bin a feature, and keep the sum within "
        f"{scale.low} to {scale.high}. {scale.base_score:g} points stand for {scale.base_odds:g} repaid loans to one "
        f"default, and every {scale.pdo:g} points double these odds.</p>"
        f"<p>Fingerprint <code>{card.fingerprint}</code></p>"
    )


def _share(value: float) -> str:
    return "" if pd.isna(value) else f"{value:.1%}"
