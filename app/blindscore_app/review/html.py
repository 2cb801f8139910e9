"""The two pages: self-contained HTML without scripts, every text of a file escaped, made to print on A4."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from blindscore.extras import needs
from blindscore_app.review import draw
from blindscore_app.review.sample import Sample

if TYPE_CHECKING:
    from jinja2 import Environment


def validation_page(sample: Sample, figures: dict[str, Any], command: str, table: Any) -> str:
    """Return the validation document.

    Parameters
    ----------
    figures : those of :func:`blindscore_app.review.figures.validation`
    table : the card's bins and points, as ``Scorecard.table`` gives them
    """
    import pandas as pd

    with needs("review"):
        from markupsafe import Markup

    assert sample.bad is not None  # a validation has outcomes
    cutoff = pd.DataFrame(figures["cutoff"]["table"])
    charts = {
        "scores": draw.scores(sample.bad, sample.scores),
        "gains": draw.gains(sample.bad, sample.totals),
        "calibration": draw.calibration(pd.DataFrame(figures["calibration"]["bands"])),
        "cutoffs": draw.cutoffs(cutoff),
        "profits": draw.profits(cutoff),
    }
    svg = {name: Markup(chart) for name, chart in charts.items()}
    page = _environment().get_template("validation.html.j2")
    return page.render(
        f=figures, card=sample.card, table=table.to_dict("records"), svg=svg, command=command, finite=np.isfinite
    )


def monitor_page(new: Sample, figures: dict[str, Any], command: str) -> str:
    """Return the monitor's page."""
    import pandas as pd

    with needs("review"):
        from markupsafe import Markup

    charts: dict[str, str] = {}
    if figures["months"]:
        months = pd.DataFrame(figures["months"])
        titles = {"mean_score": "mean score", "psi": "stability index", "bad_rate": "bad rate", "ks": "KS"}
        charts = {
            name: draw.months(months, name, title)
            for name, title in titles.items()
            if name in months and months[name].notna().any()
        }
    if figures["calibration"]:
        charts["calibration"] = draw.calibration(pd.DataFrame(figures["calibration"]["bands"]))
    svg = {name: Markup(chart) for name, chart in charts.items()}
    return _environment().get_template("monitor.html.j2").render(f=figures, card=new.card, svg=svg, command=command)


@cache
def _environment() -> Environment:
    with needs("review"):
        from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("blindscore_app.review"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"pc": _percent, "n3": _digits, "pts": lambda v: f"{v:+.0f}", "interval": _interval}
    return environment


def _percent(value: float | None) -> str:
    return "–" if value is None or not np.isfinite(value) else f"{value:.1%}"


def _digits(value: float | None) -> str:
    if value is None or np.isnan(value):
        return "–"
    return "∞" if np.isinf(value) else f"{value:.3f}"


def _interval(value: Any) -> str:
    middle, low, high = value
    return _digits(middle) if not np.isfinite(low + high) else f"{middle:.3f} [{low:.3f}, {high:.3f}]"
