"""Find designs, in two sets: those that the table compares, and the world's own systems.

``default``: the plain ones of this package, and others through the entry-point group ``blindscore.designs``.
``world``: one file each beside this one, in ``world/``, and others through the group ``blindscore.world``.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Literal, get_args

from blindscore.designs.aggregator import Aggregator
from blindscore.designs.bureau import Bureau
from blindscore.designs.design import Design
from blindscore.designs.flows import load_flows
from blindscore.designs.integrated import Integrated
from blindscore.designs.minimal import Minimal
from blindscore.designs.platform import Platform
from blindscore.errors import BlindscoreError, ParameterError

SetOf = Literal["default", "world", "all"]
GROUP, WORLD_GROUP = "blindscore.designs", "blindscore.world"
PLAIN: tuple[type[Design], ...] = (Platform, Integrated, Bureau, Aggregator, Minimal)
WORLD_FILES = Path(__file__).parent / "world"


def load_designs(set_of: SetOf = "default") -> dict[str, Design]:
    """Return every design of a set with its default parameters, by name, from most watching to least.

    Raises
    ------
    ParameterError
        Two designs carry one name, a plug-in is no design, or lacks a library; or there is no such set.
    SchemaError
        A file of the world's is no design.
    """
    if set_of not in get_args(SetOf):
        raise ParameterError(f"no set of designs is called {set_of!r}; there are {', '.join(get_args(SetOf))}")
    found: list[Design] = []
    if set_of != "world":
        found += [*(design() for design in PLAIN), *_plugged_in(GROUP)]
    if set_of != "default":
        found += [*(load_flows(path) for path in sorted(WORLD_FILES.glob("*.toml"))), *_plugged_in(WORLD_GROUP)]
    return by_name(found)


def by_name(designs: Iterable[Design]) -> dict[str, Design]:
    """Return designs by name, from most watching to least.

    Raises
    ------
    ParameterError
        Two carry one name.
    """
    ordered = sorted(designs, key=lambda design: (design.order, design.name))
    named = {design.name: design for design in ordered}
    if len(named) != len(ordered):
        names = [design.name for design in ordered]
        twice = sorted({name for name in names if names.count(name) > 1})
        raise ParameterError(f"more than one design is called {', '.join(twice)}; remove or rename a plug-in or file")
    return named


def _plugged_in(group: str) -> list[Design]:
    found = []
    for point in entry_points(group=group):
        try:
            design = point.load()()
        except BlindscoreError:
            raise
        except ImportError as error:
            raise ParameterError(
                f"design {point.name!r} cannot be loaded ({error}); install what it needs, or uninstall its package"
            ) from error
        if not isinstance(design, Design):
            raise ParameterError(f"entry point {point.name!r} of {point.dist} is no Design; see CONTRIBUTING.md")
        found.append(design)
    return found
