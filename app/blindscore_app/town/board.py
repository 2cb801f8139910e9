"""Board: founds and runs a town for everybody to see, and prints who did what; and serves an order on it."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from blindscore.designs.plain import LEGAL_ID, choose_threshold, financial, fit_card
from blindscore.errors import DataError, ParameterError
from blindscore.parties.party import Party
from blindscore.parties.store import close_store
from blindscore.people.population import Population
from blindscore.people.society import make_society
from blindscore.scorecard.scorecard import Scorecard
from blindscore.surveillance.ledger import Row
from blindscore_app.progress import bar
from blindscore_app.town.authority import write_secret
from blindscore_app.town.captured import captured_rows
from blindscore_app.town.cover import covering, require_coverable
from blindscore_app.town.folders import LENDER, WALLETS, folder_of, schema_of
from blindscore_app.town.founding import found_town
from blindscore_app.town.lines import Lines
from blindscore_app.town.order import Exposed, People, Place, cell, of_party, places, telling
from blindscore_app.town.parts import Applying, part_of
from blindscore_app.town.parts.site import threshold_of
from blindscore_app.town.playing import tell
from blindscore_app.town.running import Running, running, town_of
from blindscore_app.town.standing import Town
from blindscore_app.town.warrant import copied, place, standing
from blindscore_crypto.designs.sealed import some_people

HISTORY = 2000  # past customers whose outcomes train the card; they are nobody in the town
EXPERIMENT = "experiment.json"  # the people's true figures, to count them by; no party reads it
CLEAR = "clear.json"  # what the clear scorecard decides of each person, by lender
PAST = "past.json"  # the same of past customers who trained the card, and of strangers
SOUGHT = 200  # of either kind
RIDES = ("reached", "granted", "again")  # columns of :func:`ride_all`
PATIENCE_S, PAUSE_S = 60.0, 0.5  # beyond the deadline, in which a decision is asked for again


def prepare(
    folder: Path, design: str, people: int, seed: int, *, history: int = HISTORY, database: str = "", **more: Any
) -> tuple[Town, str, np.ndarray[Any, Any]]:
    """Found a town of made-up people; return it, the keys' passphrase, and the clear scorecard's decisions, (people,).

    Parameters
    ----------
    history
        How many past customers train the card.
    more
        See :func:`~blindscore_app.town.founding.found_town`.

    Raises
    ------
    ParameterError
        No such design, or one that lacks what is asked for.
    """
    part_of(design)
    society = make_society(people=history + people, seed=seed)
    card = fit_card(society, Scorecard(), financial(society)).card_
    scores = card.scores(card.bins(society.features))
    threshold = choose_threshold(scores[society.history], 0.75, card.scale.low, card.scale.high)
    chosen = np.flatnonzero(~society.history)[:people]
    inhabitants = some_people(society, chosen)
    passphrase = secrets.token_urlsafe(24)
    store_of = None
    if database:
        from blindscore_app.town.postgres_store import PostgresStore

        store_of = lambda name: PostgresStore(database, schema_of(name))  # noqa: E731
    found_town(folder, design, card, threshold, inhabitants, passphrase.encode(), store_of=store_of, **more)
    write_secret(folder / EXPERIMENT, json.dumps(_figures(inhabitants)).encode())
    town = Town(folder, database)
    clear = {
        name: (scores[chosen] >= threshold_of(card, threshold, i)).tolist()
        for i, name in enumerate(town.public["lenders"])
    }
    write_secret(folder / CLEAR, json.dumps(clear).encode())
    strangers = np.flatnonzero(~society.history)[people:]
    past = {"members": np.flatnonzero(society.history), "others": strangers}
    known = {kind: _figures(some_people(society, whose[:SOUGHT])) for kind, whose in past.items()}
    write_secret(folder / PAST, json.dumps(known).encode())
    return town, passphrase, np.array(clear[LENDER])


def _figures(people: Population) -> dict[str, dict[Any, float]]:
    """Return everybody's numbers, by legal id."""
    figures = people.features.select_dtypes("number").astype(float)
    return dict(zip(people.register[LEGAL_ID].astype(str), figures.to_dict("records"), strict=True))


def apply_all(town: Town, tick: Callable[[str], None] = lambda _: None, lender: str = LENDER) -> pd.DataFrame:
    """Let everybody fetch early, then apply to a lender, then collect; return one row a person.

    Columns: person, decision (True, False or None), us_apply (microseconds from asking to the answer being noted).
    """
    wallets = [town.wallet(number, lender=lender) for number in range(town.people)]
    rows = []
    try:
        for command in ("learn", "apply"):
            for number, (wallet, lines) in enumerate(wallets):
                began = time.perf_counter()
                tell(wallet, lines, command)
                if command == "apply":
                    rows.append({"person": number, "us_apply": round(1e6 * (time.perf_counter() - began))})
                tick(command)
        time.sleep(float(town.public["delay_s"]) + 0.5)
        due = time.monotonic() + PATIENCE_S
        for number, (wallet, lines) in enumerate(wallets):
            collect(wallet, wallet, lines, due)
            rows[number]["decision"] = wallet.verdict()
            tick("collect")
    finally:
        for wallet, lines in wallets:
            lines.close()
            close_store(wallet.store)
    return pd.DataFrame(rows)


def ride_all(town: Town, tick: Callable[[str], None] = lambda _: None) -> pd.DataFrame:
    """Let everybody prove the perk's points, fetch a token, and take it to the gate twice; return one row a person.

    Columns: person, reached (True, False or None, as the office decided), granted (the gate opened), again (it opened a
    second time for the same token).
    """
    from blindscore_app.town.parts.sealed import rider_of

    rows = []
    riders = [rider_of(town, number) for number in range(town.people)]
    try:
        for command in ("learn", "apply"):
            for rider, lines in riders:
                tell(rider, lines, command)
                tick(command)
        time.sleep(float(town.public["delay_s"]) + 0.5)
        due = time.monotonic() + PATIENCE_S
        for number, (rider, lines) in enumerate(riders):
            collect(rider, rider.wallet, lines, due)
            reached, opened = rider.wallet.verdict(), []
            for command in ("token", "ride", "ride") if reached else ():
                tell(rider, lines, command)
                opened.append(rider.granted is True)
                tick(command)
            rows.append({"person": number, "reached": reached, "granted": any(opened), "again": sum(opened) > 1})
    finally:
        for rider, lines in riders:
            lines.close()
            close_store(rider.store)
    return pd.DataFrame(rows)


def collect(asker: Party, wallet: Applying, lines: Lines, due: float) -> None:
    """Let a person ask for the decision on its wallet's application until it is there, or the time is up."""
    tell(asker, lines, "collect")
    while wallet.verdict() is None and time.monotonic() < due:
        time.sleep(PAUSE_S)
        tell(asker, lines, "collect")


def play_town(
    folder: Path,
    design: str,
    people: int,
    seed: int,
    *,
    group: str,
    database: str,
    answer_after: float,
    stay: bool,
    as_json: bool,
    perk: int = 0,
    relay: bool = True,
    lenders: int = 1,
    banks: int = 1,
    share: float = 1.0,
    cover: float = 0.0,
) -> None:
    """Found, run, apply, print.

    Parameters
    ----------
    cover
        Requests an hour that every wallet sends to the relay, real or not (:mod:`.cover`); 0 = real ones, at once.
    """
    if cover:  # before anything is founded
        require_coverable(part_of(design), relay=relay)
    counts = {"perk": perk, "lenders": lenders, "banks": banks}
    town, passphrase, _ = prepare(
        folder, design, people, seed, database=database, group=group, relay=relay, share=share, **counts
    )
    clear = json.loads((folder / CLEAR).read_text("utf-8"))
    with running(town, passphrase, answer_after) as up:
        if not as_json:
            _print_parties(town, up)
        with bar() as report:
            done = count(1)
            began = time.perf_counter()
            with covering(town, cover) if cover else nullcontext(town) as spoken:
                rows = {
                    lender: apply_all(spoken, lambda label: report(label, next(done), 3 * people * lenders), lender)
                    for lender in town.public["lenders"]
                }
            seconds = time.perf_counter() - began
        played, decisions = rows[LENDER], np.array(clear[LENDER])
        rides = ride_all(town) if perk else None
        told = {
            "design": design,
            "people": people,
            "answered": int(played["decision"].notna().sum()),
            "as_the_clear_card_says": int((played["decision"] == decisions).sum()),
            "approved": int(played["decision"].eq(True).sum()),  # None is neither
            "others": {
                name: {
                    "answered": int(each["decision"].notna().sum()),
                    "as_the_clear_card_says": int((each["decision"] == np.array(clear[name])).sum()),
                    "approved": int(each["decision"].eq(True).sum()),
                }
                for name, each in rows.items()
                if name != LENDER
            },
            "seconds": round(seconds, 1),
            "us_apply_median": float(played["us_apply"].median()),
            "parties": {name: _summary(figures) for name, figures in up.metrics().items()},
            "relay": [vars(count) for count in up.counts()],
            "perk": None if rides is None else {name: int(rides[name].eq(True).sum()) for name in RIDES},
            "folder": str(folder),
        }
        if as_json:
            print(json.dumps(told))
        else:
            _print_board(told)
        if stay:
            print("serving; Ctrl-C stops the town", flush=True)
            while True:
                time.sleep(1)


def serve_order(
    folder: Path, on: str, person: str = "", since: int = 0, *, as_json: bool, database: str = ""
) -> list[Exposed]:
    """Open a party's files, and its tables where they are on a server, and print whom they expose.

    Parameters
    ----------
    person
        Legal id of whom the order is after; "" = everybody.
    since
        Day (since 1970) from which rows are asked for.
    database
        How libpq reaches the town's PostgreSQL, "" where stores are files.

    Raises
    ------
    ParameterError
        No such party, or nobody of that name.
    """
    town = town_of(folder)
    wallets = on == "wallets"
    if on not in town.roles and not wallets:
        raise ParameterError(f"no party of this town is called {on!r}; there are {', '.join(town.roles)}, wallets")
    people = whom(folder, person)
    found = telling(places(folder / WALLETS, since) if wallets else of_party(folder, on, since, database), people)
    _print_order(f"order served on {on}", found, len(people), as_json=as_json)
    return found


def serve_standing(folder: Path, on: str, person: str = "", *, gag: bool, as_json: bool) -> list[Exposed]:
    """Place a standing order on a party, or print what the one that stands for the same people has copied so far.

    Raises
    ------
    ParameterError
        No such party, or nobody of that name.
    """
    town = town_of(folder)
    if on not in town.roles:
        raise ParameterError(f"no party of this town is called {on!r}; there are {', '.join(town.roles)}")
    people = whom(folder, person)
    for copy, warrant in standing(folder_of(folder, on)).items():
        if warrant.person == person:
            rows = tuple(copied(copy))
            blob = b"\0".join(cell(value) for row in rows for value in row)
            found = [Place(f"copy {copy.stem}", ("from", "kind", "body"), rows, blob).exposed(people)]
            _print_order(f"standing order on {on}", found, len(people), as_json=as_json)
            return found
    record = place(folder_of(folder, on), person, gag=gag)
    print(json.dumps({"on": on, "placed": str(record)}) if as_json else f"{on} copies from now on; order: {record}")
    return []


def _print_order(title: str, found: list[Exposed], people: int, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"order": title, "people": people, "found": [asdict(one) for one in found]}))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("place", "rows", "columns", "named", "read", "decisions", "totals", title=title)
    for one in found:
        cells = [one.place, one.rows, one.columns, f"{one.named} of {people}", one.read, one.decisions, one.totals]
        table.add_row(*map(str, cells))
    Console().print(table)


def whom(folder: Path, person: str = "") -> People:
    """Return the figures of everybody in a town, or of one person.

    Raises
    ------
    ParameterError
        Nobody of that name.
    """
    known: People = json.loads((folder / EXPERIMENT).read_text("utf-8"))
    if person and person not in known:
        raise ParameterError(f"nobody in this town is called {person!r}")
    return {person: known[person]} if person else known


def capture(folder: Path, database: str = "") -> tuple[Row, ...]:
    """Serve everybody's order on every institution of a town, alone and lender with sources; return the ledger's rows.

    Raises
    ------
    DataError
        The town was founded without what its orders are counted by, or a store is no file.
    """
    try:
        past = json.loads((folder / PAST).read_text("utf-8"))
    except OSError:
        raise DataError(f"{folder / PAST}: not there; found the town anew with: blindscore town up") from None
    return captured_rows(town_of(folder, database), whom(folder), past["members"], past["others"])


def _summary(figures: dict[str, float]) -> dict[str, float]:
    served = sum(v for k, v in figures.items() if k.startswith("blindscore_served"))
    refused = sum(v for k, v in figures.items() if k.startswith("blindscore_refused"))
    p50, p99 = (next((v for k, v in figures.items() if f'quantile="{q}"' in k), 0.0) for q in ("0.5", "0.99"))
    return {"served": served, "refused": refused, "p50_ms": round(1e3 * p50, 2), "p99_ms": round(1e3 * p99, 2)}


def _print_parties(town: Town, up: Running) -> None:
    for name, role in town.roles.items():
        where = folder_of(town.folder, name)
        print(f"{name:12} {role:8} https://127.0.0.1:{up.ports[name]}  {where}")


def _print_board(told: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("party", "messages", "refused", "p50 ms", "p99 ms")
    for name, figures in told["parties"].items():
        table.add_row(name, *(f"{figures[k]:g}" for k in ("served", "refused", "p50_ms", "p99_ms")))
    Console().print(table)
    print(
        f"{told['answered']} of {told['people']} answered in {told['seconds']} s, {told['approved']} approved; "
        f"{told['as_the_clear_card_says']} as the clear scorecard says"
    )
    for name, one in told["others"].items():
        said = "{answered} answered, {approved} approved, {as_the_clear_card_says} as the clear scorecard says"
        print(f"{name}: {said.format(**one)}")
    for one in told["relay"]:
        print(f"relay, to {one['to']}: {one['passed']} passed on, {one['answered']} answered, signed by the relay")
    if told["perk"] is not None:
        print("perk: {reached} reached it and {granted} were let in once; {again} twice".format(**told["perk"]))
