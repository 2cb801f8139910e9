"""People of a file as a card sees them: bins, scores, and, where the file tells, outcome, month and groups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from blindscore.people.files.blocks import Ask
from blindscore.people.files.cells import MISSING, words
from blindscore.people.files.file_schema import FileSchema, load_schema
from blindscore.people.files.lines import Place
from blindscore.people.files.loaders import load_people
from blindscore.people.files.tables import read_table
from blindscore.scorecard.card import Card
from blindscore_app.files.people import batches, wanted


@dataclass(frozen=True)
class Sample:
    """n people under one card."""

    name: str
    card: Card
    bins: NDArray[np.uint8]  # (n, d)
    bad: NDArray[np.bool_] | None = None  # (n,) of those whose outcome is known; see `known`
    known: NDArray[np.bool_] | None = None  # (n,) whose outcome is known; None: everybody's, or nobody's
    month: NDArray[np.object_] | None = None
    groups: dict[str, NDArray[np.object_]] = field(default_factory=dict)
    unlisted: dict[str, int] = field(default_factory=dict)  # feature -> people with a category that is not on the card

    def __len__(self) -> int:
        return len(self.bins)

    @property
    def totals(self) -> NDArray[np.int32]:
        """Points before clipping: what ranks people where the scale's ends would not."""
        return self.card.totals(self.bins)

    @property
    def scores(self) -> NDArray[np.int16]:
        """Scores as given out."""
        return self.card.scores(self.bins)

    @property
    def probability(self) -> NDArray[np.float64]:
        """Probability of default, from the points before clipping."""
        scale = self.card.scale
        return np.asarray(expit((scale.offset - self.totals.astype(np.float64)) / scale.factor))

    @property
    def beyond(self) -> float:
        """Share of people whose points lie beyond either end of the scale."""
        scale = self.card.scale
        return float(((self.totals < scale.low) | (self.totals > scale.high)).mean())

    @property
    def outcomes(self) -> NDArray[np.bool_]:
        """Who has an outcome, (n,)."""
        return np.full(len(self), self.bad is not None) if self.known is None else self.known


def judged(file: Path, card: Card, schema: Path, *, hold_out: bool) -> tuple[Sample, Sample | None]:
    """Read people whose outcome is known: those to judge the card by, and the past customers it was fitted on.

    Parameters
    ----------
    hold_out : keep [history]'s past customers apart, as ``fit --hold-out`` does; else everybody is judged by
    """
    people = load_people(file, schema)
    counts: Counter[str] = Counter()
    bins = card.bins(people.features, counts)
    groups = {str(name): column.to_numpy(dtype=object) for name, column in people.sensitive.items()}

    def part(name: str, rows: NDArray[np.bool_], unlisted: dict[str, int]) -> Sample:
        own = {column: values[rows] for column, values in groups.items()}
        return Sample(name, card, bins[rows], people.default[rows], groups=own, unlisted=unlisted)

    if not hold_out:
        return part(people.name, np.ones(len(people), bool), dict(counts)), None
    held: Counter[str] = Counter()
    card.bins(people.features.loc[~people.history], held)
    return (
        part(f"{people.name}, not past customers", ~people.history, dict(held)),
        part(f"{people.name}, past customers", people.history, {}),
    )


def seen(file: Path, card: Card, schema: Path | None = None, month: str = "") -> Sample:
    """Read people of whom some, all or none have an outcome, as the schema's [target] tells it if the file has it."""
    counts: Counter[str] = Counter()
    bins = np.vstack([batch.bins(card) for batch in batches(file, wanted(card, schema), counts)])
    plan = None if schema is None else load_schema(schema)
    known, bad = (None, None) if plan is None else _outcomes(file, plan, len(bins))
    months = None if not month else _texts(file, month, plan)
    return Sample(file.name, card, bins, bad, known, months, unlisted=dict(counts))


def _outcomes(file: Path, plan: FileSchema, n: int) -> tuple[NDArray[np.bool_] | None, NDArray[np.bool_] | None]:
    from blindscore.people.files.blocks import column_names

    if plan.target is None or plan.target not in column_names(file, Ask((), delimiter=plan.delimiter)):
        return None, None
    texts = _texts(file, plan.target, plan, (*plan.bad, *plan.good))
    bad = np.array([text in plan.bad for text in texts])
    known = np.array([text is not None and (not plan.good or text in plan.good or text in plan.bad) for text in texts])
    return (known, bad) if known.any() else (None, None)


def _texts(file: Path, column: str, plan: FileSchema | None, listed: Sequence[str] = ()) -> NDArray[np.object_]:
    """One column as texts, None where missing."""
    missing, delimiter = (MISSING, None) if plan is None else (plan.missing, plan.delimiter)
    ask = Ask((column,), missing=missing, delimiter=delimiter)
    table, _ = read_table(file, ask)
    codes, found = words(table[column].chunk(0), column, missing, Place(file, ask.kind(file)), listed)
    return np.array([*found, None], dtype=object)[codes]


def monthly(texts: NDArray[np.object_]) -> NDArray[np.object_]:
    """Months of dates: ISO dates lose their day; anything else stands as it is, and sorts as text."""

    def cut(text: str | None) -> str | None:
        return text if text is None or len(text) < 10 or text[4:5] != "-" or text[7:8] != "-" else text[:7]

    return np.array([cut(text) for text in texts], dtype=object)
