"""Write results so that a reader never sees half of them."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from blindscore import whole_files
from blindscore.errors import DataError


def check_directory(out: Path) -> None:
    """Refuse an output directory that cannot be written, before the work that would be lost.

    Raises
    ------
    DataError
        ``out`` is a file, or it, or the nearest directory above it that exists, may not be written.
    """
    for place in (out, *out.absolute().parents):
        if place.is_dir():
            _try_to_write(out, place)
            return
        if place.exists() or place.is_symlink():
            raise DataError(f"{out}: {place} is not a directory; give a directory")


def check_file(out: Path, *inputs: Path | None) -> None:
    """Refuse an output file that cannot be written, or would replace an input; its directory must exist.

    Raises
    ------
    DataError
        ``out`` is a directory or an input, or its directory is absent or may not be written.
    """
    if any(given is not None and os.path.realpath(given) == os.path.realpath(out) for given in inputs):
        raise DataError(f"{out}: would replace what is read; give another file name with --out")
    if out.is_dir():
        raise DataError(f"{out}: is a directory; give a file name with --out")
    if not out.absolute().parent.is_dir():
        raise DataError(f"{out}: the directory {out.parent} does not exist; make it first")
    _try_to_write(out, out.absolute().parent)


def _try_to_write(out: Path, directory: Path) -> None:
    """Write a file without a name: rights alone do not tell of read-only or special file systems."""
    try:
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError as error:
        raise DataError(f"{out}: cannot be written ({error.strerror}); give another place with --out") from error


@contextmanager
def tidy_when_ended() -> Iterator[None]:
    """Let a request to end (SIGTERM) raise, as an interrupt does, so that temporary files are removed."""
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield
        return

    def end(number: int, frame: object) -> None:
        raise SystemExit(128 + number)  # as shells report it

    signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """As :func:`blindscore.whole_files.replacing`, also where the process is asked to end."""
    with tidy_when_ended(), whole_files.replacing(path) as temporary:
        yield temporary


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Give a temporary folder beside ``path`` and move it there if the block ends well; else remove it."""
    with tidy_when_ended():
        temporary = Path(tempfile.mkdtemp(dir=path.absolute().parent, prefix=f".{path.name}."))
        try:
            yield temporary
            for file in temporary.iterdir():
                whole_files.to_disk(file)
            if path.is_dir():  # a folder cannot be replaced in one step: it is gone for a moment, never half there
                aside = Path(tempfile.mkdtemp(dir=path.absolute().parent, prefix=f".{path.name}."))
                path.replace(aside)
                shutil.rmtree(aside)
            temporary.replace(path)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise


def write_all(out: Path, files: Mapping[str, bytes]) -> None:
    """Write several files of one run into a directory: all are complete on disk before the first becomes visible."""
    check_directory(out)
    out.mkdir(parents=True, exist_ok=True)
    with tidy_when_ended(), ExitStack() as stack:
        for name, data in files.items():
            stack.enter_context(whole_files.replacing(out / name)).write_bytes(data)
