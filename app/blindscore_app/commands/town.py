"""``blindscore town``: found a town, run it, apply in everybody's name, and serve orders on it."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Every party a process of its own, over TLS, on a database.", no_args_is_help=True)


class Kind(StrEnum):
    """Whom an order is after."""

    EVERYBODY = "everybody"
    PERSON = "person"
    SINCE = "since"


Folder = Annotated[Path, typer.Option(help="The town's folder.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def up(
    design: Annotated[
        str, typer.Option(help="sealed, one-show, encrypted, encrypted-decision, encrypted-audited, encrypted-proved.")
    ] = "one-show",
    people: Annotated[int, typer.Option(help="Wallets.", min=2, max=2000)] = 50,
    seed: Annotated[int, typer.Option(help="Of the society.")] = 1,
    folder: Folder = Path("out/town"),
    group: Annotated[str, typer.Option(help="P-256, or ristretto255 (extra ristretto).")] = "P-256",
    database: Annotated[str, typer.Option(help="PostgreSQL, as libpq takes it; SQLite files if left out.")] = "",
    answer_after: Annotated[float, typer.Option(help="Seconds after which every answer leaves.")] = 0.0,
    perk: Annotated[int, typer.Option(help="Points of a perk, with an office and a gate; 0 = none.", min=0)] = 0,
    lenders: Annotated[int, typer.Option(help="Each asks for 20 points more than the one before.", min=1, max=4)] = 1,
    banks: Annotated[int, typer.Option(help="2: savings lie with a bank of their own.", min=1, max=2)] = 1,
    share: Annotated[float, typer.Option(help="Of signed results that encrypted-audited's auditor recomputes.")] = 0.1,
    relay: Annotated[bool, typer.Option(help="Let wallets reach all but their sources through a relay.")] = True,
    cover: Annotated[
        float, typer.Option(help="Requests an hour from each wallet to the relay, real or dummy.", min=0, max=3600)
    ] = 0.0,
    stay: Annotated[bool, typer.Option("--stay", help="Go on serving until Ctrl-C.")] = False,
    as_json: Json = False,
) -> None:
    """Found a town, start its parties, let everybody apply, show who did what, and stop."""
    from blindscore.extras import require

    require("frontier")
    require("town")
    from blindscore_app.town.board import play_town

    play_town(
        folder,
        design,
        people,
        seed,
        group=group,
        database=database,
        answer_after=answer_after,
        stay=stay,
        as_json=as_json,
        perk=perk,
        relay=relay,
        lenders=lenders,
        banks=banks,
        share=share,
        cover=cover,
    )


@app.command()
def clocks(
    people: Annotated[int, typer.Option(help="Who apply on one day.", min=2, max=2000)] = 200,
    days: Annotated[int, typer.Option(help="Days of each habit that carry the interval.", min=2)] = 40,
    seed: Annotated[int, typer.Option(help="Of society and times.")] = 1,
    parties: Annotated[bool, typer.Option(help="Let the real parties play one day of each habit.")] = True,
    as_json: Json = False,
) -> None:
    """Let source and lender compare times, and print whom they join by how long wallets wait."""
    from blindscore.extras import require

    require("frontier")
    require("town")
    from blindscore_app.town.clocks import print_curve

    print_curve(people, days, seed, parties=parties, as_json=as_json)


@app.command()
def order(
    on: Annotated[str, typer.Option(help="The party that is served: lender, bank, bureau, log ...")] = "lender",
    kind: Annotated[Kind, typer.Option(help="Whom, or what, it is after.")] = Kind.EVERYBODY,
    person: Annotated[str, typer.Option(help="Legal id, for --kind person.")] = "",
    since: Annotated[datetime | None, typer.Option(help="Date, for --kind since.", formats=["%Y-%m-%d"])] = None,
    folder: Folder = Path("out/town"),
    ledger: Annotated[
        Path | None, typer.Option(help="Serve every institution, and write the rows into this ledger.")
    ] = None,
    standing: Annotated[
        bool, typer.Option("--standing", help="A copy of all that arrives from now on; asked again, what was copied.")
    ] = False,
    gag: Annotated[bool, typer.Option("--gag", help="With --standing: the party may not tell that it stands.")] = False,
    database: Annotated[str, typer.Option(help="The town's PostgreSQL, as libpq takes it, where its tables are.")] = "",
    as_json: Json = False,
) -> None:
    """Open a party's files, and its tables on a server, with no help from it, and report whom they expose."""
    from blindscore.errors import ParameterError
    from blindscore_app.town.board import capture, serve_order, serve_standing

    if gag and not standing:
        raise ParameterError("--gag needs --standing: what is read of files asks nobody to be silent")
    if standing:
        if ledger is not None or kind is Kind.SINCE:
            raise ParameterError("--standing takes what comes from now on; leave --ledger and --kind since away")
        serve_standing(folder, on, _asked(kind, person, since)[0], gag=gag, as_json=as_json)
        return

    if ledger is not None:
        from blindscore_app.town.captured import write_into

        held = write_into(ledger, capture(folder, database))
        typer.echo(f"{len(held.captured)} captured rows stand in {ledger}")
        return
    serve_order(folder, on, *_asked(kind, person, since), as_json=as_json, database=database)


def _asked(kind: Kind, person: str, since: datetime | None) -> tuple[str, int]:
    """Return the one person and the first day that an order names, "" and 0 where it names none."""
    from blindscore.errors import ParameterError

    if kind is Kind.PERSON and not person:
        raise ParameterError("--kind person needs --person: the legal id")
    if kind is Kind.SINCE and since is None:
        raise ParameterError("--kind since needs --since: a date such as 2026-01-31")
    day = 0 if since is None or kind is not Kind.SINCE else (since.date() - date(1970, 1, 1)).days
    return person if kind is Kind.PERSON else "", day


@app.command()
def show(
    design: Annotated[
        str, typer.Option(help="The first on stage; the page can choose any that a town plays.")
    ] = "one-show",
    people: Annotated[int, typer.Option(help="Wallets.", min=2, max=50)] = 6,
    seed: Annotated[int, typer.Option(help="Of the society.")] = 1,
    town: Annotated[Path | None, typer.Option(help="A town that is up already (town up --stay --no-relay).")] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="On 127.0.0.1, this machine alone.")] = 8760,
) -> None:
    """Open a page on this machine: each party of a town, and the bytes that it receives."""
    from blindscore.extras import require

    require("frontier")
    require("town")
    from blindscore_app.town.show.serve import show_town

    show_town(town, design, people, seed, port)


@app.command()
def storm(
    sequences: Annotated[int, typer.Option(help="How many random sequences of operations and faults.", min=1)] = 500,
    seed: Annotated[int, typer.Option(help="Of the first; each sequence can be had again by its own.")] = 0,
    design: Annotated[str, typer.Option(help="As in town up; by default all in turn.")] = "",
    database: Annotated[
        str, typer.Option(help="PostgreSQL for every eleventh sequence; its schemas storm_... are dropped.")
    ] = "",
) -> None:
    """Play random operations, replays, crashes and full disks over real parties and stores; print what broke."""
    from blindscore.extras import require

    require("frontier")
    from blindscore_app.progress import bar
    from blindscore_app.town.storm.campaign import campaign, village_of

    villages = [village_of(design)] if design else None
    with bar() as report:
        seen = campaign(
            range(seed, seed + sequences), villages, lambda done: report("sequences", done, sequences), database
        )
    print(seen.text())
    raise typer.Exit(1 if seen.broken else 0)


@app.command()
def silence(
    design: Annotated[str, typer.Option(help="sealed or one-show.")] = "one-show",
    people: Annotated[
        int, typer.Option(help="Named people, and as many others, for each way to be silent.", min=2)
    ] = 20,
    seed: Annotated[int, typer.Option(help="Of what a lender drops by chance.")] = 1,
    ledger: Annotated[Path | None, typer.Option(help="Write the rows into this ledger.")] = None,
    as_json: Json = False,
) -> None:
    """Let a lender leave a named person unanswered, with the relay between and without it; print whom it hit."""
    from blindscore.errors import ParameterError
    from blindscore.extras import require

    require("frontier")
    require("town")
    if design not in ("sealed", "one-show"):
        raise ParameterError(f"{design!r} is not played here; sealed and one-show are")
    from blindscore_app.town.silence import print_silence, silence_rows

    seen = print_silence(design, people, seed, as_json=as_json)
    if ledger is not None:
        from blindscore_app.town.captured import write_into

        write_into(ledger, silence_rows(design, seen))


@app.command()
def audit(
    folder: Folder = Path("out/town"),
    database: Annotated[str, typer.Option(help="PostgreSQL, as libpq takes it; SQLite files if left out.")] = "",
    as_json: Json = False,
) -> None:
    """Open every database of a town; name each row that honest parties would not have left (exit code 1)."""
    import json
    from dataclasses import asdict

    from blindscore_app.town.running import town_of

    town = town_of(folder, database)
    found = town.part.audit(town)
    if as_json:
        print(json.dumps([asdict(one) for one in found]))
    else:
        print("\n".join(map(str, found)) or "every row is as honest parties leave it")
    raise typer.Exit(1 if found else 0)
