"""A design as a file: who sends which fields to whom under which identifier. For systems that are modelled, not run.

A national system is one TOML file: its rules with status and source, its flows, and answers to four questions (what is
hidden from whom, what remains linkable, whether the issuer learns of presentations, how revocation works). Nothing is
executed, so a view of such a design is *modelled*, and no bound and no mark hangs on it.

Who sees what: as the file says. Not shown: what parties do with the fields beyond scoring, and flows that nobody wrote
down.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore.designs.design import NO_CONDUCT, Rule, Run, Status
from blindscore.designs.plain import LEGAL_ID, bank_view, columns_of, everyone, score_in_clear
from blindscore.errors import ParameterError, SchemaError
from blindscore.parties.view import KeyedBy, Kind, View, kept_for
from blindscore.people.population import FINANCIAL, Population
from blindscore.scorecard.scorecard import Scorecard

MAX_FILE = 64 * 1024  # bytes
REGISTER, SCORE, DECISION, FRIENDS, VISITS = "register", "score", "decision", "friends", "visits"
PSEUDONYM = "pseudonym:"  # "pseudonym:NAME": a number of the person that all who hold NAME share
STRENGTH: tuple[KeyedBy, ...] = ("one-time", "pairwise", "legal id")  # identifiers from weak to strong
QUESTIONS = ("hidden", "linkable", "issuer", "revocation")
_KEYS = {"name", "order", "summary", "country", "reads", "approve", "feared", "plays", "questions", "rule", "flow"}


@dataclass(frozen=True)
class Flow:
    """What one party hands another about each person."""

    source: str
    to: str
    fields: tuple[str, ...]
    identifier: KeyedBy
    erased: tuple[str, ...] = ()  # of the fields: no longer readable at rest once the decision is taken


@dataclass(frozen=True)
class Flows:
    """A modelled design, read from a file by :func:`load_flows`; :class:`blindscore.designs.design.Design`."""

    approve: float = 0.75  # share of past customers whom the threshold approves
    name: str = field(default="", compare=False)
    order: int = field(default=50, compare=False)
    summary: str = field(default="", compare=False)
    country: str = field(default="", compare=False)
    reads: tuple[str, ...] = (FINANCIAL,)  # contexts and features that the score is computed from
    flows: tuple[Flow, ...] = ()
    rules: tuple[Rule, ...] = ()
    feared: tuple[tuple[str, ...], ...] = ()
    plays: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}), hash=False)
    questions: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), hash=False)

    def __post_init__(self) -> None:
        if not 0.01 <= self.approve <= 0.99:
            raise ParameterError(f"{self.name}: approve must lie between 0.01 and 0.99, got {self.approve:g}")

    @property
    def enforces(self) -> frozenset[str]:
        """Claims: only that no conduct enters, where only financial features are read."""
        return frozenset({NO_CONDUCT}) if set(self.reads) == {FINANCIAL} else frozenset()

    def run(self, population: Population, scorecard: Scorecard, rng: np.random.Generator) -> Run:
        """Score everybody from what the file says is read, and hand every role its fields."""
        features = named(population, self.reads)
        if not features:
            raise SchemaError(f"{self.name}: the people have none of {', '.join(self.reads)}; it cannot run on them")
        scored = score_in_clear(population, scorecard, features, self.approve)
        told = _Told(population, scored.scores, scored.scores >= scored.threshold, rng)
        roles = list(dict.fromkeys(flow.to for flow in self.flows))
        views = {role: told.view(role, [f for f in self.flows if f.to == role], scored.messages) for role in roles}
        views.setdefault("source", bank_view(population))
        missing = {"scorer", "lender"} - set(views)
        if missing:
            raise SchemaError(f"{self.name}: no flow reaches the {', '.join(sorted(missing))}; every design has one")
        return scored.run(views, {"approve": self.approve, "features": len(features)}, plays=self.plays)


@dataclass(frozen=True)
class _Told:
    """What a run has to hand out."""

    population: Population
    scores: NDArray[np.int16]
    approved: NDArray[np.bool_]
    rng: np.random.Generator
    numbers: dict[str, NDArray[np.int64]] = field(default_factory=dict)

    def view(self, role: str, flows: list[Flow], messages: pd.DataFrame) -> View:
        """Return what a role has from all flows to it, under the strongest identifier of any."""
        strongest = max((flow.identifier for flow in flows), key=STRENGTH.index)
        parts: dict[str, Any] = {}
        kinds: dict[str, Kind] = {}
        stay: set[str] = set()
        for flow in flows:
            for name, values, kind in self._columns(flow):
                parts[name] = values
                kinds[name] = kind
                if name not in self._erased(flow):
                    stay.add(name)
        clear = pd.DataFrame(parts, index=range(len(self.population)))
        fields = {name for flow in flows for name in flow.fields}
        return View(
            role,
            strongest,
            clear,
            kept_for(columns_of(self.population, clear, **kinds), 0, set(parts) - stay),
            everyone(self.population),
            friends=self.population.friends if FRIENDS in fields else None,
            visits=self.population.visits if VISITS in fields else None,
            messages=messages,
        )

    def _columns(self, flow: Flow) -> list[tuple[str, Any, Kind]]:
        people, found = self.population, list[tuple[str, Any, Kind]]()
        for item in flow.fields:
            if item == SCORE:
                found.append((SCORE, self.scores, "score"))
            elif item == DECISION:
                found.append((DECISION, self.approved.astype(np.int8), "decision"))
            elif item == REGISTER:
                kinds: dict[str, Kind] = {LEGAL_ID: "handle"}
                found += [(str(c), people.register[c], kinds.get(str(c), "register")) for c in people.register]
            elif item.startswith(PSEUDONYM):
                drawn = self.numbers.setdefault(item, self.rng.permutation(len(people)).astype(np.int64))
                found.append((item, drawn, "handle"))
            elif item not in (FRIENDS, VISITS):
                found += [(c, people.features[c], "feature") for c in named(people, (item,))]
        held = {name for name, _, _ in found}
        if flow.identifier == "legal id" and LEGAL_ID not in held:
            found.append((LEGAL_ID, people.register[LEGAL_ID], "handle"))
        return found

    def _erased(self, flow: Flow) -> set[str]:
        gone = set(flow.erased) & {SCORE, DECISION}
        contexts = tuple(item for item in flow.erased if item not in gone)
        return gone | set(named(self.population, contexts))


def named(population: Population, items: tuple[str, ...]) -> list[str]:
    """Return the features that contexts and names stand for, in schema order; what the people lack is left out."""
    contexts = {feature.context for feature in population.schema.features}
    wanted = set(items)
    return [f.name for f in population.schema.features if f.name in wanted or f.context in wanted & contexts]


def load_flows(path: Path) -> Flows:
    """Return the design of one file.

    Raises
    ------
    SchemaError
        Not readable, too large, no TOML, or a key is missing, unknown or of another kind than it must be.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise SchemaError(f"{path}: {error.strerror}") from None
    if len(raw) > MAX_FILE:
        raise SchemaError(f"{path}: a design has at most {MAX_FILE} bytes")
    try:
        data = tomllib.loads(raw.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SchemaError(f"{path}: no TOML: {error}") from None
    return parse_flows(data, str(path))


def parse_flows(data: Mapping[str, Any], where: str) -> Flows:
    """Return the design of a file's contents; see :func:`load_flows`."""
    _known(data, _KEYS, where)
    questions = _taken(data, "questions", dict, where)
    _known(questions, set(QUESTIONS), f"{where}, [questions]")
    unanswered = [name for name in QUESTIONS if not str(questions.get(name, "")).strip()]
    if unanswered:
        raise SchemaError(f"{where}, [questions]: answer {', '.join(unanswered)}, with 'not known' if need be")
    rules = tuple(_rule(entry, f"{where}, [[rule]] {i + 1}") for i, entry in enumerate(_tables(data, "rule", where)))
    flows = tuple(_flow(entry, f"{where}, [[flow]] {i + 1}") for i, entry in enumerate(_tables(data, "flow", where)))
    return Flows(
        approve=float(data.get("approve", 0.75)),
        name=_taken(data, "name", str, where),
        order=int(data.get("order", 50)),
        summary=_taken(data, "summary", str, where),
        country=str(data.get("country", "")),
        reads=_words(data.get("reads", [FINANCIAL]), f"{where}, reads"),
        flows=flows,
        rules=rules,
        feared=tuple(_words(some, f"{where}, feared") for some in data.get("feared", ())),
        plays=MappingProxyType({p: _words(r, f"{where}, [plays]") for p, r in data.get("plays", {}).items()}),
        questions=MappingProxyType({name: str(questions[name]).strip() for name in QUESTIONS}),
    )


def _rule(entry: Mapping[str, Any], where: str) -> Rule:
    _known(entry, {"text", "status", "source"}, where)
    status = _taken(entry, "status", str, where)
    if status not in get_args(Status):
        raise SchemaError(f"{where}: status is one of {', '.join(get_args(Status))}, not {status!r}")
    return Rule(_taken(entry, "text", str, where), status, _taken(entry, "source", str, where))


def _flow(entry: Mapping[str, Any], where: str) -> Flow:
    _known(entry, {"from", "to", "fields", "identifier", "erased"}, where)
    identifier = _taken(entry, "identifier", str, where)
    if identifier not in STRENGTH:
        raise SchemaError(f"{where}: identifier is one of {', '.join(STRENGTH)}, not {identifier!r}")
    return Flow(
        source=_taken(entry, "from", str, where),
        to=_taken(entry, "to", str, where),
        fields=_words(_taken(entry, "fields", list, where), f"{where}, fields"),
        identifier=identifier,
        erased=_words(entry.get("erased", []), f"{where}, erased"),
    )


def _tables(data: Mapping[str, Any], key: str, where: str) -> list[Mapping[str, Any]]:
    entries: list[Mapping[str, Any]] = _taken(data, key, list, where)
    if not entries or not all(isinstance(entry, dict) for entry in entries):
        raise SchemaError(f"{where}: give at least one [[{key}]]")
    return entries


def _taken(data: Mapping[str, Any], key: str, kind: type, where: str) -> Any:
    value = data.get(key)
    if not isinstance(value, kind) or value == "":
        raise SchemaError(f"{where}: {key!r} is needed, as {kind.__name__}")
    return value


def _words(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise SchemaError(f"{where}: a list of names is needed")
    return tuple(value)


def _known(data: Mapping[str, Any], keys: set[str], where: str) -> None:
    unknown = sorted(set(data) - keys)
    if unknown:
        raise SchemaError(f"{where}: nobody asks for {', '.join(unknown)}; known are {', '.join(sorted(keys))}")
