"""Fixture data for the app's tests: figures made up to exercise the pages, none of them a result."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from blindscore.surveillance.ledger import DesignRow, Ledger, Row
from blindscore.surveillance.marks import marked

NO_CONDUCT = "nothing outside finance enters the score"
HOSTILE = "<script>alert('x')</script>[red]&"

# design -> (AUC, loss, advantages of the scorer: profile, link, steer, disclose; their bounds)
MADE_UP = {
    "platform": (0.741, 0.000, (0.83, 0.99, 1.00, 1.00), (None, None, None, None)),
    "integrated": (0.712, 0.029, (0.83, 0.99, 1.00, 1.00), (None, None, None, None)),
    "bureau": (0.721, 0.020, (0.31, 0.98, 1.00, 1.00), (None, None, None, None)),
    "encrypted": (0.721, 0.020, (0.04, 0.02, 0.97, 0.03), (0.12, 0.03, None, 0.04)),
    "sealed": (0.720, 0.021, (0.01, 0.00, 0.00, 0.00), (0.04, 0.0001, 0.0, 0.0)),
}


def make_ledger(secret: str = "politics") -> Ledger:
    """Five designs, two coalitions, four capabilities, two secrets under profile."""
    designs = []
    rows = []
    for name, (auc, loss, advantages, bounds) in MADE_UP.items():
        cryptographic = name in ("encrypted", "sealed")
        designs.append(
            DesignRow(
                design=name,
                summary=f"What {name} does, in one sentence.",
                parameters={"threshold": 600},
                auc=auc,
                auc_low=auc - 0.012,
                auc_high=auc + 0.012,
                auc_loss=loss,
                auc_loss_low=max(0.0, loss - 0.006),
                auc_loss_high=loss + 0.006,
                ks=0.35,
                us_per_person={"applicant": 1200.0, "lender": 640.5} if cryptographic else {"scorer": 0.1},
                bytes_up=15_600 if cryptographic else 40,
                bytes_down=8_200 if cryptographic else 200,
                keys_bytes=0,
                real_runs=64 if cryptographic else 0,
                real_agree=64 if cryptographic else 0,
                enforces=(NO_CONDUCT,) if name not in ("platform", "integrated") else (),
                rules=({"text": "posts move the score", "status": "article only", "source": "an article"},)
                if name == "integrated"
                else (),
            )
        )
        for coalition, weaker in (("scorer", 1.0), ("scorer+source", 0.9)):
            for k, (capability, trait) in enumerate(
                (("profile", secret), ("link", "legal id"), ("steer", "conduct"), ("disclose", "everybody"))
            ):
                value, bound = advantages[k] * weaker, bounds[k]
                row = Row(
                    design=name,
                    coalition=coalition,
                    capability=capability,
                    secret=trait,
                    attack="boosted trees",
                    advantage=value,
                    low=max(0.0, value - 0.02),
                    high=min(1.0, value + 0.02),
                    control=0.02,
                    bound=bound,
                    reason="" if bound is None else "finite view: total variation",
                    people_exposed=int(20_000 * value) if capability == "disclose" else None,
                )
                rows.append(row)
            rows.append(
                Row(name, coalition, "profile", "religion", "logistic", 0.0, 0.0, 0.01, bound=0.06, reason="small")
            )
    meta = {
        "version": "0.1.0",
        "seed": 1,
        "people": 20_000,
        "population": "synthetic society",
        "sample": 64,
        "command": "blindscore frontier --people 20000 --seed 1 --sample 64",
        "seconds": 61.5,
    }
    return Ledger(meta, tuple(designs), tuple(marked(rows, None)))


@pytest.fixture
def ledger() -> Ledger:
    return make_ledger()


@pytest.fixture
def hostile_ledger() -> Ledger:
    """A ledger whose secret's name was taken from a stranger's file."""
    return make_ledger(HOSTILE)


@dataclass(frozen=True)
class Answer:
    """What a command gave back."""

    status: int
    out: str
    err: str

    def refused(self) -> bool:
        """Say whether the command ended as a user's mistake should: status 2, a message, no traceback."""
        return self.status == 2 and self.err.strip() != "" and "Traceback" not in self.err + self.out


Run = Callable[..., Answer]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command line, in this process, through its real ``main``."""
    from blindscore_app import cli

    def invoke(*arguments: object) -> Answer:
        monkeypatch.setattr(sys, "argv", ["blindscore", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        seen = capsys.readouterr()
        return Answer(int(stopped.value.code or 0), seen.out, seen.err)

    return invoke


@pytest.fixture
def plain_designs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the designs without cryptography, and four quick capabilities: the command is on trial here, not they."""
    from blindscore.designs import registry
    from blindscore.surveillance import frontier

    monkeypatch.setattr(registry, "entry_points", lambda group: [])
    monkeypatch.setattr(frontier, "load_capabilities", quick_capabilities)


SCHEMA = """
[target]
column = "bad"
bad = ["1"]
good = ["0"]
[[features]]
name = "income"
unit = "a month"
[[features]]
name = "arrears"
column = "months_late"
[[features]]
name = "purpose"
kind = "category"
[[sensitive]]
name = "sex"
[[register]]
name = "area"
"""


@dataclass(frozen=True)
class Files:
    """A lender's file of made-up people, and its schema."""

    people: Path
    schema: Path
    table: pd.DataFrame


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """400 people, drawn from a fixed seed; late payers and car buyers default more."""
    rng = np.random.default_rng(7)
    n = 400
    late = rng.poisson(1.0, n)
    purpose = rng.choice(["car", "home", "01"], n)
    table = pd.DataFrame(
        {
            "income": rng.normal(2000, 500, n).round(2),
            "months_late": late,
            "purpose": purpose,
            "sex": rng.choice(["f", "m"], n),
            "area": rng.integers(0, 20, n),
            "bad": (rng.random(n) < 0.05 + 0.12 * np.minimum(late, 4) + 0.2 * (purpose == "car")).astype(int),
        }
    )
    table.loc[5, "income"] = np.nan
    people, schema = tmp_path / "people.csv", tmp_path / "schema.toml"
    table.to_csv(people, index=False)
    schema.write_text(SCHEMA)
    return Files(people, schema, table)


@pytest.fixture
def card(files: Files, run: Run, tmp_path: Path) -> Path:
    """A scorecard fitted to ``files`` by the command itself."""
    path = tmp_path / "card.json"
    assert run("fit", files.people, "--schema", files.schema, "--out", path).status == 0
    return path


def quick_capabilities() -> list[Any]:
    """Four capabilities that are quick to measure on a few hundred people."""
    from blindscore.surveillance.attacks.disclose import Disclose
    from blindscore.surveillance.attacks.link import Link
    from blindscore.surveillance.attacks.profile import Profile
    from blindscore.surveillance.attacks.steer import Steer

    return [Profile(), Link(), Steer(), Disclose()]


def chromium() -> str:
    """Path of a Chromium on this machine; without one, the test is skipped."""
    for name in ("chromium", "chromium-browser", "google-chrome", "chrome"):
        found = shutil.which(name)
        if found:
            return found
    pytest.skip("no Chromium on this machine: install Debian's package chromium to run the browser tests")


def leftovers(directory: Path) -> list[str]:
    """Names of temporary files that a command left behind."""
    return [path.name for path in directory.rglob(".*")]
