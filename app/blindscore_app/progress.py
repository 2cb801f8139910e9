"""The progress bar, on stderr, so that stdout stays clean for results."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Report = Callable[[str, int, int], None]


@contextmanager
def bar() -> Iterator[Report]:
    """Show a bar on stderr while the block runs; without a terminal, say one line a stage instead."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        seen: list[str] = []

        def say(label: str, done: int, total: int) -> None:
            if not seen or seen[-1] != label:
                seen.append(label)
                console.print(f"{label} ({100 * done // max(total, 1)}%)", markup=False, highlight=False)

        yield say
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}", markup=False),
    )
    with Progress(*columns, console=console, transient=True) as shown:
        task = shown.add_task("starting", total=None, left="")
        started = time.monotonic()

        def move(label: str, done: int, total: int) -> None:
            left = time_left(time.monotonic() - started, done, total)
            shown.update(task, description=label, completed=done, total=total if done else None, left=left)

        yield move


def time_left(elapsed: float, done: int, total: int) -> str:
    """Return an estimate of the time left, in words, as if every step took as long; empty before the first is done."""
    if not 0 < done < total:
        return ""
    seconds = elapsed * (total - done) / done
    return f"about {seconds / 60:.0f} min left" if seconds >= 90 else f"about {max(1.0, seconds):.0f} s left"
