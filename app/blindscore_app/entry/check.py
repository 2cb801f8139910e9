"""Measure a submission again: every deterministic figure must come out the same, every time within a stated factor.

Deterministic is all but times, and what a party's record shows of random strings. A time is compared as a multiple of
the machine's own reference: cryptographic designs by verifications of Ed25519, the others by bytes of memory read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from blindscore.surveillance.ledger import PLAYED, DesignRow, Ledger, Row, row_dict
from blindscore_app.entry.origin import Origin, attacks_of, origin_of
from blindscore_app.entry.submission import Submission

TIME_FACTOR = 3.0  # between two machines' times in multiples of their references; caches and clocks differ
RANDOM_PARTS = ("record", "wire", "wire_bytes")  # of a party's view of one person: strings that differ each run
FIGURE, TIME = "figure", "time"


@dataclass(frozen=True)
class Difference:
    """One figure that did not come out as submitted."""

    kind: str  # figure: must be equal; time: beyond the factor
    where: str
    submitted: Any
    again: Any


def measure_again(origin: Origin, ledger: Ledger, progress: Callable[[str, int, int], None]) -> Ledger:
    """Return the ledger of a run that is made again, with marks put to all its seeds."""
    from blindscore.surveillance.frontier import measure
    from blindscore.surveillance.seeds import hold

    attacks, designs, card = attacks_of(ledger), list(origin.designs), origin.scorecard
    first, *further = origin.seeds
    fresh = measure(
        origin.population(first),
        designs,
        card,
        seed=first,
        command="",
        progress=progress,
        capabilities=attacks,
        outside=origin.outside,
    )
    return hold(fresh, designs, card, further, origin.population, capabilities=attacks)


def differences(submitted: Submission, again: Ledger, reference: Mapping[str, float]) -> list[Difference]:
    """Return every figure of a submission that a second measurement does not bear out.

    Parameters
    ----------
    submitted
        The submission.
    again
        Its run, made again here.
    reference
        Of this machine; see :func:`blindscore_app.entry.system.reference`.
    """
    found = list(_differ("people", submitted.ledger.meta.get("fingerprint"), again.meta.get("fingerprint")))
    for design in submitted.ledger.designs:
        fresh = again.design(design.design)
        found += _differ(design.design, _fixed(design), _fixed(fresh))
        found += _slow(design, fresh, submitted.reference, reference)
    mine, theirs = _by_key(again), _by_key(submitted.ledger)
    for at in sorted(mine.keys() | theirs.keys()):
        found += _differ(" / ".join(filter(None, at)), theirs.get(at), mine.get(at))
    return found


def apart(submitted: Ledger, again: Ledger) -> tuple[int, int]:
    """Return how many played rows have 95% intervals that do not meet under other people, and how many were compared.

    Two independent 95% intervals of one figure lie apart once in 180 times. These tell of the targets alone and not of
    the draw of a society, so somewhat more of them do; many more say that what was submitted was fitted to its people.
    """
    fresh = {_key(row): row for row in (*again.rows, *again.outside) if row.kind == PLAYED}
    played = [row for row in (*submitted.rows, *submitted.outside) if row.kind == PLAYED]
    pairs = [(row, fresh[_key(row)]) for row in played if _key(row) in fresh]
    return sum(one.low > other.high or other.low > one.high for one, other in pairs), len(pairs)


def origin_under(submitted: Submission, seed: int | None) -> Origin:
    """Return where a submission came from, under a seed of the checker's own where one is given."""
    origin = origin_of(submitted.ledger)
    if seed is None:
        return origin
    seeds = tuple((seed + k) % 2**32 for k in range(len(origin.seeds)))
    return replace(origin, seeds=seeds)


def _by_key(ledger: Ledger) -> dict[tuple[str, ...], dict[str, Any]]:
    rows = (*ledger.rows, *ledger.outside)
    return {_key(row): row_dict(row) for row in rows}


def _key(row: Row) -> tuple[str, ...]:
    return row.design, row.coalition, row.capability, row.secret, row.outside


def _fixed(design: DesignRow) -> dict[str, Any]:
    plain = Ledger({}, (design,)).to_dict()["designs"][0]
    del plain["us_per_person"]
    plain["sees"] = [{k: v for k, v in seen.items() if k not in RANDOM_PARTS} for seen in plain["sees"]]
    return dict(plain)


def _differ(where: str, submitted: Any, again: Any) -> Iterator[Difference]:
    if isinstance(submitted, Mapping) and isinstance(again, Mapping):
        for key in dict.fromkeys([*submitted, *again]):
            yield from _differ(f"{where}: {key}", submitted.get(key), again.get(key))
    elif submitted != again:
        yield Difference(FIGURE, where, submitted, again)


def _slow(
    design: DesignRow, again: DesignRow, theirs: Mapping[str, float], ours: Mapping[str, float]
) -> Iterator[Difference]:
    for role, time in design.us_per_person.items():
        fresh = again.us_per_person.get(role)
        if fresh is None:
            yield Difference(FIGURE, f"{design.design}: time of {role}", time, None)
            continue
        a, b = multiple(design, time, theirs), multiple(design, fresh, ours)
        if max(a, b) > TIME_FACTOR * min(a, b):
            yield Difference(TIME, f"{design.design}: time of {role}, in references", a, b)


def multiple(design: DesignRow, us: float, reference: Mapping[str, float]) -> float:
    """Return a time as a multiple of a reference: Ed25519 verifications, or kilobytes of memory read."""
    if design.real_runs:
        return us / reference["ed25519_verify_us"]
    return us * reference["memory_read_gb_per_s"]


def plain(found: list[Difference]) -> list[dict[str, Any]]:
    """Return the differences as records."""
    return [asdict(one) for one in found]
