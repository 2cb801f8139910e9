"""The same drawing in fewer bytes: a page holds hundreds of charts, and most of what is written is repetition.

Groups that only move their content are dissolved, lines and marks that look alike become one path, circles are circles,
what neighbours share is said once, and places are told to a tenth of a pixel.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

_PIXELS = r"-?[\d.]+(?:e[-+]?\d+)?"  # near 0 a library writes 5.684e-14
_MOVED = re.compile(rf"translate\(({_PIXELS}),({_PIXELS})\)")
_CIRCLE = re.compile(r"M([\d.]+),0A\1,\1,0,1,1,-\1,0A\1,\1,0,1,1,\1,0")
_STEP = re.compile(r"([A-DF-Za-df-z])([^A-DF-Za-df-z]*)")  # an e belongs to a number
_NUMBER = re.compile(r"-?\d*\.?\d+(?:e[-+]?\d+)?")
_ARC = 7  # numbers of an arc; its end is the last two
HALO = "halo"  # class of a text with the paper's colour around it, so that lines do not cross it
_HALO_LOOK = {"fill": "var(--paper)", "stroke": "var(--paper)", "stroke-width": "5"}


@dataclass(frozen=True)
class Mark:
    """One thing that is drawn, at its place in the whole drawing."""

    tag: str
    look: tuple[tuple[str, str], ...]  # attributes that a neighbour may share
    place: str  # of a path: its `d`; of others: their own attributes
    text: str = ""


def slim(svg: str) -> str:
    """Return an SVG of lines, paths and texts that are moved and not turned, drawn the same in fewer bytes.

    One that holds anything else is returned as it came: a page may be large, but not wrong, nor missing.
    """
    root = ElementTree.fromstring(svg)
    try:
        marks = _one_text_for_two(list(_marks(root, 0.0, 0.0, {})))
    except ValueError:
        return svg
    head = "".join(f" {key}={quoteattr(value)}" for key, value in root.attrib.items())
    runs = (_run(list(run)) for _, run in groupby(marks, key=lambda mark: (mark.tag, mark.look)))
    return f'<svg{head}><g fill="none">{"".join(runs)}</g></svg>'


def _marks(node: ElementTree.Element, dx: float, dy: float, look: dict[str, str]) -> Iterator[Mark]:
    own = dict(node.attrib)
    moved = _MOVED.fullmatch(own.pop("transform", "translate(0,0)"))
    if moved is None:
        raise ValueError(f"a {node.tag} that is not only moved")
    x, y = dx + float(moved[1]), dy + float(moved[2])
    if node.tag in ("svg", "g"):
        passed = {} if node.tag == "svg" else {**look, **own}
        if set(passed) - {"fill"}:
            raise ValueError(f"a group with {', '.join(sorted(passed))}")
        for child in node:
            yield from _marks(child, x, y, passed)
    elif node.tag == "line":
        across, down = float(own.pop("x2", "0")), float(own.pop("y2", "0"))
        yield Mark("path", _shared(own), f"M{_n(x)},{_n(y)}" + _segment(across, down))
    elif node.tag == "path":
        d = own.pop("d")
        circle = _CIRCLE.fullmatch(d)
        if circle is not None:
            yield Mark("circle", _shared(own), f' cx="{_n(x)}" cy="{_n(y)}" r="{_n(float(circle[1]))}"')
        else:
            yield Mark("path", _shared(own), _shifted(d, x, y))
    elif node.tag == "text" and not len(node):
        yield Mark("text", _shared(own), f' x="{_n(x)}" y="{_n(y)}"', node.text or "")
    else:
        raise ValueError(f"a {node.tag}")


def _shared(look: dict[str, str]) -> tuple[tuple[str, str], ...]:
    idle = {("text-anchor", "start"), ("font-weight", "normal"), ("fill", "none")}
    if "stroke" not in look:
        look.pop("stroke-width", None)
    return tuple(sorted(pair for pair in look.items() if pair not in idle))


def _one_text_for_two(marks: list[Mark]) -> list[Mark]:
    """Return the marks with each text that lies on the same text, fat and in the paper's colour, drawn as one."""
    under = {(m.place, m.text): k for k, m in enumerate(marks) if _HALO_LOOK.items() <= dict(m.look).items()}
    found: list[Mark | None] = list(marks)
    for k, mark in enumerate(marks):
        below = under.get((mark.place, mark.text), k)
        if below < k:
            found[below] = None
            found[k] = Mark(mark.tag, (("class", HALO), *mark.look), mark.place, mark.text)
    return [mark for mark in found if mark is not None]


def _run(marks: list[Mark]) -> str:
    """Return neighbours that look alike: paths as one path, others in a group where there are several."""
    tag, look = marks[0].tag, "".join(f" {key}={quoteattr(value)}" for key, value in marks[0].look)
    if tag == "path":
        return f'<path d="{"".join(mark.place for mark in marks)}"{look}/>'
    if tag == "circle":
        drawn = [f"<circle{mark.place}%s/>" for mark in marks]
    else:
        drawn = [f"<text{mark.place}%s>{escape(mark.text).replace('%', '%%')}</text>" for mark in marks]
    if len(drawn) == 1:
        return drawn[0] % look
    return f"<g{look}>{''.join(one % '' for one in drawn)}</g>"


def _segment(across: float, down: float) -> str:
    if down == 0:
        return f"h{_n(across)}"
    return f"v{_n(down)}" if across == 0 else f"l{_n(across)},{_n(down)}"


def _shifted(d: str, x: float, y: float) -> str:
    """Return a path moved by (x, y): what is told from the drawing's corner moves, what is told from the pen stays."""
    steps = []
    for letter, text in _STEP.findall(d):
        numbers = [float(number) for number in _NUMBER.findall(text)]
        if letter in "ML":
            numbers = [number + (y if k % 2 else x) for k, number in enumerate(numbers)]
        elif letter == "A" and len(numbers) == _ARC:
            numbers[-2:] = [numbers[-2] + x, numbers[-1] + y]
        elif letter not in "hvlzZ":
            raise ValueError(f"a path with {letter}")
        steps.append(letter + ",".join(map(_n, numbers)))
    return "".join(steps)


def _n(number: float) -> str:
    """Return a number of pixels to a tenth."""
    text = f"{number:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text
