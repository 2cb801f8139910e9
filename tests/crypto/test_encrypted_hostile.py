"""Hostile bytes: 5,000 structure-aware mutations a kind against our receivers; the unguarded loader as the control."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.crypto.hostile_child import KINDS, mutate

ROOT = Path(__file__).parents[2]
COUNT = 5_000  # about 30 of each way to spoil each field, the same in every run; 20,000 found nothing else
SOURCES = os.pathsep.join(str(ROOT / part) for part in ("core", "crypto", "app", "."))

UNGUARDED = """
import json, sys
import numpy as np, tenseal as ts
from tests.crypto.hostile_child import mutate
context = ts.context(ts.SCHEME_TYPE.BFV, poly_modulus_degree=4096, plain_modulus=1032193)
one, two = (ts.bfv_vector(context, [k] * 24).serialize() for k in (1, 2))
rng = np.random.default_rng(int(sys.argv[1]))
accepted = 0
for _ in range(int(sys.argv[2])):
    forged = mutate(rng, one, two, [0, 4, 16, 100, 44_000])
    if forged in (one, two):
        continue
    try:
        ts.bfv_vector_from(context, forged).decrypt()
        accepted += 1
    except (ValueError, RuntimeError, IndexError, MemoryError):
        pass
print(json.dumps({"accepted": accepted}))
"""


def child(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env=os.environ | {"PYTHONPATH": SOURCES},
    )


@pytest.mark.parametrize("kind", KINDS)
def test_no_mutation_crashes_hangs_or_is_accepted(kind):
    done = child(str(ROOT / "tests" / "crypto" / "hostile_child.py"), kind, str(COUNT), "1")
    assert done.returncode == 0, done.stderr[-500:]
    seen = json.loads(done.stdout)
    assert sum(seen.values()) == COUNT
    assert seen.get("accepted", 0) == 0
    assert seen.get("other layout", 0) <= seen.get("own business", 0)
    assert seen["refused"] > 0.8 * COUNT or kind in ("reply", "ask")
    assert seen.get("own business", 0) == 0 or kind == "ask"  # key, pseudonym and nonce are the asker's to choose
    assert seen.get("harmless", 0) == 0 or kind == "reply"  # low bits of a reply, which rounding drops


def test_the_unguarded_loader_accepts_or_crashes_under_the_same_mutations():
    done = child("-c", UNGUARDED, "1", "300")
    crashed = done.returncode < 0
    assert crashed or json.loads(done.stdout)["accepted"] > 10


def test_mutations_change_something():
    rng = np.random.default_rng(0)
    message, other = bytes(range(200)), bytes(range(50, 250))
    changed = [mutate(rng, message, other, [0, 4, 12, 90]) != message for _ in range(500)]
    assert np.mean(changed) > 0.9
