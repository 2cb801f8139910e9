"""``plan``: machine-hours, bytes, memory and storage for so many people, from rates measured on the spot."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from blindscore import threads


def plan(
    people: Annotated[float, typer.Option(help="How many people, such as 1.4e9.", show_default=False)],
    design: Annotated[str, typer.Option(help="Names, separated by commas; all designs if left out.")] = "",
    cores: Annotated[int, typer.Option(min=0, help="Cores of one machine; 0: as many as here.")] = 0,
    as_json: Annotated[
        bool, typer.Option("--json", help="Say the result as JSON, and nothing else, on stdout.")
    ] = False,
) -> None:
    """Say what a design would cost for so many people, from short real runs of its own code on this machine."""
    from blindscore.errors import ParameterError
    from blindscore_app.commands.designs import choose_designs
    from blindscore_app.progress import bar
    from blindscore_app.scale import plan as planner

    if not 1 <= people <= planner.MAX_PEOPLE or people != int(people):
        raise ParameterError("--people: give a whole number from 1 to 1e12")
    cores = cores or threads.cores()
    names = [chosen.name for chosen in choose_designs(design, planner.MEASURED_RUNS, planner.MEASURED_PEOPLE)]
    plans = []
    with bar() as progress:
        for k, name in enumerate(names):
            progress(f"{name}: short real run", k, len(names))
            plans.append(planner.plan(planner.measure_apart(name), int(people), cores))
    if as_json:
        typer.echo(json.dumps(planner.to_dict(plans, cores)))
        return
    from rich.console import Console
    from rich.table import Table

    from blindscore_app.report.tables import clean

    table = Table(title=f"{int(people):,} people, machines of {cores} cores", title_justify="left")
    table.add_column("design")
    for name in ("us a person", "core-hours", "machine-hours", "on the wire", "memory", "stored", "real runs"):
        table.add_column(name, justify="right")
    for one in plans:
        spent = sum(one.rates.us_per_person.values())
        sizes = map(_size, (one.wire_bytes, one.memory_bytes, one.storage_bytes))
        hours = (f"{one.core_hours:,.3g}", f"{one.machine_hours:,.3g}")
        table.add_row(clean(one.design, 40), f"{spent:,.4g}", *hours, *sizes, str(one.rates.real_runs))
    console = Console()
    if not console.is_terminal:
        console.width = 120
    console.print(table)
    console.print("Assumed:", highlight=False)
    for line in planner.ASSUMPTIONS:
        console.print(f"- {line}", highlight=False)


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:,.4g} PB"
