"""The ledger: one tidy record of every figure, from which each table, page and picture is drawn.

Keys follow the ledger file's specification: they may be added, never renamed.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from blindscore.errors import DataError
from blindscore.surveillance.inference.bound import Bound

FORMAT = 2  # of the file; what is read of format 1, and how: :func:`migrated`
MAX_LEDGER_BYTES = 64 * 2**20
PLAYED, ABSENT, BY_ROLE, CAPTURED = "played", "absent", "by role", "captured"  # what a row stands on: :attr:`Row.kind`
REMOVED = 0.05  # the line of the mark `removed`; see :mod:`blindscore.surveillance.marks`

# Against whom a row's bound holds. Outside it no bound is claimed.
CURIOUS = "honest but curious"  # keeps to the protocol and makes what it can of what it sees
WITH_SECRET_CARD = "malicious with a secret card"  # chooses, or bends, a card that nobody else can read
WITH_PUBLIC_CARD = "malicious with a public card"  # the same, with a card that everybody can read and recompute
REFUSES = "refuses to serve"  # does not answer, whatever the protocol says
FALSE_SOURCE = "malicious source"  # vouches for figures that are not those of the person
ADVERSARIES = (CURIOUS, WITH_SECRET_CARD, WITH_PUBLIC_CARD, REFUSES, FALSE_SOURCE)


@dataclass(frozen=True)
class Row:
    """What one coalition achieves with one capability against one secret under one design."""

    design: str
    coalition: str
    capability: str
    secret: str
    attack: str  # which attacker won, chosen on auxiliary people
    advantage: float  # 0 = no better than no view at all, 1 = perfect
    low: float  # 95% interval, bootstrap over targets
    high: float
    control: float | None = None  # the same attacker with public knowledge alone
    tpr_at_fpr_0_001: float | None = None
    bits: float | None = None
    # Upper limit on any attack's advantage on people like these, None = none claimed. Where it is estimated from people
    # it is a confidence limit, which holds for all rows of a table together; see inference.bound.
    bound: float | None = None
    reason: str = ""  # why the bound holds, or why there is none
    certified_removal: float | None = None
    removed: bool = False
    people_exposed: int | None = None
    # "played": an attack was played. "absent": the coalition has nothing to try it with, and the reason says why.
    # "by role": the design itself tells the coalition, so there is nothing to attack. "captured": read off the files of
    # parties that ran as processes of their own; a count of a few people, which carries no bound and no mark.
    kind: str = PLAYED
    same_as: str = ""  # a smaller coalition that has everything that this one has, so that nothing was played again
    bound_these: float | None = None  # the same limit on exactly the people of this run; None = no other than `bound`
    adversary: str = CURIOUS  # against whom the bound holds; one of ADVERSARIES
    # What the views rest on: "observed" (found with parties that were executed), "executed" (declared, and held to
    # protocol runs), "clear" (nothing cryptographic to run), "modelled" (a protocol that was not run).
    basis: str = "clear"
    seeds: int = 1  # how many societies and attackers a mark of this row was put to
    outside: str = ""  # the outside register that the coalition brings along; see surveillance.outside
    in_crowd: float | None = None  # naming and joining: the advantage among 1,000 people, however many are simulated
    worst: float | None = None  # the chance of the person who was found most surely
    worst_bound: float | None = None  # the limit of it: 1 / the fewest people of this run who show one and the same
    few: int | None = None  # people of this run who stand among fewer than five who show the same

    def bounded(self, bound: Bound | None) -> Row:
        """Return the row with a bound: on people like these, and on exactly these."""
        alike, these = (None, None) if bound is None else bound
        return replace(self, bound=alike, bound_these=these)

    def beyond_public(self, advantage: float) -> float:
        """Return a figure of this row corrected for what public knowledge alone achieves.

        ``(attack - control)/(1 - control)``, 0 where the control does better: Giomi et al., "A Unified Framework for
        Quantifying Privacy Risk in Synthetic Data" (2023), section 4.
        """
        control = min(max(self.control or 0.0, 0.0), 1.0)
        return 0.0 if control == 1.0 else max(0.0, (advantage - control) / (1.0 - control))


@dataclass(frozen=True)
class DesignRow:
    """What one design keeps of credit quality, and what it costs."""

    design: str
    summary: str
    parameters: Mapping[str, Any]
    auc: float | None  # None, as all of these seven, where no outcome is known: then nothing is said of credit quality
    auc_low: float | None
    auc_high: float | None
    auc_loss: float | None  # against the best design of the same run, paired on the same applicants
    auc_loss_low: float | None
    auc_loss_high: float | None
    ks: float | None
    us_per_person: Mapping[str, float]  # by role, microseconds
    bytes_up: int
    bytes_down: int
    keys_bytes: int
    real_runs: int
    real_agree: int
    enforces: tuple[str, ...] = ()
    rules: tuple[Mapping[str, str], ...] = ()
    sees: tuple[Mapping[str, Any], ...] = ()  # who sees what, a role each; see blindscore.surveillance.account.who_sees
    groups: tuple[Mapping[str, Any], ...] = ()  # who loses; see blindscore.surveillance.account.who_loses
    crowds: tuple[Mapping[str, Any], ...] = ()  # how many people share what a role reads; see account.crowds
    person: Mapping[str, Any] = field(default_factory=dict)  # one made-up person; see account.one_person


@dataclass(frozen=True)
class Ledger:
    """All figures of one run."""

    meta: Mapping[str, Any]
    designs: tuple[DesignRow, ...]
    rows: tuple[Row, ...] = field(default=())
    # With an outside register in hand: rows of the same kind, kept apart, since they say as much of the register as of
    # the design. They carry no marks.
    outside: tuple[Row, ...] = field(default=())
    # What orders found that were served on parties of a town: rows of kind "captured", kept apart, since they are
    # counts of the town's people and stand beside what is modelled of the whole society.
    captured: tuple[Row, ...] = ()

    def design(self, name: str) -> DesignRow:
        """Return the row of one design."""
        for row in self.designs:
            if row.design == name:
                return row
        raise DataError(f"the ledger has no design {name!r}; it has {', '.join(r.design for r in self.designs)}")

    def find(self, **wanted: str) -> list[Row]:
        """Return the rows whose named keys have the given values, in ledger order."""
        keys = tuple(sorted(wanted))
        return list(self._by(keys).get(tuple(wanted[key] for key in keys), ()))

    def names(self, key: str) -> list[str]:
        """Return the values that a key takes, each once, in ledger order."""
        return [name for (name,) in self._by((key,))]

    def _by(self, keys: tuple[str, ...]) -> dict[tuple[str, ...], list[Row]]:
        """Return the rows by these keys, filed when first asked for: pages ask thousands of times."""
        if keys not in self._filed:
            filed: dict[tuple[str, ...], list[Row]] = {}
            for row in self.rows:
                filed.setdefault(tuple([getattr(row, key) for key in keys]), []).append(row)
            self._filed[keys] = filed
        return self._filed[keys]

    @cached_property
    def _filed(self) -> dict[tuple[str, ...], dict[tuple[str, ...], list[Row]]]:
        return {}

    def to_dict(self) -> dict[str, Any]:
        """Plain, JSON-ready form with the file's own key names."""
        return {
            "format": FORMAT,
            "meta": dict(self.meta),
            "designs": [{k: _plain(v) for k, v in asdict(d).items()} for d in self.designs],
            "rows": [row_dict(row) for row in self.rows],
            "outside": [row_dict(row) for row in self.outside],
            "captured": [row_dict(row) for row in self.captured],
        }

    def to_json(self) -> str:
        """Return the text of ``ledger.json``."""
        return json.dumps(self.to_dict(), indent=1, allow_nan=False) + "\n"

    def to_csv(self) -> str:
        """Return the text of ``ledger.csv``: all rows, one a line, empty cell = null."""
        out = io.StringIO()
        writer = csv.DictWriter(out, fieldnames=list(row_keys()), lineterminator="\n")
        writer.writeheader()
        writer.writerows(row_dict(row) for row in (*self.rows, *self.outside, *self.captured))
        return out.getvalue()


def row_keys() -> tuple[str, ...]:
    """Return the key names of a row in the file, in order."""
    return tuple(f.name.replace("0_001", "0.001") for f in fields(Row))


def row_dict(row: Row) -> dict[str, Any]:
    """Return one row under the file's key names."""
    return {key: _plain(value) for key, value in zip(row_keys(), asdict(row).values(), strict=True)}


def _plain(value: Any) -> Any:
    """Turn NumPy scalars and tuples into plain JSON values; a float that is not finite becomes null."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(v) for v in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def load_ledger(path: Path) -> Ledger:
    """Read a ``ledger.json``.

    Raises
    ------
    DataError
        The file is absent, too large, not JSON, or lacks keys of the specification.
    """
    try:
        if path.stat().st_size > MAX_LEDGER_BYTES:
            raise DataError(f"{path}: over {MAX_LEDGER_BYTES} bytes; this is no ledger of this program")
        data = json.loads(path.read_bytes())
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); give the path of a ledger.json") from error
    except ValueError as error:
        raise DataError(f"{path}: not JSON ({error}); give a ledger.json") from error
    try:
        return parse_ledger(data)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error


def parse_ledger(data: Any) -> Ledger:
    """Return the ledger of its plain form, of this format or an earlier one.

    Raises
    ------
    DataError
        Keys of the specification are lacking, or are of another kind, or the format is a later one.
    """
    try:
        data = migrated(data)
        designs = tuple(_build(DesignRow, entry) for entry in data["designs"])
        rows, outside, captured = (
            tuple(_build(Row, {k.replace("0.001", "0_001"): v for k, v in entry.items()}) for entry in entries)
            for entries in (data["rows"], data.get("outside", []), data.get("captured", []))
        )
        return Ledger(meta=dict(data["meta"]), designs=designs, rows=rows, outside=outside, captured=captured)
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(f"not a ledger, or of another version ({error}); run the frontier again") from error


def migrated(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a ledger's plain form in this format.

    Format 1 (it says no format) came of views that designs declared: who saw what is left out, as is the one person,
    who was scored by other sliders; and no row keeps a mark, since the rule that gave it let false ones stand
    (docs/method.md, "What was wrong before").

    Raises
    ------
    DataError
        The format is none that this version knows.
    """
    told = data.get("format", 1)
    if told == FORMAT:
        return data
    if told != 1:
        raise DataError(f"format {told!r:.20} is none of this version, which reads 1 to {FORMAT}; install a newer one")
    executed = {entry["design"] for entry in data["designs"] if entry.get("real_runs", 0)}
    rows = [
        {**row, "removed": False, "basis": "executed" if row["design"] in executed else row.get("basis", "clear")}
        for row in data["rows"]
    ]
    return {
        **data,
        "format": FORMAT,
        "designs": [{**entry, "sees": [], "person": {}} for entry in data["designs"]],
        "rows": rows,
    }


def _build(kind: Any, entry: Mapping[str, Any]) -> Any:
    known = {f.name for f in fields(kind)}
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in entry.items() if k in known})
