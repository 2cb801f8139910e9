"""Compiled kernels are kept on disk where there is a place for them, and forgotten when a source behind them changes.

Numba keeps a kernel beside its source, else in ``NUMBA_CACHE_DIR`` or the user's cache folder. Where none of them can
be written to it raises; here such a kernel is compiled anew in every process instead. And Numba checks a kept kernel
against the one file that defines it, not against the files whose functions and constants it took in: after an update
of one file, kernels of its neighbours would silently compute the old thing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numba

IMPORT = re.compile(
    r"^\s*from (blindscore[\w.]*) import (\([^)]*\)|[^\n]*)|^\s*import (blindscore[\w.]*)", flags=re.MULTILINE
)


def njit(signature: str = "", *, cache: bool = False, **options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Return what ``numba.njit`` returns, but that ``cache=True`` keeps kernels on disk only where that is possible.

    Parameters
    ----------
    signature
        The one form that a kernel is compiled in, at once, as ``"float64(int64, int64)"``. Without it Numba compiles a
        function that other kernels call anew for every constant that they call it with.
    """

    def compile_kernel(function: Callable[..., Any]) -> Any:
        kernel = numba.njit(**options)(function)  # noqa: TID251
        if cache:
            _keep(kernel, Path(function.__code__.co_filename))
        if signature:
            kernel.compile(signature)
            kernel.disable_compile()
        return kernel

    return compile_kernel


def _keep(kernel: Any, source: Path) -> None:
    try:
        kernel.enable_caching()
    except RuntimeError:  # no locator available: neither the package's folder nor the user's can be written to
        return
    _check(source, Path(kernel.stats.cache_path))


@cache
def _check(source: Path, kept: Path) -> None:
    drop_stale_kernels(source, kept, sources_behind(source))


def drop_stale_kernels(source: Path, kept: Path, behind: frozenset[Path]) -> bool:
    """Forget the kernels of one source file unless they were compiled from the sources that lie there now.

    Parameters
    ----------
    source
        The file that defines the kernels.
    kept
        The folder in which Numba keeps them.
    behind
        Every file from which they may take functions and constants, `source` among them.

    Returns
    -------
    bool
        Whether anything was found changed. A folder that cannot be written to is left alone.
    """
    digest = hashlib.sha256()
    for path in sorted(behind):
        digest.update(f"{path.name}\0".encode() + hashlib.sha256(_read(path)).digest())
    stamp = kept / f"{source.stem}.kernels.sha256"
    try:
        if stamp.exists() and stamp.read_text("ascii") == digest.hexdigest():
            return False
        kept.mkdir(parents=True, exist_ok=True)
        for index in kept.glob(f"{source.stem}.*.nbi"):
            index.unlink(missing_ok=True)
        stamp.write_text(digest.hexdigest(), "ascii")
    except OSError:
        return False
    return True


def sources_behind(source: Path) -> frozenset[Path]:
    """Return a file and every file of this project's packages that it imports, directly or through others."""
    found: set[Path] = set()
    left = [source]
    while left:
        path = left.pop()
        if path not in found:
            found.add(path)
            left += _imported(path)
    return frozenset(found)


@cache
def _imported(path: Path) -> tuple[Path, ...]:
    root = path.parent
    while (root / "__init__.py").exists():
        root = root.parent
    roots = (root, Path(__file__).parent.parent)  # a source tree has a root for each floor
    modules: set[str] = set()
    for whole, names, alone in IMPORT.findall(_read(path).decode()):
        modules |= {whole or alone} | {f"{whole}.{name}" for name in re.findall(r"\w+", names)}
    places = [base / module.replace(".", "/") for module in modules for base in roots]
    files = [place.with_suffix(".py") for place in places] + [place / "__init__.py" for place in places]
    return tuple(file for file in files if file.is_file())


@cache
def _read(path: Path) -> bytes:
    return path.read_bytes()
