"""Run a submission through its stages, each a process of its own, time them, and check every total.

``python benchmarks/fhe_suite/harness/run_submission.py NAME|all SIZE [--repeats N] [--json] [--python NAME=PATH]``
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from workload import ROOT, SIZES, folder, write_dataset, wrong

CLIENT_FIRST = ("client_key_generation", "client_encode_encrypt_input")
SERVER = ("server_preprocess_model", "server_encrypted_compute")
CLIENT_LAST = ("client_decrypt_decode",)
ABSENT = 3  # exit status of a submission whose library is not installed


def run(name: str, size: int, python: str = sys.executable) -> dict[str, object]:
    """Run all stages once by an interpreter; return seconds a stage, bytes a folder, and what the submission reports.

    Raises
    ------
    SystemExit
        A stage fails, or a total is wrong.
    """
    place = folder(size)
    shutil.rmtree(place, ignore_errors=True)
    write_dataset(size)
    seconds = {stage: _stage(python, name, stage, size) for stage in CLIENT_FIRST}
    hidden = place.with_name(f"{size}.client")
    shutil.rmtree(hidden, ignore_errors=True)
    hidden.mkdir()
    for held in ("secret", "dataset/bins.npy"):  # a server's stage that needs these fails here
        (place / held).rename(hidden / Path(held).name)
    seconds |= {stage: _stage(python, name, stage, size) for stage in SERVER}
    (hidden / "secret").rename(place / "secret")
    seconds |= {stage: _stage(python, name, stage, size) for stage in CLIENT_LAST}
    shutil.rmtree(hidden)
    if bad := wrong(size):
        raise SystemExit(f"{name}: {bad} of {SIZES[size][1]} totals are wrong")
    sizes = {part: _bytes(place / part) for part in ("public", "upload", "download")}
    reported = place / "reported.json"
    own = json.loads(reported.read_text()) if reported.exists() else {}
    return {"submission": name, "people": SIZES[size][1], "seconds": seconds, "bytes": sizes, "reported": own}


def _stage(python: str, name: str, stage: str, size: int) -> float:
    begun = time.perf_counter()
    told = subprocess.run([python, str(ROOT / "submissions" / name / "stages.py"), stage, str(size)], check=False)
    if told.returncode == ABSENT:
        raise LookupError(name)
    if told.returncode:
        raise SystemExit(f"{name}: {stage} ended with status {told.returncode}")
    return time.perf_counter() - begun


def _bytes(place: Path) -> int:
    return sum(file.stat().st_size for file in place.rglob("*") if file.is_file())


def main() -> None:
    """Run from the command line; submissions take turns, and medians are told."""
    names = sorted(path.parent.name for path in (ROOT / "submissions").glob("*/stages.py"))
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=[*names, "all"])
    parser.add_argument("size", type=int, choices=sorted(SIZES))
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--python", action="append", default=[], metavar="NAME=PATH", help="a submission's interpreter")
    asked = parser.parse_args()
    pythons = dict(pair.split("=", 1) for pair in asked.python if "=" in pair)
    if len(pythons) < len(asked.python) or not set(pythons) <= set(names):
        parser.error(f"--python takes NAME=PATH, NAME one of {', '.join(names)}")
    runs: dict[str, list[dict[str, object]]] = {}
    for _ in range(asked.repeats):
        for name in names if asked.name == "all" else [asked.name]:
            try:
                runs.setdefault(name, []).append(run(name, asked.size, pythons.get(name, sys.executable)))
            except LookupError:
                print(f"{name}: its library is not installed; left out", file=sys.stderr)
    results = [_median(found) for found in runs.values() if found]
    text = json.dumps(results, indent=1)
    (folder(asked.size) / "results.json").write_text(text + "\n")
    if asked.json:
        print(text)
        return
    for result in results:
        stages = ", ".join(f"{stage} {seconds:.2f} s" for stage, seconds in result["seconds"].items())
        print(f"{result['submission']}, {result['people']:,} people, all exact: {stages}")
        print(f"  bytes: {result['bytes']}; reported of itself: {result['reported']}")


def _median(found: list[dict]) -> dict:
    stages = {stage: statistics.median(one["seconds"][stage] for one in found) for stage in found[0]["seconds"]}
    own = {key: statistics.median(one["reported"][key] for one in found) for key in found[0]["reported"]}
    return found[0] | {"seconds": stages, "reported": own, "runs": len(found)}


if __name__ == "__main__":
    main()
