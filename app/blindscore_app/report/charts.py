"""Charts of the page: Vega-Lite specifications, turned into inline SVG when the page is written.

The page needs no script for them, prints them sharply, and their colours follow its light or dark scheme.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from blindscore.extras import needs
from blindscore.surveillance.ledger import Ledger, Row
from blindscore_app.report import figures
from blindscore_app.report.slim import slim
from blindscore_app.report.tables import clean

# Drawn in these colours, then handed to the page's own variables. Okabe and Ito (2008) for the marks.
INK, FAINT, PAPER, ATTACK, BOUND = "#111111", "#dddddd", "#fefefe", "#D55E00", "#0072B2"
SECOND = "#009E73"
VARIABLES = {
    INK: "var(--ink)",
    FAINT: "var(--faint)",
    PAPER: "var(--paper)",
    ATTACK: "var(--attack)",
    BOUND: "var(--bound)",
    SECOND: "var(--second)",
}
WIDTH, STEP = 250, 24  # pixels of a panel, and of a row
LABEL = 0.35  # width of the longest label, in advantage
AUC_LABEL = 0.06  # width of a label, in AUC
CHANCE = 0.5
CROSS = "M-0.7,-0.7L0.7,0.7M-0.7,0.7L0.7,-0.7"

CONFIG: dict[str, Any] = {
    "aria": False,
    "background": None,
    "font": "sans-serif",
    "view": {"stroke": None},
    "axis": {
        "labelColor": INK,
        "titleColor": INK,
        "domainColor": INK,
        "tickColor": INK,
        "gridColor": FAINT,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "labelLimit": 160,
        "labelPadding": 6,
    },
    "legend": {"labelColor": INK, "titleColor": INK, "labelFontSize": 12, "orient": "top", "title": None},
}


def to_svg(spec: Mapping[str, Any], label: str) -> str:
    """Return a specification as inline SVG with a text alternative; widths follow the page."""
    named = f'<svg role="img" font-family="sans-serif" font-size="12" aria-label="{html.escape(label, quote=True)}" '
    return _drawn(json.dumps({**spec, "config": CONFIG})).replace("<svg ", named, 1)


@lru_cache(maxsize=256)
def _drawn(spec: str) -> str:
    """Draw a specification, given as JSON; pages repeat panels, and drawing takes most of a page's time."""
    with needs("review"):
        import vl_convert

    svg: str = vl_convert.vegalite_to_svg(spec)
    for colour, variable in VARIABLES.items():
        svg = re.sub(re.escape(colour), variable, svg, flags=re.IGNORECASE)
    # The figure has one text alternative; the marks' own roles would only be read out as "graphic, graphic, ...".
    svg = re.sub(r' (?:role|aria-[a-z]+|class|pointer-events|opacity|xmlns:xlink|version)="[^"]*"', "", svg)
    svg = re.sub(r'<path d="[^"]*"(?: display="none")?/>', "", svg)  # backgrounds without colour
    svg = re.sub(r' (?:xmlns|font-family|font-size|stroke-miterlimit)="[^"]*"| stroke-width="1"(?=[ /])', "", svg)
    svg = re.sub(r"\d+\.\d{3,}", lambda number: f"{float(number[0]):.4g}", svg)
    while "<g></g>" in (svg := re.sub(r"<g( [^>]*)?></g>", "<g></g>", svg)):
        svg = svg.replace("<g></g>", "")
    return svg[svg.index("<svg") :]


def quality_panel(ledger: Ledger) -> str:
    """Return credit quality kept: AUC of each design with its interval; nothing where no outcome is known."""
    known = figures.quality(ledger)
    if known is None:
        return ""
    values = [
        {"design": clean(d.design), "value": auc, "low": low, "high": high, "words": f"{auc:.3f}"}
        for d, (auc, low, high) in zip(ledger.designs, known, strict=True)
    ]
    low = min(CHANCE, *(least for _, least, _ in known))
    high = max(0.75, *(most + AUC_LABEL for _, _, most in known))
    layers = [_interval(INK), _dots(INK, "square"), *_words(dx=6, align="left", at="high")]
    spec = _panel(values, layers, [low, high], "AUC (0.5 = coin toss)")
    told = "; ".join(f"{v['design']} {v['words']}" for v in values)
    return slim(to_svg(spec, f"Credit quality kept, AUC: {told}"))


def capability_panel(ledger: Ledger, coalition: str, capability: str) -> str:
    """Return one capability under every design: best attack with interval, and the bound on any attack."""
    values = []
    for design in ledger.designs:
        row = figures.drawn(ledger, design.design, coalition, capability)
        gone = figures.is_removed(ledger, design.design, coalition, capability)
        values.append(_value(clean(design.design), row, gone))
    bounds = {
        "mark": {"type": "tick", "color": BOUND, "thickness": 3, "size": 20, "orient": "vertical", "opacity": 1},
        "encoding": {"x": _x("bound")},
    }
    public = {
        "mark": {"type": "point", "shape": CROSS, "color": INK, "size": 50, "strokeWidth": 1.5, "opacity": 1},
        "encoding": {"x": _x("public")},
    }
    layers = [
        _interval(ATTACK),
        bounds,
        public,
        _dots(ATTACK, "circle"),
        *_words(dx=9, align="left", only="!datum.beyond", at="edge"),
        *_words(dx=-9, align="right", only="datum.beyond", at="edge"),
    ]
    low = min(-0.04, *(float(v["low"] or 0.0) - 0.02 for v in values))
    spec = _panel(values, layers, [low, 1.0], "advantage")
    told = "; ".join(f"{v['design']} {v['told']}" for v in values)
    return slim(to_svg(spec, f"{capability} by the {coalition}, advantage: {told}"))


def _value(design: str, row: Row | None, gone: bool) -> dict[str, Any]:
    if row is None:
        said = "not measured"
        return {"design": design, "words": said, "told": said, "edge": 0.0, "beyond": False, "low": None}
    beyond = row.advantage > 0.5
    bound = "no bound" if row.bound is None else f"at most {figures.rounded_up(row.bound):.2f}"
    words = f"{figures.fixed(row.advantage)} removed" if gone else f"{figures.fixed(row.advantage)}"
    interval = f"{figures.fixed(row.low)} to {figures.fixed(row.high)}"
    public = f", {figures.public_words(row)}" if figures.public_words(row) else ""
    return {
        "design": design,
        "value": row.advantage,
        "low": row.low,
        "high": row.high,
        "bound": row.bound,
        "public": row.control if figures.public_words(row) else None,
        "beyond": beyond,
        "edge": row.low if beyond else figures.label_place(row, LABEL),
        "words": words,
        "told": f"{figures.fixed(row.advantage)} ({interval}), {bound}{public}",
    }


def groups_panel(ledger: Ledger, by: str) -> str:
    """Return who loses: share of good payers refused, by group of one column, under every design."""
    values = [
        {
            "design": clean(d.design),
            "group": clean(str(g["group"])),
            "value": g["good_refused"],
            "low": g["good_refused_low"],
            "high": g["good_refused_high"],
        }
        for d in ledger.designs
        for g in d.groups
        if g["by"] == by and g["good_refused"] is not None
    ]
    names = list(dict.fromkeys(v["group"] for v in values))
    group = {"field": "group", "type": "nominal", "title": None}
    colours = {**group, "scale": {"domain": names, "range": [ATTACK, BOUND, SECOND]}}
    shapes = {**group, "scale": {"domain": names, "range": ["circle", "square", "diamond"]}}
    offset = {"field": "group", "type": "nominal", "sort": names}
    layers = [
        {
            "mark": {"type": "rule", "strokeWidth": 2},
            "encoding": {"x": _x("low"), "x2": {"field": "high"}, "color": colours, "yOffset": offset},
        },
        {
            "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1},
            "encoding": {"x": _x("value"), "color": colours, "shape": shapes, "yOffset": offset},
        },
    ]
    top = max((float(v["high"]) for v in values), default=1.0)
    spec = _panel(values, layers, [0.0, min(1.0, top * 1.1)], "share of good payers refused", width=420, step=12)
    told = "; ".join(f"{v['design']} {v['group']} {v['value']:.2f}" for v in values)
    return slim(to_svg(spec, f"Good payers refused by {by}: {told}"))


def _panel(
    values: Sequence[Mapping[str, Any]],
    layers: Sequence[Mapping[str, Any]],
    domain: Sequence[float],
    title: str,
    width: int = WIDTH,
    step: int = STEP,
) -> dict[str, Any]:
    names = list(dict.fromkeys(v["design"] for v in values))
    room = max(map(label_width, names), default=0.0) + 6
    axis = {"title": None, "grid": True, "ticks": False, "domain": False, "minExtent": room, "labelLimit": 0}
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "data": {"values": list(values)},
        "width": width,
        "height": {"step": step},
        "encoding": {
            "y": {"field": "design", "type": "nominal", "sort": names, "axis": axis},
            "x": {
                "type": "quantitative",
                "scale": {"domain": list(domain), "nice": False},
                "axis": {"title": title, "grid": False, "tickCount": 4, "format": "~g"},
            },
        },
        "layer": list(layers),
    }


def label_width(text: str, size: float = 12.0) -> float:
    """Return how many pixels a label may need in whatever font a reader's browser takes for `sans-serif`.

    Drawn without the reader's fonts, so it allows for the widest of the usual ones (Verdana, DejaVu, a typewriter's):
    no letter but the wide ones takes more than two thirds of the size.
    """
    return size * sum(1.0 if letter in "mwMW@%" or ord(letter) > 0x2E7F else 0.68 for letter in text)


def _x(field: str) -> dict[str, Any]:
    return {"field": field, "type": "quantitative"}


def _interval(colour: str) -> dict[str, Any]:
    return {
        "mark": {"type": "rule", "color": colour, "strokeWidth": 2},
        "encoding": {"x": _x("low"), "x2": {"field": "high"}},
    }


def _dots(colour: str, shape: str) -> dict[str, Any]:
    mark = {"type": "point", "shape": shape, "filled": True, "color": colour, "size": 70, "opacity": 1}
    return {"mark": mark, "encoding": {"x": _x("value")}}


def _words(dx: int, align: str, at: str, only: str | None = None) -> list[dict[str, Any]]:
    """Return a label, and under it the same in the paper's colour and fat, so that lines do not cross it."""
    mark = {"type": "text", "fontSize": 12, "dx": dx, "align": align}
    encoding = {"x": _x(at), "text": {"field": "words", "type": "nominal"}}
    chosen = {} if only is None else {"transform": [{"filter": only}]}
    under = {**mark, "color": PAPER, "stroke": PAPER, "strokeWidth": 5}
    return [{"mark": each, "encoding": encoding, **chosen} for each in (under, {**mark, "color": INK})]
