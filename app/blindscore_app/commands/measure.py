"""``frontier`` and ``audit``: what each design keeps, lets the watchers do, and costs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from blindscore.errors import ParameterError
from blindscore.extras import require
from blindscore_app.commands.asked import Asked, Society, TrainedOn, check_coalition, choose_cache, with_options
from blindscore_app.commands.designs import choose_designs
from blindscore_app.commands.engine import EngineName, Where, Workers, choose_engine
from blindscore_app.files.safely import check_directory, write_all

if TYPE_CHECKING:
    from blindscore.designs.design import Design
    from blindscore.people.population import Population
    from blindscore.people.society import Kind
    from blindscore_app.scale.tasks import Engine

ELSEWHERE = 0x5EED  # apart from the seeds that people ask for: another society has other people


@with_options
def frontier(
    asked: Asked,
    people: Annotated[int, typer.Option(min=200, max=1_000_000, help="People in the synthetic society.")] = 20_000,
    society: Society = "independent",
    trained_on: TrainedOn = "",
    engine: EngineName = Where.LOCAL,
    workers: Workers = 0,
) -> None:
    """Run every design over a synthetic society and show what each still lets the watchers do."""
    require("frontier")
    check_directory(asked.out)
    check_coalition(asked.coalition)
    from blindscore.people.society import check_kind, make_society

    kind = check_kind(society)
    other = check_kind(trained_on) if trained_on else None
    kept = choose_cache(asked.out, asked.cache, asked.no_cache)
    chosen = _designs(asked, people)
    if engine is Where.DASK and other is not None:
        raise ParameterError("--trained-on goes with --engine local; a cluster makes no other society")
    if engine is Where.DASK:
        _fill(kept, people, asked.seed, kind, chosen, asked.quick, choose_engine(engine, workers, "", None, None, None))
    command = f"blindscore frontier --people {people} --seed {asked.seed}"
    command += f" --society {kind}" * (kind != "independent") + f" --trained-on {other}" * (other is not None)
    elsewhere = None if other is None else make_society(people=people, seed=ELSEWHERE ^ asked.seed, kind=other)
    _measure(
        lambda another: make_society(people=people, seed=another, kind=kind),
        chosen,
        asked,
        asked.words(command),
        kept,
        elsewhere,
    )


@with_options
def audit(
    asked: Asked,
    file: Annotated[Path, typer.Argument(help="CSV or Parquet, one row a person.", show_default=False)],
    schema: Annotated[Path, typer.Option(help="TOML file that says what each column is.", show_default=False)],
) -> None:
    """Show the same table for a lender's own file."""
    require("frontier")
    check_directory(asked.out)
    check_coalition(asked.coalition)
    kept = choose_cache(asked.out, asked.cache, asked.no_cache)
    from blindscore.people.files.loaders import load_people

    population = load_people(file, schema, needs_outcome=False)
    command = asked.words(f"blindscore audit {file.name} --schema {schema.name} --seed {asked.seed}")
    _measure(lambda _: population, _designs(asked, len(population)), asked, command, kept)


def _designs(asked: Asked, people: int) -> list[Design]:
    from blindscore.designs.parameters import with_settings

    return with_settings(choose_designs(asked.designs, asked.real_runs, people, asked.set_of), asked.settings or [])


def _fill(
    cache: Path | None, people: int, seed: int, kind: Kind, designs: list[Design], quick: bool, engine: Engine
) -> None:
    """Have a cluster measure each design, so that the cache holds all parts of the ledger.

    Raises
    ------
    ParameterError
        There is no cache, through which alone the parts come back.
    """
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


def _measure(
    people_of: Callable[[int], Population],
    designs: list[Design],
    asked: Asked,
    command: str,
    cache: Path | None,
    elsewhere: Population | None = None,
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
        attacks = [c for c in load_capabilities() if not asked.quick or c.quick]
        ledger = measure(
            people_of(asked.seed),
            designs,
            Scorecard(),
            seed=asked.seed,
            command=command,
            progress=progress,
            capabilities=attacks,
            cache=parts,
            outside=asked.brought,
            elsewhere=elsewhere,
        )
        done = len(designs) * (1 + len(attacks))
        ledger = hold(
            ledger,
            designs,
            Scorecard(),
            asked.further,
            people_of,
            capabilities=attacks,
            cache=parts,
            elsewhere=elsewhere,
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
    write_all(asked.out, files)
    if asked.as_json:
        typer.echo(ledger.to_json(), nl=False)
        return
    typer.echo(f"Written to {asked.out}: {', '.join(files)}\n")
    print_ledger(ledger, asked.coalition, details=asked.details)
