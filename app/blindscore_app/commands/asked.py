"""What ``frontier`` and ``audit`` both take: the options, once, and what they mean."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, get_type_hints

import typer

from blindscore.errors import ParameterError
from blindscore_app.commands.designs import SetOf
from blindscore_app.files.safely import check_directory

QUICK_SAMPLE = 8
SEEDS = 5

Seed = Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Same seed, same people, same figures.")]
Society = Annotated[
    str, typer.Option(help="independent: secrets tell nothing of money; disparate: groups differ as published.")
]
TrainedOn = Annotated[
    str,
    typer.Option(
        help="Attackers on secrets also learn from all people of another society of this name, with other people.",
        show_default=False,
    ),
]
Designs = Annotated[
    str,
    typer.Option(
        help="Names, or files of flows (NAME.toml), separated by commas; the whole set if left out.", show_default=False
    ),
]

Seeds = Annotated[int, typer.Option(min=1, max=100, help="A mark must hold under so many seeds; one with --quick.")]


Set = Annotated[
    SetOf, typer.Option("--set-of", help="default: designs to choose between; world: systems that exist; all: both.")
]
Sample = Annotated[int, typer.Option(min=1, max=10_000, help="Real protocol runs a cryptographic design.")]
Out = Annotated[Path, typer.Option(help="Directory for ledger.csv, ledger.json, frontier.png and report.html.")]
Coalition = Annotated[str, typer.Option(help="Whose capabilities stand in the main table.")]
Quick = Annotated[bool, typer.Option("--quick", help="Play the short attacks only, and fewer real protocol runs.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", help="A design's parameter: design.parameter=value; may be repeated.", show_default=False),
]
Kept = Annotated[
    Path | None,
    typer.Option(
        "--cache",
        help="Directory for finished parts, so that a second run costs only what changed; OUT/parts if left out.",
        show_default=False,
    ),
]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Find no finished part again, and keep none.")]
Details = Annotated[bool, typer.Option("--details", help="Print the long tables too, before the short one.")]
Outside = Annotated[
    str,
    typer.Option(
        help="Registers that attackers bring along, by commas: tax roll, credit register, names, friend list.",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the ledger as JSON, and nothing else, to stdout.")]


@dataclass(frozen=True)
class Asked:
    """The options of both commands; each field is one."""

    seed: Seed = 1
    seeds: Seeds = SEEDS
    designs: Designs = ""
    set_of: Set = SetOf.DEFAULT
    sample: Sample = 64
    out: Out = Path("out")
    coalition: Coalition = "scorer"
    quick: Quick = False
    cache: Kept = None
    no_cache: NoCache = False
    settings: Settings = None
    outside: Outside = ""
    details: Details = False
    as_json: AsJson = False

    @property
    def real_runs(self) -> int:
        """How many real runs a cryptographic design makes."""
        return min(self.sample, QUICK_SAMPLE) if self.quick else self.sample

    @property
    def further(self) -> list[int]:
        """The seeds beyond the first that marks are put to."""
        return [] if self.quick else [(self.seed + more) % 2**32 for more in range(1, self.seeds)]

    @property
    def brought(self) -> tuple[str, ...]:
        """The outside registers that attackers bring along.

        Raises
        ------
        ParameterError
            A register is unknown.
        """
        from blindscore.surveillance.outside import check_outside

        return check_outside(name.strip() for name in self.outside.split(",") if name.strip())

    def words(self, command: str) -> str:
        """Return the whole command that asks for the same, after its beginning."""
        import shlex

        told = f" --seeds {self.seeds}" if not self.quick and self.seeds != SEEDS else ""
        told += f" --sample {self.real_runs}"
        told += f" --designs {shlex.quote(self.designs.replace(' ', ''))}" if self.designs.strip() else ""
        told += f" --set-of {self.set_of.value}" if self.set_of is not SetOf.DEFAULT else ""
        told += "".join(f" --set {shlex.quote(setting)}" for setting in self.settings or [])
        told += f" --outside {shlex.quote(','.join(self.brought))}" if self.brought else ""
        return f"{command}{told}{' --quick' if self.quick else ''}"


def with_options(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command whose argument ``asked`` is spread out into one option a field of :class:`Asked`.

    Only its signature, which the command line is read by, and its types change; what it does stands in ``command``.
    """
    own = [p for name, p in inspect.signature(command).parameters.items() if name != "asked"]
    hints = get_type_hints(command, include_extras=True), get_type_hints(Asked, include_extras=True)
    names = [field.name for field in fields(Asked)]

    def spread(**given: object) -> None:
        asked = Asked(**{name: given.pop(name) for name in names if name in given})  # type: ignore[arg-type]
        command(asked=asked, **given)

    options = [
        inspect.Parameter(f.name, inspect.Parameter.KEYWORD_ONLY, default=f.default, annotation=hints[1][f.name])
        for f in fields(Asked)
    ]
    given = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[0][p.name]) for p in own]
    spread.__name__, spread.__doc__ = command.__name__, command.__doc__
    spread.__annotations__ = {p.name: p.annotation for p in (*given, *options)}
    spread.__signature__ = inspect.Signature([*given, *options])  # type: ignore[attr-defined]
    return spread


def check_coalition(name: str) -> None:
    """Raise :class:`ParameterError` where no run can have a coalition of this name; other roles a run itself names."""
    from blindscore.surveillance.coalitions import EVERYBODY, FIRST

    if name != EVERYBODY and not set(name.split("+")) & set(FIRST):
        raise ParameterError(f"no coalition is called {name!r}; join roles by +, of {', '.join(FIRST)}, or say all")


def choose_cache(out: Path, cache: Path | None, no_cache: bool) -> Path | None:
    """Return the directory of finished parts: the named one, else ``parts`` in the output directory; None for none.

    Raises
    ------
    ParameterError
        A directory is named, and none is to be used.
    DataError
        The directory cannot be written.
    """
    if no_cache:
        if cache is not None:
            raise ParameterError("--cache and --no-cache exclude each other; give one of them")
        return None
    kept = out / "parts" if cache is None else cache
    check_directory(kept)
    return kept
