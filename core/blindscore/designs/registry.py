"""Find designs: the plain ones of this package, and others through the entry-point group ``blindscore.designs``."""

from __future__ import annotations

from importlib.metadata import entry_points

from blindscore.designs.aggregator import Aggregator
from blindscore.designs.bureau import Bureau
from blindscore.designs.design import Design
from blindscore.designs.integrated import Integrated
from blindscore.designs.minimal import Minimal
from blindscore.designs.platform import Platform
from blindscore.errors import BlindscoreError, ParameterError

GROUP = "blindscore.designs"
PLAIN: tuple[type[Design], ...] = (Platform, Integrated, Bureau, Aggregator, Minimal)


def load_designs() -> dict[str, Design]:
    """Return every design with its default parameters, by name, from most watching to least.

    Raises
    ------
    ParameterError
        Two designs carry one name, or a plug-in is no design, or lacks a library.
    """
    found = [design() for design in PLAIN]
    for point in entry_points(group=GROUP):
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
    found.sort(key=lambda design: (design.order, design.name))
    by_name = {design.name: design for design in found}
    if len(by_name) != len(found):
        twice = sorted({d.name for d in found if [e.name for e in found].count(d.name) > 1})
        raise ParameterError(f"more than one design is called {', '.join(twice)}; remove or rename a plug-in")
    return by_name
