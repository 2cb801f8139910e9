"""Settings of a fit from a TOML file: "manual binning" is to edit this file and fit again.

::

    method = "woe"                 # or "sparse"; also: max_bins, least_count, least_share, unknown, strength, seed
    monotone = true                # every number, in its better direction; or "increasing", "decreasing"
    exclude = ["zip"]              # features to leave out
    weights = "sampling_weight"    # column: for how many people a row stands
    prior = 0.04                   # bad rate of those to be scored, where the sample has another
    max_pvalue = 0.05              # join neighbouring bins whose bad rates differ no more surely than that
    [select]                       # leave out before the fit; also: most_alike, stepwise (a p-value)
    least_iv = 0.02
    most_missing = 0.95
    [scale]                        # base_score, base_odds, pdo, low, high
    pdo = 20
    [features.income]              # also: special
    cuts = [1000, 2500]
    monotone = "increasing"
    locked = true                  # keep these bins as they stand
    [features.purpose]
    groups = [["car", "boat"], ["home"]]

``blindscore export card.json --to settings`` writes the bins of a card so.
"""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from blindscore.errors import ParameterError, SchemaError
from blindscore.scorecard.card import Card

MAX_BYTES = 1 << 20
NUMBERS = {"max_bins", "least_count", "least_share", "max_pvalue", "strength"}
SELECT = {"most_missing", "least_iv", "most_alike", "stepwise"}
SCALE = {"base_score", "base_odds", "pdo", "low", "high"}
WHOLE = {"max_bins", "least_count", "seed", "low", "high"}


@dataclass(frozen=True)
class FitSettings:
    """What a settings file, or the command line, asks of a fit."""

    estimator: dict[str, Any] = field(default_factory=dict)  # keywords of `Scorecard`
    exclude: tuple[str, ...] = ()
    weights: str = ""  # column; empty: everybody counts once
    prior: float | None = None  # bad rate of those to be scored

    def __post_init__(self) -> None:
        if self.prior is not None and not 0 < self.prior < 1:
            raise ParameterError(f"prior is a bad rate, strictly between 0 and 1; got {self.prior}")


def load_settings(path: Path) -> FitSettings:
    """Read a settings file.

    Raises
    ------
    SchemaError
        Not readable, over a megabyte, not TOML, an unknown key, or a wrong type.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise SchemaError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    if len(raw) > MAX_BYTES:
        raise SchemaError(f"{path}: over {MAX_BYTES:,} bytes; settings hold bins, not data")
    try:
        table = tomllib.loads(raw.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise SchemaError(f"{path}: not valid TOML: {str(error)[:200]}") from error
    return _Reader(path).settings(table)


@dataclass(frozen=True)
class _Reader:
    path: Path

    def fail(self, what: str) -> SchemaError:
        return SchemaError(f"{self.path}: {what}")

    def settings(self, table: dict[str, Any]) -> FitSettings:
        known = {*NUMBERS, "method", "unknown", "monotone", "seed", "exclude", "weights", "prior"}
        self.only("top level", table, known | {"scale", "select", "features"})
        out: dict[str, Any] = {key: self.number(key, table[key]) for key in sorted(NUMBERS & table.keys())}
        out |= {key: self.text(key, table[key]) for key in ("method", "unknown") if key in table}
        if "seed" in table:
            out["random_state"] = self.number("seed", table["seed"])
        select = self.table("select", table.get("select", {}))
        self.only("[select]", select, SELECT)
        if select:
            out["select"] = {key: self.number(key, value) for key, value in select.items()}
        scale = self.table("scale", table.get("scale", {}))
        self.only("[scale]", scale, SCALE)
        out |= {key: self.number(key, value) for key, value in scale.items()}
        out |= self.features(self.table("features", table.get("features", {})), table.get("monotone", False))
        return FitSettings(
            estimator=out,
            exclude=tuple(self.texts("exclude", table.get("exclude", []))),
            weights=self.text("weights", table.get("weights", "")),
            prior=None if "prior" not in table else self.number("prior", table["prior"]),
        )

    def features(self, table: dict[str, Any], monotone: Any) -> dict[str, Any]:
        if not isinstance(monotone, bool | str):
            raise self.fail("'monotone' must be true, false, or a direction in quotes")
        found: dict[str, dict[str, Any]] = {"cuts": {}, "groups": {}, "special": {}, "monotone": {}}
        locked = []
        for name, own in table.items():
            where = f"[features.{name}]"
            self.only(where, self.table(where, own), {*found, "locked"})
            if own.get("locked", False) is True:
                locked.append(name)
            elif "locked" in own and own["locked"] is not False:
                raise self.fail(f"{where}: 'locked' must be true or false")
            for key in ("cuts", "special"):
                if key in own:
                    found[key][name] = [self.number(key, value) for value in self.listed(where, key, own[key])]
            if "groups" in own:
                groups = self.listed(where, "groups", own["groups"])
                found["groups"][name] = [self.texts("groups", group) for group in groups]
            if "monotone" in own:
                wish = own["monotone"]
                found["monotone"][name] = {True: "auto", False: "none"}[wish] if isinstance(wish, bool) else wish
        if found["monotone"] and monotone is not False:
            raise self.fail("give 'monotone' for all, or by feature, not both")
        wishes = {key: value for key, value in found.items() if value}
        return {"monotone": monotone, **wishes, "locked": tuple(locked)}

    def only(self, where: str, table: dict[str, Any], known: set[str]) -> None:
        for key in table:
            if key not in known:
                raise self.fail(f"{where}: unknown key {key[:100]!r}; allowed are {', '.join(sorted(known))}")

    def table(self, where: str, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.fail(f"{where} must be a table")
        return value

    def listed(self, where: str, key: str, value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise self.fail(f"{where}: {key!r} must be a list")
        return value

    def text(self, key: str, value: Any) -> str:
        if not isinstance(value, str) or len(value) > 200:
            raise self.fail(f"{key!r} must be a text of up to 200 characters")
        return value

    def texts(self, key: str, value: Any) -> list[str]:
        return [self.text(key, part) for part in self.listed("", key, value)]

    def number(self, key: str, value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise self.fail(f"{key!r} must be a number")
        if key in WHOLE:
            if value != int(value):
                raise self.fail(f"{key!r} must be a whole number")
            return int(value)
        return value


def with_prior(card: Card, sampled: float, prior: float) -> Card:
    """Return the card as if the people it was fitted on had the bad rate `prior` in place of `sampled`.

    The odds of everybody move by one factor, hence the base by a number of points; ranks stay (King and Zeng, 2001,
    "prior correction"). Whole points: within half a point.
    """
    odds = math.log((1 - prior) / prior) - math.log((1 - sampled) / sampled)
    return replace(card, base=card.base + round(card.scale.factor * odds))
