"""``frontier`` and ``audit``: what each design keeps, lets the watchers do, and costs."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from blindscore.extras import require
from blindscore_app.commands.engine import EngineName, Where, Workers, choose_engine
from blindscore_app.files.safely import check_directory, write_all

if TYPE_CHECKING:
    from blindscore.designs.design import Design
    from blindscore.people.population import Population
    from blindscore.people.society import Kind
    from blindscore_app.scale.tasks import Engine

QUICK_SAMPLE = 8
SEEDS = 5

Seed = Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Same seed, same people, same figures.")]
Society = Annotated[
    str, typer.Option(help="independent: secrets tell nothing of money; disparate: groups differ as published.")
]
Designs = Annotated[
    str,
    typer.Option(
        help="Names, or files of flows (NAME.toml), separated by commas; the whole set if left out.", show_default=False
    ),
]

Seeds = Annotated[int, typer.Option(min=1, max=100, help="A mark must hold under so many seeds; one with --quick.")]


class SetOf(StrEnum):
    """Which designs are run where none is named."""

    DEFAULT = "default"
    WORLD = "world"
    ALL = "all"


Set = Annotated[
    SetOf, typer.Option("--set-of", help="default: designs to choose between; world: systems that exist; all: both.")
]
Sample = Annotated[int, typer.Option(min=1, max=10_000, help="Real protocol runs a cryptographic design.")]
Out = Annotated[Path, typer.Option(help="Directory for ledger.csv, ledger.json, frontier.png and report.html.")]
Coalition = Annotated[str, typer.Option(help="Whose capabilities stand in the main table.")]
Quick = Annotated[bool, typer.Option("--quick", help="Play the short attacks only, and fewer real protocol runs.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", help="A design's parameter: design.parameter=value; may be repeated.", show_default=False),
]
Kept = Annotated[
    Path | None,
    typer.Option(
        "--cache",
        help="Directory for finished parts, so that a second run costs only what changed; OUT/parts if left out.",
        show_default=False,
    ),
]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Find no finished part again, and keep none.")]
Outside = Annotated[
    str,
    typer.Option(
        help="Registers that attackers bring along, by commas: tax roll, credit register, names, friend list.",
        show_default=False,
    ),
]
Details = Annotated[bool, typer.Option("--details", help="Print the long tables too, before the short one.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the ledger as JSON, and nothing else, to stdout.")]


def frontier(
    people: Annotated[int, typer.Option(min=200, max=1_000_000, help="People in the synthetic society.")] = 20_000,
    seed: Seed = 1,
    seeds: Seeds = SEEDS,
    society: Society = "independent",
    designs: Designs = "",
    set_of: Set = SetOf.DEFAULT,
    sample: Sample = 64,
    out: Out = Path("out"),
    coalition: Coalition = "scorer",
    quick: Quick = False,
    cache: Kept = None,
    no_cache: NoCache = False,
    settings: Settings = None,
    outside: Outside = "",
    engine: EngineName = Where.LOCAL,
    workers: Workers = 0,
    details: Details = False,
    as_json: AsJson = False,
) -> None:
    """Run every design over a synthetic society and show what each still lets the watchers do."""
    require("frontier")
    check_directory(out)
    check_coalition(coalition)
    from blindscore.designs.parameters import with_settings
    from blindscore.people.society import check_kind, make_society

    kind = check_kind(society)
    sample = min(sample, QUICK_SAMPLE) if quick else sample
    kept = choose_cache(out, cache, no_cache)
    chosen = with_settings(choose_designs(designs, sample, people, set_of), settings or [])
    if engine is Where.DASK:
        _fill(kept, people, seed, kind, chosen, quick, choose_engine(engine, workers, "", None, None, None))

    asked = f"blindscore frontier --people {people} --seed {seed}{f' --society {kind}' * (kind != 'independent')}"
    further = _further(seed, seeds, quick)
    brought = choose_outside(outside)
    command = _with(f"{asked}{_seeds_words(seeds, quick)} --sample {sample}", designs, set_of, quick, settings, brought)

    def people_of(another: int) -> Population:
        return make_society(people=people, seed=another, kind=kind)

    _measure(people_of, chosen, (seed, *further), command, out, coalition, quick, kept, details, as_json, brought)


def audit(
    file: Annotated[Path, typer.Argument(help="CSV or Parquet, one row a person.", show_default=False)],
    schema: Annotated[Path, typer.Option(help="TOML file that says what each column is.", show_default=False)],
    seed: Seed = 1,
    seeds: Seeds = SEEDS,
    designs: Designs = "",
    set_of: Set = SetOf.DEFAULT,
    sample: Sample = 64,
    out: Out = Path("out"),
    coalition: Coalition = "scorer",
    quick: Quick = False,
    cache: Kept = None,
    no_cache: NoCache = False,
    settings: Settings = None,
    outside: Outside = "",
    details: Details = False,
    as_json: AsJson = False,
) -> None:
    """Show the same table for a lender's own file."""
    require("frontier")
    check_directory(out)
    check_coalition(coalition)
    kept = choose_cache(out, cache, no_cache)
    from blindscore.designs.parameters import with_settings
    from blindscore.people.files.loaders import load_people

    population = load_people(file, schema)
    sample = min(sample, QUICK_SAMPLE) if quick else sample
    chosen = with_settings(choose_designs(designs, sample, len(population), set_of), settings or [])
    told = _seeds_words(seeds, quick)
    command = f"blindscore audit {file.name} --schema {schema.name} --seed {seed}{told} --sample {sample}"
    played = (seed, *_further(seed, seeds, quick))
    brought = choose_outside(outside)
    command = _with(command, designs, set_of, quick, settings, brought)
    _measure(lambda _: population, chosen, played, command, out, coalition, quick, kept, details, as_json, brought)


def _further(seed: int, seeds: int, quick: bool) -> list[int]:
    """Return the seeds beyond the first that marks are put to."""
    return [] if quick else [(seed + more) % 2**32 for more in range(1, seeds)]


def _seeds_words(seeds: int, quick: bool) -> str:
    return "" if quick or seeds == SEEDS else f" --seeds {seeds}"


def _fill(
    cache: Path | None, people: int, seed: int, kind: Kind, designs: list[Design], quick: bool, engine: Engine
) -> None:
    """Have a cluster measure each design, so that the cache holds all parts of the ledger.

    Raises
    ------
    ParameterError
        There is no cache, through which alone the parts come back.
    """
    from blindscore.errors import ParameterError
    from blindscore.surveillance.attacks.registry import load_capabilities
    from blindscore_app.progress import bar
    from blindscore_app.scale.frontier import design_tasks
    from blindscore_app.scale.tasks import run

    if cache is None:
        raise ParameterError("--engine dask hands finished parts over in the cache; leave out --no-cache")
    cache.mkdir(parents=True, exist_ok=True)
    attacks = [c for c in load_capabilities() if not quick or c.quick]
    with bar() as progress:
        run(
            design_tasks(people, seed, kind, designs, attacks, cache),
            engine,
            cache / "manifest.json",
            progress,
            "designs",
        )


def check_coalition(name: str) -> None:
    """Raise :class:`ParameterError` where no run can have a coalition of this name; other roles a run itself names."""
    from blindscore.errors import ParameterError
    from blindscore.surveillance.coalitions import EVERYBODY, FIRST

    if name != EVERYBODY and not set(name.split("+")) & set(FIRST):
        raise ParameterError(f"no coalition is called {name!r}; join roles by +, of {', '.join(FIRST)}, or say all")


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
    return [_sampled(design, sample) for design in chosen.values()]


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


def _sampled(design: Design, sample: int) -> Design:
    if is_dataclass(design) and not isinstance(design, type) and "sample" in {f.name for f in fields(design)}:
        return replace(design, sample=sample)
    return design


def choose_cache(out: Path, cache: Path | None, no_cache: bool) -> Path | None:
    """Return the directory of finished parts: the named one, else ``parts`` in the output directory; None for none.

    Raises
    ------
    ParameterError
        A directory is named, and none is to be used.
    DataError
        The directory cannot be written.
    """
    from blindscore.errors import ParameterError

    if no_cache:
        if cache is not None:
            raise ParameterError("--cache and --no-cache exclude each other; give one of them")
        return None
    kept = out / "parts" if cache is None else cache
    check_directory(kept)
    return kept


def choose_outside(names: str) -> tuple[str, ...]:
    """Return the outside registers of a list, or raise :class:`ParameterError`."""
    from blindscore.surveillance.outside import check_outside

    return check_outside(name.strip() for name in names.split(",") if name.strip())


def _with(
    command: str, designs: str, set_of: SetOf, quick: bool, settings: list[str] | None, outside: Sequence[str]
) -> str:
    chosen = f" --designs {shlex.quote(designs.replace(' ', ''))}" if designs.strip() else ""
    chosen += f" --set-of {set_of.value}" if set_of is not SetOf.DEFAULT else ""
    changed = "".join(f" --set {shlex.quote(setting)}" for setting in settings or [])
    brought = f" --outside {shlex.quote(','.join(outside))}" if outside else ""
    return f"{command}{chosen}{changed}{brought}{' --quick' if quick else ''}"


def _measure(
    people_of: Callable[[int], Population],
    designs: list[Design],
    seeds: Sequence[int],
    command: str,
    out: Path,
    coalition: str,
    quick: bool,
    cache: Path | None,
    details: bool,
    as_json: bool,
    outside: Sequence[str],
) -> None:
    from blindscore.scorecard.scorecard import Scorecard
    from blindscore.surveillance.attacks.registry import load_capabilities
    from blindscore.surveillance.cache import Cache
    from blindscore.surveillance.frontier import measure
    from blindscore.surveillance.seeds import hold
    from blindscore_app.progress import bar
    from blindscore_app.report.html import render_page
    from blindscore_app.report.picture import draw_frontier
    from blindscore_app.report.tables import print_ledger

    parts = Cache(cache)
    with bar() as progress:
        attacks = [c for c in load_capabilities() if not quick or c.quick]
        ledger = measure(
            people_of(seeds[0]),
            designs,
            Scorecard(),
            seed=seeds[0],
            command=command,
            progress=progress,
            capabilities=attacks,
            cache=parts,
            outside=outside,
        )
        done = len(designs) * (1 + len(attacks))
        ledger = hold(
            ledger,
            designs,
            Scorecard(),
            seeds[1:],
            people_of,
            capabilities=attacks,
            cache=parts,
            tell=lambda seed: progress(f"marks under seed {seed}", done, done),
        )
    parts.tidy()
    picture = draw_frontier(ledger)
    files = {
        "ledger.csv": ledger.to_csv().encode(),
        "ledger.json": ledger.to_json().encode(),
        "frontier.png": picture,
        "report.html": render_page(ledger).encode(),
    }
    write_all(out, files)
    if as_json:
        typer.echo(ledger.to_json(), nl=False)
        return
    typer.echo(f"Written to {out}: {', '.join(files)}\n")
    print_ledger(ledger, coalition, details=details)
