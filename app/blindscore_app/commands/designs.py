"""Which designs a command runs: the named ones, files of flows among them, or a whole set."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from blindscore.designs.design import Design


class SetOf(StrEnum):
    """Which designs are run where none is named."""

    DEFAULT = "default"
    WORLD = "world"
    ALL = "all"


def choose_designs(names: str, sample: int, people: int, set_of: SetOf = SetOf.DEFAULT) -> list[Design]:
    """Return the named designs in the order of the table, cryptographic ones set to ``sample`` real runs.

    A name that ends in ``.toml`` is a file of flows. With no name the whole set is meant, less the designs whose extra
    is not installed; of each of these one line on stderr says so.

    Raises
    ------
    ParameterError
        A name is unknown or stands twice, or the sample is larger than the population.
    SchemaError
        A file is no design.
    """
    from blindscore.designs.flows import load_flows
    from blindscore.designs.parameters import sampled
    from blindscore.designs.registry import by_name, load_designs
    from blindscore.errors import ParameterError

    wanted = [name.strip() for name in names.split(",") if name.strip()]
    if names.strip() and not wanted:
        raise ParameterError(f"--designs names no design; there are {', '.join(load_designs('all'))}")
    if len(set(wanted)) < len(wanted):
        raise ParameterError("a design is named twice; name each once")
    if sample > people:
        raise ParameterError(f"--sample {sample} is more than the {people} people there are; give a smaller one")
    if wanted:
        known = load_designs("all")
        files: list[Design] = [load_flows(Path(name)) for name in wanted if name.endswith(".toml")]
        named = [name for name in wanted if not name.endswith(".toml")]
        unknown = [name for name in named if name not in known]
        if unknown:
            raise ParameterError(f"no design is called {', '.join(unknown)}; there are {', '.join(known)}")
        chosen = by_name([known[name] for name in named] + files)
    else:
        chosen = _installed(load_designs(set_of.value))
    return [sampled(design, sample) for design in chosen.values()]


def _installed(designs: Mapping[str, Design]) -> dict[str, Design]:
    from blindscore.extras import missing

    kept = {}
    for name, design in designs.items():
        extra = getattr(design, "extra", "")
        absent = missing(extra) if extra else []
        if absent:
            line = f"{name} is left out: {', '.join(absent)} cannot be found; pip install 'blindscore[{extra}]'"
            typer.echo(line, err=True)
        else:
            kept[name] = design
    return kept
