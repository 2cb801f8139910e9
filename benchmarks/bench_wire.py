"""What whoever taps the line reads off it, with each defence, link and load, and what the defence costs.

``python benchmarks/bench_wire.py play --design sealed --defence "by the clock" --link lan --pairs 5000 --limit 200``
plays real exchanges of real parties behind the real service and TLS and keeps their packets under ``out/wire``;
called again, it adds a slice. Packets are captured between network namespaces where root allows, else by a tap.

``python benchmarks/bench_wire.py campaign --design sealed --cells lan:16:10000/dsl:32:10000 mobile:8:10000`` prepares
the parties once and plays slices of each cell (link, lines at once, exchanges; then perhaps a defence, and microseconds
planted) in turn until each has as many. Every argument is a process of its own: delay is no work, so slow links are
played side by side. ``python benchmarks/bench_wire.py judge [--export wflib]`` prints what attackers make of all that
was kept; with ``--json`` one object a judgement, which ``bench_wire.py ledger --judged FILE --ledger out/ledger.json``
writes into a ledger as captured rows of ``intercept``, without bound or mark.

``python benchmarks/bench_wire.py relayed --people 250 --rounds 21 --at-once 16`` is a campaign through the relay.
``python benchmarks/bench_wire.py cover --people 150 --rounds 4`` lets half of 300 people apply in each of four epochs,
without cover, with it, and with the relay's answers held back as well, and hears every person's line.

``--plant 20`` lets whoever hears a wallet last before its answer tarry 20 microseconds over approvals: the attackers'
own positive control.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from blindscore.errors import BlindscoreError, DataError, ParameterError
from blindscore.surveillance.inference.export_traces import export_wflib
from blindscore_app.town.captured import write_into
from blindscore_app.town.wire import namespaces
from blindscore_app.town.wire.campaign import stage
from blindscore_app.town.wire.covered import WAYS, play_way
from blindscore_app.town.wire.defence import DEFENCES, Defence, tarrying
from blindscore_app.town.wire.exchange import Campaign
from blindscore_app.town.wire.judge import QUESTIONS, STREET, Judged, judge
from blindscore_app.town.wire.judge_covered import cost_line, judge_covered
from blindscore_app.town.wire.kept import keep, load
from blindscore_app.town.wire.link import LINKS
from blindscore_app.town.wire.prepared import Prepared, prepare
from blindscore_app.town.wire.relayed import play_relayed
from blindscore_app.town.wire.rows import read_judged, wire_rows
from blindscore_app.town.wire.street import houses, street

PEOPLE = 200  # of either decision
SLICE = 600  # pairs of a campaign's slice, each with services and a link of its own
OUT = Path("out/wire")


def play(
    prepared: Prepared, defence: Defence, link: str, at_once: int, pairs: int, limit_s: float, out: Path, **more: Any
) -> Campaign:
    """Play one slice and keep it."""
    shift = float(more.get("plant", 0.0))
    named = replace(defence, name=f"{defence.name}, planted {shift:g} us") if shift else defence
    seed = time.time_ns() % 2**31  # of the order of play and the link's jitter; figures are of what was played
    campaign = Campaign(prepared.design, named, link, at_once)
    wrapped = tarrying(prepared, 1e-6 * shift)
    before = processor_s()
    with stage(prepared, defence, LINKS[link], seed, tap=bool(more.get("tap")), plant=wrapped) as served:
        served.play(prepared, campaign, pairs, seed, limit_s)
    campaign.processor_seconds = processor_s() - before
    keep_in(out, campaign, seed)
    return campaign


def keep_in(out: Path, campaign: Campaign, seed: int) -> None:
    """Keep a slice under a name that says what was played."""
    words = (campaign.design, campaign.defence.name, campaign.link, str(campaign.at_once))
    keep(out / f"{'_'.join(words).replace(' ', '-').replace(',', '')}.{seed}.npz", campaign)


def processor_s() -> float:
    """Return the processor time of this process, and of those that it started and that have ended, seconds."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


@dataclass(frozen=True)
class Cell:
    """One campaign that is asked for."""

    link: str
    at_once: int
    exchanges: int
    defence: Defence
    plant: float = 0.0  # microseconds

    @classmethod
    def parsed(cls, words: str, defence: str) -> Cell:
        """Read ``link:at once:exchanges[:defence[:planted microseconds]]``."""
        link, at_once, exchanges, *more = words.split(":")
        if link not in LINKS or (more and more[0] not in DEFENCES):
            raise ParameterError(f"{words}: links are {', '.join(LINKS)}, defences {', '.join(DEFENCES)}")
        return cls(link, int(at_once), int(exchanges), DEFENCES[[*more, defence][0]], float([*more, "", "0"][1] or 0))


def play_cells(prepared: Prepared, wanted: list[Cell], out: Path, until: float) -> None:
    """Play slices, always of the cell that has the smallest share of what it wants, until all have it or time is over.

    Parameters
    ----------
    until
        ``time.monotonic()`` after which no slice begins.
    """
    have = dict.fromkeys(wanted, 0)
    while time.monotonic() < until:
        cell = min(wanted, key=lambda one: have[one] / one.exchanges)
        if have[cell] >= cell.exchanges:
            return
        left = (cell.exchanges - have[cell] + 1) // 2
        try:
            slice_ = play(prepared, cell.defence, cell.link, cell.at_once, min(SLICE, left), 1e9, out, plant=cell.plant)
        except DataError as error:  # the machine was too busy; nothing of the slice is kept
            print(f"{prepared.design}, {cell.link}, {cell.at_once} at once: no slice: {error}", flush=True)
            continue
        have[cell] += len(slice_.exchanges)
        said = f"{prepared.design}, {cell.defence.name}, {cell.link}, {cell.at_once} at once"
        cost = f"{slice_.seconds:.0f} s, service busy {slice_.service_seconds:.0f} s, load {slice_.load:.1f}"
        each = f"{1e3 * slice_.processor_seconds / max(1, len(slice_.exchanges)):.0f} ms of processor an exchange"
        print(f"{said}: {have[cell]:,} exchanges; this slice {cost}, {each}, {slice_.wrong} wrong", flush=True)


def play_street(told: argparse.Namespace) -> None:
    """Play several lenders at once, on lines of their own and then through the relay, and keep what was observed."""
    every = houses(told.people)
    for relayed in (False, True):
        seed, way = time.time_ns() % 2**31, "street, relay" if relayed else "street"
        campaign = Campaign(way, DEFENCES["by the clock"], told.link, told.at_once)
        with street(every, LINKS[told.link], seed, relayed=relayed) as lined:
            lined.play(campaign, told.rounds, seed)
        keep_in(told.out, campaign, seed)
        print(f"{way}: {len(campaign.exchanges):,} exchanges in {campaign.seconds:.0f} s; {campaign.wrong} went wrong")


def play_cover(told: argparse.Namespace) -> None:
    """Let half of the people apply through the relay, with cover and without, and keep what was observed."""
    prepared = prepare("sealed", told.people, seed=1)
    for way in WAYS:
        seed = time.time_ns() % 2**31
        campaign, delays = play_way(prepared, way, told.link, told.per_epoch, told.epoch, told.rounds, seed)
        keep_in(told.out, campaign, seed)
        print(f"{way}: {cost_line(campaign, delays)}", flush=True)


def play_through(told: argparse.Namespace) -> None:
    """Let everybody apply through the relay, and keep what was observed."""
    prepared, seed = prepare(told.design, told.people, seed=1), time.time_ns() % 2**31
    campaign = play_relayed(prepared, told.link, told.at_once, told.rounds, seed)
    keep_in(told.out, campaign, seed)
    print(f"relayed: {len(campaign.exchanges):,} exchanges in {campaign.seconds:.0f} s; {campaign.wrong} went wrong")


PLAYS = {"street": play_street, "cover": play_cover, "relayed": play_through}


def cells(out: Path, *, pool: bool) -> dict[str, list[Path]]:
    """Return the slices of every campaign that was kept, in the order of play; see :func:`load` for ``pool``."""
    found: dict[str, list[Path]] = {}
    for path in sorted(out.glob("*.npz"), key=lambda one: one.stat().st_mtime):
        name = path.name.rsplit(".", 2)[0]
        found.setdefault(name.rsplit("_", 1)[0] if pool else name, []).append(path)
    return dict(sorted(found.items()))


def line_of(one: Judged) -> str:
    """Return one row of the printed table."""
    best, paired = one.best, one.paired
    tested = "-" if paired is None else f"{1e6 * paired.median_difference:.0f} us, p {paired.wilcoxon_p:.1g}"
    cells = (
        one.design,
        one.defence,
        one.link,
        one.at_once,
        one.secret,
        f"{one.exchanges:,}",
        f"{best.advantage:+.3f} [{best.low:+.3f}, {best.high:+.3f}] ({best.attack})",
        f"{one.upper:.3f}",
        f"{one.limit:.2f}",
        tested,
        f"{one.ms_an_exchange:.0f}",
        f"{one.service_ms_an_exchange:.1f}",
        f"{one.bytes_an_exchange / 1e3:.1f}",
        f"{one.load:.0f}",
        f"{one.service_busy:.0%}",
        one.wrong,
    )
    return f"| {' | '.join(map(str, cells))} |"


ASKS = (("decision", False), ("decision", True), ("person", False), ("reason", False), ("application", False))
HEAD = (
    "| design | defence | link | at once | secret | exchanges | best attacker | largest upper end | limit (estimate) | "
    "most different wait | ms on the line | service ms | kB | machine's load | service busy | wrong |\n|" + "---|" * 16
)


def report(out: Path, export: str, as_json: bool, pool: bool, only: str = "") -> list[Judged]:
    """Judge everything that was kept, each campaign beside its own shuffled labels."""
    judged = []
    if not as_json:
        print(HEAD)
    for name, paths in cells(out, pool=pool).items():
        campaign = load(paths, pool=pool)
        if campaign.design == "street, cover":
            judged += (found := judge_covered(campaign))
            print("".join(f"{line_of(one)}\n" for one in found if not as_json), end="", flush=True)
            continue
        on_street = campaign.exchanges and campaign.exchanges[0].house
        asks = [(ask, False) for ask in STREET] if on_street else ASKS
        for ask, shuffle in [one for one in asks if only in ("", one[0])]:
            try:
                judged.append(judge(campaign, ask, shuffle=shuffle))
            except BlindscoreError as error:
                print(f"{name}, {ask}: {error}", file=sys.stderr)
                continue
            if not as_json:
                print(line_of(judged[-1]), flush=True)
        if export == "wflib":
            (out / "wflib").mkdir(exist_ok=True)
            labels = np.array([one.approved for one in campaign.exchanges], np.int64)
            export_wflib(out / "wflib" / f"{name}.npz", [one.traces for one in campaign.exchanges], labels)
    if as_json:
        print(json.dumps([one.as_dict() for one in judged]))
    return judged


def main() -> None:
    """Play or judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("play", "campaign", "street", "relayed", "cover", "judge", "ledger"))
    parser.add_argument("--design", default="sealed", help="any that a town plays")
    parser.add_argument("--defence", default="by the clock", choices=tuple(DEFENCES))
    parser.add_argument("--link", default="lan", choices=tuple(LINKS))
    parser.add_argument("--at-once", type=int, default=1, help="exchanges under way at once: 1 is idle, 16 is load")
    parser.add_argument("--pairs", type=int, default=5000)
    parser.add_argument("--people", type=int, default=PEOPLE, help="of either decision")
    parser.add_argument("--limit", type=float, default=200.0, help="seconds after which a slice ends")
    parser.add_argument("--cells", nargs="+", default=["lan:16:10000"], help="of a campaign; a process each argument")
    parser.add_argument("--hours", type=float, default=2.0, help="after which a campaign begins no slice")
    parser.add_argument("--plant", type=float, default=0.0, help="microseconds that an approval takes longer")
    parser.add_argument("--rounds", type=int, default=3, help="of a street, through the relay, or epochs under cover")
    parser.add_argument("--per-epoch", type=float, default=12.0, help="requests of each person under cover")
    parser.add_argument("--epoch", type=float, default=120.0, help="seconds that an epoch under cover takes")
    parser.add_argument("--tap", action="store_true", help="the forwarding tap in place of packets")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--export", choices=("wflib",), default="")
    parser.add_argument("--ask", default="", choices=("", *QUESTIONS), help="judge one question alone; by default all")
    parser.add_argument("--pool", action="store_true", help="judge together what differs in lines at once alone")
    parser.add_argument("--judged", type=Path, default=Path("docs/wire.json"), help="what judge --json printed")
    parser.add_argument("--ledger", type=Path, default=Path("out/ledger.json"))
    parser.add_argument("--json", action="store_true")
    told = parser.parse_args()
    if told.what == "judge":
        report(told.out, told.export, told.json, told.pool, told.ask)
        return
    if told.what == "ledger":
        rows = wire_rows(read_judged(told.judged))
        held = write_into(told.ledger, rows)
        print(f"{len(rows)} rows of intercept; {len(held.captured)} captured rows stand in {told.ledger}")
        return
    if told.what in PLAYS:
        PLAYS[told.what](told)
        return
    refused = "" if told.tap else namespaces.available()
    if refused:
        print(f"no packets can be captured here ({refused}); the forwarding tap is used")
    prepared = prepare(told.design, told.people, seed=1)
    if told.what == "campaign":
        until = time.monotonic() + 3600 * told.hours
        fork = multiprocessing.get_context("fork")  # what was prepared is handed on as it is
        groups = [[Cell.parsed(words, told.defence) for words in group.split("/")] for group in told.cells]
        workers = [fork.Process(target=play_cells, args=(prepared, group, told.out, until)) for group in groups]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        if any(worker.exitcode for worker in workers):
            raise DataError("a process of the campaign failed; what it said stands above")
        return
    how = (DEFENCES[told.defence], told.link, told.at_once, told.pairs, told.limit, told.out)
    campaign = play(prepared, *how, plant=told.plant, tap=told.tap or bool(refused))
    print(f"{len(campaign.exchanges):,} exchanges in {campaign.seconds:.0f} s; {campaign.wrong} went wrong")


if __name__ == "__main__":
    try:
        main()
    except BlindscoreError as error:
        raise SystemExit(f"error: {error}") from None
