"""The progress bar, on stderr, so that stdout stays clean for results."""

from __future__ import annotations

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
                console.print(f"{label} ({done} of {total})", markup=False, highlight=False)

        yield say
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as shown:
        task = shown.add_task("starting", total=None)

        def move(label: str, done: int, total: int) -> None:
            shown.update(task, description=label, completed=done, total=total)

        yield move
