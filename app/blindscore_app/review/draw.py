"""Charts of the review pages, as inline SVG: distribution of scores, gains, calibration, cut-offs, months."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore_app.report.charts import ATTACK, BOUND, INK, to_svg

WIDTH, HEIGHT, MOST = 300, 190, 60  # pixels; points of a curve


def _chart(layers: list[dict[str, Any]], label: str, width: int = WIDTH) -> str:
    spec = {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "width": width,
        "height": HEIGHT,
        "layer": layers,
    }
    return to_svg(spec, label)


def _axis(field: str, title: str, form: str = "~g", **more: Any) -> dict[str, Any]:
    scale = {"zero": more.pop("zero", False)} | ({"domain": more.pop("domain")} if "domain" in more else {})
    axis = {"title": title, "format": form, "grid": False, "tickCount": 5}
    return {"field": field, "type": "quantitative", "axis": axis, "scale": scale, **more}


def _line(
    values: list[dict[str, Any]], x: dict[str, Any], y: dict[str, Any], colour: str, dash: bool = False
) -> dict[str, Any]:
    mark = {"type": "line", "color": colour, "strokeWidth": 2, **({"strokeDash": [4, 3]} if dash else {})}
    return {"data": {"values": values}, "mark": mark, "encoding": {"x": x, "y": y}}


def scores(bad: NDArray[np.bool_], score: NDArray[np.integer]) -> str:
    """Shares of goods and of bads by score."""
    edges = np.histogram_bin_edges(score, 30)
    layers = []
    for side, colour in ((~bad, BOUND), (bad, ATTACK)):
        counts = np.histogram(score[side], edges)[0] / side.sum()
        values = [{"x": float(a), "y": float(c)} for a, c in zip((edges[1:] + edges[:-1]) / 2, counts, strict=True)]
        layers.append(
            _line(values, _axis("x", "score", "d"), _axis("y", "share", "~%", zero=True), colour, dash=colour == ATTACK)
        )
    return _chart(layers, "Distribution of scores: goods (solid) and bads (dashed)")


def gains(bad: NDArray[np.bool_], score: NDArray[np.integer]) -> str:
    """Share of bads caught by refusing the lowest scores."""
    order = np.argsort(score, kind="stable")
    caught = np.append(0, np.cumsum(bad[order]) / bad.sum())
    at = np.unique(np.linspace(0, len(bad), MOST).astype(int))
    values = [{"x": float(k / len(bad)), "y": float(caught[k])} for k in at]
    x, y = _axis("x", "share refused", "~%"), _axis("y", "share of bads caught", "~%")
    return _chart([_line(values, x, y, BOUND), _diagonal(1.0, x, y)], "Gains: share of bads caught by share refused")


def _diagonal(top: float, x: dict[str, Any], y: dict[str, Any]) -> dict[str, Any]:
    return _line([{"x": 0.0, "y": 0.0}, {"x": top, "y": top}], x, y, INK, dash=True)


def calibration(table: pd.DataFrame) -> str:
    """Observed against forecast rates, with intervals."""
    values = table[["forecast", "observed", "low", "high"]].to_dict("records")
    top = float(max(table.forecast.max(), table.high.max()))
    x, y = _axis("forecast", "forecast bad rate", "~%", zero=True), _axis("observed", "observed", "~%", zero=True)
    bars = {
        "data": {"values": values},
        "mark": {"type": "rule", "color": BOUND, "strokeWidth": 2},
        "encoding": {"x": x, "y": _axis("low", "observed", "~%", zero=True), "y2": {"field": "high"}},
    }
    dots = {
        "data": {"values": values},
        "mark": {"type": "point", "filled": True, "color": BOUND, "size": 45, "opacity": 1},
        "encoding": {"x": x, "y": y},
    }
    line = _diagonal(top, _axis("x", "forecast bad rate", "~%", zero=True), _axis("y", "observed", "~%", zero=True))
    return _chart(
        [line, bars, dots], "Calibration: observed against forecast bad rate in ten bands, with 95% intervals"
    )


def cutoffs(table: pd.DataFrame) -> str:
    """Bad rate of the approved by share approved."""
    values = [{"x": float(a), "y": float(b)} for a, b in zip(table.approved, table.bad_rate, strict=True)]
    x, y = _axis("x", "approved", "~%"), _axis("y", "bad rate of the approved", "~%", zero=True)
    return _chart([_line(values, x, y, BOUND)], "Bad rate of the approved by share approved")


def profits(table: pd.DataFrame) -> str:
    """Profit by share approved."""
    values = [{"x": float(a), "y": float(b)} for a, b in zip(table.approved, table.profit, strict=True)]
    return _chart(
        [_line(values, _axis("x", "approved", "~%"), _axis("y", "profit an applicant", "~g"), BOUND)],
        "Profit an applicant by share approved",
    )


def months(table: pd.DataFrame, column: str, title: str) -> str:
    """One figure month by month."""
    values = [{"x": str(m), "y": float(v)} for m, v in zip(table.month, table[column], strict=True) if v == v]
    x = {"field": "x", "type": "ordinal", "axis": {"title": None, "labelAngle": -60}}
    layer = _line(values, x, _axis("y", title, zero=True), BOUND)
    layer["mark"] |= {"point": {"color": BOUND, "filled": True}}
    return _chart([layer], f"{title} by month")
