"""How long a synthetic society takes and how much memory, against the number of people.

``python benchmarks/bench_society.py`` prints the curve; ``--json`` one JSON object. Every size runs in a process of its
own, so that peak memory is that size's alone; it is compiled before the clock starts and made twice, and the faster
time counts. As a pytest-benchmark suite it times a society of 20,000 and an intervention on it.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys

import numpy as np

from blindscore.people.society import make_society

SIZES = (10_000, 30_000, 100_000, 300_000, 1_000_000)
ONE_SIZE = """
import resource, sys, time
from blindscore.people.society import make_society
people = int(sys.argv[1])
make_society(1_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
seconds = []
for _ in range(2):
    start = time.perf_counter()
    make_society(people)
    seconds.append(time.perf_counter() - start)
print(min(seconds), before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def measure(people: int) -> tuple[float, float, float]:
    """Least seconds, peak MB before, and peak MB after making a society of that size, in a fresh process."""
    done = subprocess.run(
        [sys.executable, "-c", ONE_SIZE, str(people)], check=True, capture_output=True, text=True, timeout=600
    )
    seconds, before, after = map(float, done.stdout.split())
    return seconds, before / 1024, after / 1024


def figures(sizes: tuple[int, ...] = SIZES) -> dict[str, float]:
    """Seconds and peak MB by size, and the growth exponent: 1 = linear in people."""
    out: dict[str, float] = {}
    for people in sizes:
        seconds, before, after = measure(people)
        out[f"seconds_{people}"] = round(seconds, 3)
        out[f"us_per_person_{people}"] = round(1e6 * seconds / people, 2)
        out[f"peak_mb_{people}"] = round(after)
        out["idle_mb"] = round(before)
    large = [people for people in sizes if people >= 30_000]
    if len(large) > 1:
        logs = np.log([out[f"seconds_{people}"] for people in large])
        out["growth_exponent"] = round(float(np.polyfit(np.log(large), logs, 1)[0]), 3)
    return out


def test_make_society(benchmark):
    first = make_society(20_000)
    assert first.fingerprint == make_society(20_000).fingerprint
    benchmark(make_society, 20_000)


def test_intervene(benchmark):
    society = make_society(20_000)
    after = benchmark(society.do, {"post_opposition": 9.0})
    assert (after.features["post_opposition"] == 9.0).all()


def main() -> None:
    parser = argparse.ArgumentParser(description="Time and memory of a synthetic society by number of people.")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--most", type=int, default=SIZES[-1], help="largest society to make")
    asked = parser.parse_args()
    sizes = tuple(size for size in SIZES if size <= asked.most)
    out = figures(sizes)
    if asked.json:
        print(json.dumps(out))
        return
    print(f"{'people':>10} {'seconds':>9} {'us/person':>10} {'peak MB':>8}")
    for people in sizes:
        seconds, each, peak = (out[f"{name}_{people}"] for name in ("seconds", "us_per_person", "peak_mb"))
        bar = "#" * max(1, round(4 * math.log10(people) - 12))
        print(f"{people:>10,} {seconds:>9.2f} {each:>10.2f} {peak:>8.0f}  {bar}")
    print(f"growth exponent from 30,000 people: {out.get('growth_exponent', float('nan')):.3f} (1 = linear)")


if __name__ == "__main__":
    main()
