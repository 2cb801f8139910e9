"""What a design costs for many people, from rates measured here and now.

Every rate comes from a short real run of the design's own code over a small synthetic society, in a process of its own:
``cost = people x (sum over roles of microseconds a person)``. Nothing is known of another machine, another network, or
of contention; what is assumed is said beside the figures.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from blindscore.errors import DataError, ParameterError

MEASURED_PEOPLE = 20_000  # fewer, and what a run costs once would pass for what a person costs
WARM_PEOPLE = 300  # first run, whose figures are not used: compiled code and caches
MEASURED_RUNS = 16  # real protocol runs, where a design has such
MAX_PEOPLE = 1e12
ASSUMPTIONS = (
    "rates are medians of a short run on one core of this machine, and grow in proportion to people",
    "every core of a machine works at that rate at the same time; no core waits for the network or the disk",
    "all roles (applicant, source, lender, verifier) are counted, also those whose machines are other people's",
    "keys are counted once a person where the design counts them; retries, headers of TLS and TCP are not counted",
    "memory is the peak of one process of the run, libraries included, times the cores: work streams",
    "storage is what the lender's side holds of a person after the decision, uncompressed, one copy, without an index",
    "reading and writing people's files is not counted (see docs/scale.md for that rate), nor is fitting the card",
)


@dataclass(frozen=True)
class Rates:
    """What one person costs under one design, measured."""

    design: str
    us_per_person: dict[str, float]  # by role, process time, microseconds
    bytes_up: int
    bytes_down: int
    keys_bytes: int  # once a person
    stored_bytes: int  # a person, after the decision
    peak_bytes: int  # resident, of the process that ran it
    real_runs: int


@dataclass(frozen=True)
class Plan:
    """What so many people cost under one design."""

    design: str
    people: int
    core_hours: float
    machine_hours: float  # of machines with `cores` cores
    wire_bytes: int
    memory_bytes: int  # of one machine
    storage_bytes: int
    rates: Rates


def plan(rates: Rates, people: int, cores: int) -> Plan:
    """Return the cost of so many people: linear in people, but for memory, which does not depend on them.

    Raises
    ------
    ParameterError
        Fewer than 1 person or core, or more than 10^12 people.
    """
    if not 1 <= people <= MAX_PEOPLE or cores < 1:
        raise ParameterError("--people must be 1 to 1e12, and --cores at least 1")
    hours = people * sum(rates.us_per_person.values()) / 3.6e9
    return Plan(
        design=rates.design,
        people=people,
        core_hours=hours,
        machine_hours=hours / cores,
        wire_bytes=people * (rates.bytes_up + rates.bytes_down + rates.keys_bytes),
        memory_bytes=cores * rates.peak_bytes,
        storage_bytes=people * rates.stored_bytes,
        rates=rates,
    )


def measure_apart(design: str) -> Rates:
    """Measure a design in a process of its own, so that peak memory is its own.

    Raises
    ------
    DataError
        The run fails.
    """
    done = subprocess.run(
        [sys.executable, "-m", "blindscore_app.scale.plan", design],
        capture_output=True,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise DataError(f"{design}: the short run failed ({last[:200]})")
    return Rates(**json.loads(done.stdout.strip().splitlines()[-1]))


def measure_here(name: str, people: int = MEASURED_PEOPLE, seed: int = 1) -> Rates:
    """Run a design over a small society and return what a person cost."""
    import numpy as np

    from blindscore.people.society import make_society
    from blindscore.scorecard.scorecard import Scorecard
    from blindscore_app.commands.designs import choose_designs

    (design,) = choose_designs(name, MEASURED_RUNS, people)
    design.run(make_society(people=WARM_PEOPLE, seed=seed), Scorecard(), np.random.default_rng(seed))
    society = make_society(people=people, seed=seed)
    run = design.run(society, Scorecard(), np.random.default_rng(seed))
    lender = run.views["lender"]
    stored = int(lender.clear[lender.stored].memory_usage(index=False, deep=True).sum() / people) + lender.opaque_bytes
    return Rates(
        design=name,
        us_per_person=dict(run.costs.us_per_person),
        bytes_up=run.costs.bytes_up,
        bytes_down=run.costs.bytes_down,
        keys_bytes=run.costs.keys_bytes,
        stored_bytes=stored,
        peak_bytes=peak_memory(),
        real_runs=run.real_runs,
    )


def peak_memory() -> int:
    """Return the most memory that this process has held, bytes; ``getrusage`` would count its parent's too."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])


def to_dict(plans: list[Plan], cores: int) -> dict[str, Any]:
    """Return plans in plain form, with the assumptions."""
    return {"cores": cores, "assumptions": list(ASSUMPTIONS), "plans": [asdict(one) for one in plans]}


if __name__ == "__main__":
    print(json.dumps(asdict(measure_here(sys.argv[1]))))
