"""Partitions, a card over them, and tasks that take their time, for the tests of the engines."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from blindscore.scorecard.card import Card, Characteristic
from blindscore.scorecard.forms.json import save_card
from blindscore_app.scale.tasks import Task

NUMBERS = ("age", "income")
GROUPS = (("car", "01"), ("home",), ("boat",))


def make_card(path: Path) -> Card:
    numbers = tuple(Characteristic(name, (5, -3, 11, 0), (-0.5, 0.75)) for name in NUMBERS)
    card = Card((*numbers, Characteristic("purpose", (1, 2, 40, -9), groups=GROUPS)), 600)
    save_card(card, path)
    return card


def make_people(rows: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({name: rng.normal(size=rows).astype(np.float32) for name in NUMBERS})
    table["purpose"] = rng.choice(["car", "01", "home", "boat"], rows)
    table.loc[rng.random(rows) < 0.05, "income"] = np.nan
    table["unused"] = rng.integers(0, 9, rows)
    return table


def make_parts(folder: Path, parts: int, rows: int = 500) -> dict[str, pd.DataFrame]:
    """Parquet and CSV in turn, the last in a subfolder; columns in another order in each."""
    tables = {}
    for k in range(parts):
        table = make_people(rows, k).sample(axis=1, frac=1, random_state=k)
        name = f"part-{k:03}" if k < parts - 1 else f"late/part-{k:03}"
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        table.to_parquet(f"{path}.parquet") if k % 2 else table.to_csv(f"{path}.csv", index=False)
        tables[name] = table
    return tables


def slowly(text: str, log: Path, temporary: Path) -> Mapping[str, int]:
    """Write half, wait, write the rest; leave a mark for every time that it began."""
    with log.open("a") as marks:
        marks.write("x")
    with temporary.open("w") as file:
        file.write(text)
        file.flush()
        time.sleep(0.15)
        file.write(text)
    return {"people": 1}


def slow_tasks(folder: Path, count: int) -> list[Task]:
    (folder / "out").mkdir(exist_ok=True)
    (folder / "log").mkdir(exist_ok=True)
    return [
        Task(f"{k}.txt", folder / "out" / f"{k}.txt", "v1", (), partial(slowly, f"{k}," * 999, folder / "log" / str(k)))
        for k in range(count)
    ]


def visible(folder: Path) -> dict[str, str]:
    """Name and hash of every result that a reader sees."""
    files = [path for path in folder.rglob("[!.]*") if path.is_file() and "manifest" not in path.name]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def nothing(label: str, done: int, total: int) -> None:
    """Progress that nobody watches."""
