"""Help for the tests of a stranger's machine: the command in a process of its own, with few rights or few libraries."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
FLOORS = tuple(ROOT / floor for floor in ("core", "crypto", "app"))
SCHEMA = """
[target]
column = "bad"
bad = ["1"]
good = ["0"]
[[features]]
name = "income"
[[features]]
name = "late"
"""


def people(folder: Path, count: int = 300) -> tuple[Path, Path]:
    """Write a file of made-up people and its schema; return both paths."""
    draw = random.Random(1)
    lines = ["income,late,bad"]
    for _ in range(count):
        late = draw.randint(0, 4)
        lines.append(f"{draw.gauss(2000, 500):.2f},{late},{int(draw.random() < 0.05 + 0.12 * late)}")
    file, schema = folder / "people.csv", folder / "people.toml"
    file.write_text("\n".join(lines) + "\n")
    schema.write_text(SCHEMA)
    return file, schema


def python(
    code: str, *arguments: object, sources: Path | None = None, before: tuple[str, ...] = (), **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own, from the sources given or from this tree; ``before`` stands before python."""
    paths = [str(sources)] if sources else [str(floor) for floor in FLOORS]
    return subprocess.run(
        [*before, sys.executable, "-c", code, *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


MAIN = "import sys; from blindscore_app.cli import main; sys.argv[0] = 'blindscore'; main()"


def powerless() -> tuple[str, ...] | None:
    """Return what to put before a command so that file rights bind it; None where this machine offers nothing.

    Somebody who is not root needs nothing. Root becomes nobody where nobody can reach this Python, and else stays who
    it is without the capability to pass over rights.
    """
    if os.geteuid() != 0:
        return ()
    setpriv = shutil.which("setpriv")
    for drop in (
        ("--reuid=65534", "--regid=65534", "--clear-groups"),
        ("--bounding-set=-dac_override,-dac_read_search,-chown,-fowner", "--inh-caps=-all"),
    ):
        probe = (setpriv or "", *drop, sys.executable, "-c", "import numpy")
        if setpriv and subprocess.run(probe, capture_output=True, check=False).returncode == 0:
            return (setpriv, *drop)
    return None
