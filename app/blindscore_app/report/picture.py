"""The frontier as a picture: credit quality kept beside each capability, one panel each, never one index."""

from __future__ import annotations

import io
import math
import warnings
from typing import TYPE_CHECKING, Any

from blindscore.extras import needs
from blindscore.surveillance.ledger import REFUSES, Ledger
from blindscore_app.report import figures
from blindscore_app.report.tables import clean

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito (2008), "Color Universal Design": distinguishable under the common colour blindnesses.
ATTACK, BOUND, QUALITY = "#D55E00", "#0072B2", "#000000"
INK, FAINT = "#222222", "#BBBBBB"
PLATE = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}  # keeps words readable across a line
LABEL = 0.5  # width of the longest label, in advantage
CHANCE = 0.5  # AUC of a coin toss
PANEL, ROW, GAP, TOP, BOTTOM = 2.5, 0.36, 0.95, 0.85, 0.8  # inches
MOST_COLUMNS = 6


def draw_frontier(ledger: Ledger, coalition: str = "scorer", dpi: int = 150) -> bytes:
    """Return the frontier picture as PNG.

    One row a design. The first panel shows AUC with its 95% interval; every other panel one capability: the best
    attack's advantage with its interval (dot and bar) and the bound on any attack (blue tick), both from 0 to 1.
    """
    with needs("frontier"):
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.lines import Line2D

    ledger = figures.tried(ledger)
    names = figures.shown_capabilities(ledger, coalition)
    lines = math.ceil((1 + len(names)) / MOST_COLUMNS)
    columns = math.ceil((1 + len(names)) / lines)
    panel = ROW * max(2, len(ledger.designs))
    width, height = 2.2 + PANEL * columns, TOP + lines * panel + (lines - 1) * GAP + BOTTOM
    figure = Figure(figsize=(width, height), facecolor="white")
    FigureCanvasAgg(figure)
    grid = figure.subplots(lines, columns, sharey=True, squeeze=False)
    axes = grid.ravel()
    _quality(axes[0], ledger)
    for axis, name in zip(axes[1:], names, strict=False):
        _capability(axis, ledger, coalition, name)
    for axis in axes[: 1 + len(names)]:
        _frame(axis, len(ledger.designs))
    for axis in axes[1 + len(names) :]:
        axis.set_visible(False)
    labels = [clean(d.design) for d in ledger.designs]
    for axis in grid[:, 0]:
        axis.set_yticks(range(len(labels)), labels, fontsize=11, color=INK, parse_math=False)
    made_up = "Synthetic society, not a country. " if figures.is_synthetic(ledger) else ""
    meta = ledger.meta
    figure.suptitle(
        f"What each design keeps, and what the {coalition} can still do",
        x=0.01,
        y=1 - 0.12 / height,
        va="top",
        ha="left",
        fontsize=13,
        color=INK,
    )
    note = (
        f"{made_up}{meta.get('people', '?')} people, seed {meta.get('seed', '?')}. Bars are 95% intervals. "
        "Advantage: 0 = no better than without any view, 1 = perfect."
    )
    if any(row.adversary == REFUSES for row in ledger.rows):
        note += "\nSteer: of whoever is answered; who does not answer a person steers it under every design."
    figure.text(0.01, 0.12 / height, note, fontsize=9, color=INK)
    dot = Line2D([], [], color=ATTACK, marker="o", ls="", label="best attack")
    tick = Line2D([], [], color=BOUND, marker="|", ms=10, mew=2.5, ls="", label="bound on any attack")
    cross = Line2D([], [], color=INK, marker="x", ms=6, mew=1.5, ls="", label="same attack, public knowledge alone")
    figure.legend(handles=[dot, cross, tick], loc="upper right", ncols=3, frameon=False, fontsize=9)
    figure.subplots_adjust(
        left=1.65 / width, right=0.985, top=1 - TOP / height, bottom=BOTTOM / height, wspace=0.12, hspace=GAP / panel
    )
    out = io.BytesIO()
    with warnings.catch_warnings():
        # A stranger's column name may use letters that the font lacks; a box in their place is good enough.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(out, format="png", dpi=dpi, metadata={"Software": "blindscore"})
    return out.getvalue()


def _quality(axis: Axes, ledger: Ledger) -> None:
    axis.set_title("credit quality kept", fontsize=11, color=INK, loc="left")
    axis.set_xlabel("AUC (0.5 = coin toss)", fontsize=9, color=INK)
    known = figures.quality(ledger)
    if known is None:
        axis.text(CHANCE, 0, "no outcome is known", va="center", fontsize=9, color=INK)
        axis.set_xlim(CHANCE, 0.75)
        return
    values = [auc for auc, _, _ in known]
    low = [max(0.0, auc - least) for auc, least, _ in known]
    high = [max(0.0, most - auc) for auc, _, most in known]
    rows = range(len(values))
    axis.errorbar(values, rows, xerr=[low, high], fmt="s", color=QUALITY, ms=5, capsize=3, lw=1.5)
    for k, value in enumerate(values):
        axis.annotate(f"{value:.3f}", (value, k), xytext=(0, 6), textcoords="offset points", ha="center", fontsize=9)
    axis.set_xlim(
        min(CHANCE, min(low for _, low, _ in known) - 0.02), max(0.75, max(high for *_, high in known) + 0.03)
    )


def _capability(axis: Axes, ledger: Ledger, coalition: str, name: str) -> None:
    for k, design in enumerate(ledger.designs):
        row = figures.drawn(ledger, design.design, coalition, name)
        if row is None:
            axis.text(0.02, k, "not measured", va="center", fontsize=9, color=INK)
            continue
        error: Any = [[max(0.0, row.advantage - row.low)], [max(0.0, row.high - row.advantage)]]
        axis.errorbar([row.advantage], [k], xerr=error, fmt="o", color=ATTACK, ms=6, capsize=3, lw=1.5, zorder=3)
        if row.bound is not None:
            axis.plot([row.bound], [k], marker="|", color=BOUND, ms=15, mew=2.5, zorder=2)
        if figures.public_words(row) and row.control is not None:
            axis.plot([row.control], [k], marker="x", color=INK, ms=6, mew=1.5, zorder=2)
        beyond = row.advantage > 0.5
        gone = figures.is_removed(ledger, design.design, coalition, name)
        several = len(ledger.find(design=design.design, coalition=coalition, capability=name)) > 1
        words = [figures.fixed(row.advantage)]
        if gone:
            words.append("removed")
        elif several:
            words.append(clean(row.secret, 14))
        edge = row.low if beyond else figures.label_place(row, LABEL)
        axis.annotate(
            " ".join(words),
            (min(max(edge, 0.0), 1.0), k),
            xytext=(-9 if beyond else 9, 0),
            textcoords="offset points",
            ha="right" if beyond else "left",
            va="center",
            fontsize=9,
            color=INK,
            bbox=PLATE,
            parse_math=False,
        )
    lows = [row.low for row in ledger.find(coalition=coalition, capability=name)]
    axis.set_xlim(max(-0.3, min(-0.04, *(low - 0.02 for low in lows))), 1.04)
    axis.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    axis.set_title(name, fontsize=11, color=INK, loc="left")
    axis.set_xlabel("advantage", fontsize=9, color=INK)


def _frame(axis: Axes, rows: int) -> None:
    axis.set_ylim(rows - 0.4, -0.6)
    for k in range(rows):
        axis.axhline(k, color=FAINT, lw=0.5, zorder=0)
    for side in ("top", "right", "left"):
        axis.spines[side].set_visible(False)
    axis.tick_params(axis="y", length=0)
    axis.tick_params(axis="x", labelsize=9, colors=INK)
