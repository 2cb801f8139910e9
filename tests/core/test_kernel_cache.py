"""Kept kernels are forgotten when a source behind them changes, wherever they are kept, and not before."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from blindscore.kernel_cache import drop_stale_kernels, njit, sources_behind
from blindscore.people import conduct
from blindscore.scorecard import sparse
from blindscore_crypto.encrypted.batch import rlwe


def kept(folder: Path, name: str = "a.kernel.nbi") -> Path:
    folder.mkdir(exist_ok=True)
    index = folder / name
    index.write_bytes(b"compiled")
    return index


def test_kernels_are_kept_until_a_source_changes(tmp_path: Path) -> None:
    source, other, cache = tmp_path / "a.py", tmp_path / "b.py", tmp_path / "cache"
    source.write_text("x = 1\n")
    other.write_text("y = 1\n")
    assert drop_stale_kernels(source, cache, frozenset({source, other}))
    index, neighbour = kept(cache), kept(cache, "c.kernel.nbi")
    assert not drop_stale_kernels(source, cache, frozenset({source, other}))
    assert index.exists()
    changed = tmp_path / "new" / "b.py"
    changed.parent.mkdir()
    changed.write_text("y = 2\n")
    assert drop_stale_kernels(source, cache, frozenset({source, changed}))
    assert not index.exists()
    assert neighbour.exists()  # another file's kernels, checked against that file's own sources


def test_a_renamed_source_counts_as_changed(tmp_path: Path) -> None:
    source, other, cache = tmp_path / "a.py", tmp_path / "b.py", tmp_path / "cache"
    source.write_text("x = 1\n")
    other.write_text("y = 1\n")
    drop_stale_kernels(source, cache, frozenset({source, other}))
    index = kept(cache)
    assert drop_stale_kernels(source, cache, frozenset({source, other.rename(tmp_path / "c.py")}))
    assert not index.exists()


def test_a_folder_that_cannot_be_written_to_is_left_alone(tmp_path: Path) -> None:
    source = tmp_path / "a.py"
    source.write_text("x = 1\n")
    (tmp_path / "cache").write_text("a file where the folder should be")
    assert not drop_stale_kernels(source, tmp_path / "cache", frozenset({source}))


@pytest.mark.parametrize(
    ("module", "behind"),
    [
        (conduct, "people/counter_draws.py"),
        (conduct, "people/variables.py"),
        (sparse, "scorecard/classing.py"),  # through woe.py
        (rlwe, "ring/ntt.py"),
        (rlwe, "encrypted/parameters.py"),
        (rlwe, "blindscore/errors.py"),  # of the floor below, which lies under another root
    ],
)
def test_the_sources_behind_a_kernel_are_those_that_its_file_imports(module, behind: str) -> None:
    found = {path.as_posix() for path in sources_behind(Path(module.__file__))}
    assert module.__file__ in found
    assert any(path.endswith(behind) for path in found)
    assert not any("blindscore_app" in path for path in found)  # never upward


SOURCE = """
from blindscore_here.constant import K
from blindscore.kernel_cache import njit

@njit(cache=True)
def kernel():
    return K
"""


def test_a_changed_constant_of_another_file_reaches_a_kernel_that_is_kept_elsewhere(tmp_path: Path) -> None:
    package = tmp_path / "blindscore_here"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "kernels.py").write_text(SOURCE)
    answers = []
    for value in (1, 1, 2):
        (package / "constant.py").write_text(f"K = {value}\n")
        code = "from blindscore_here.kernels import kernel as k; print(k(), sum(k.stats.cache_hits.values()))"
        environment = os.environ | {
            "NUMBA_CACHE_DIR": str(tmp_path / "kept"),
            "PYTHONPATH": os.pathsep.join([str(tmp_path), *filter(None, sys.path)]),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        answers.append(done.stdout.split())
    assert answers == [["1", "0"], ["1", "1"], ["2", "0"]]


@pytest.mark.parametrize(("signature", "forms"), [("", 3), ("int64(int64)", 1)])
def test_a_kernel_with_a_signature_is_compiled_in_one_form_for_all_constants(signature: str, forms: int) -> None:
    @njit(signature)
    def twice(number: int) -> int:
        return 2 * number

    @njit()
    def callers(number: int) -> int:
        return twice(3) + twice(4) + twice(number)

    assert callers(5) == 24
    assert len(twice.overloads) == forms
