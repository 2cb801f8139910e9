"""``submit``, ``check``, ``leaderboard``: a ledger becomes one file that others can hold to account."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from blindscore.extras import require
from blindscore_app.files.safely import check_directory, check_file, write_all

DIFFERS = 1  # exit status of a check that does not bear out
SHOWN = 20

File = Annotated[Path, typer.Argument(help="A file that `blindscore submit` wrote.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Say the outcome as JSON, and nothing else.")]


def submit(
    ledger: Annotated[Path, typer.Argument(help="A ledger.json of this machine.", show_default=False)],
    name: Annotated[str, typer.Option(help="What the submission goes by in the table.", show_default=False)],
    out: Annotated[Path, typer.Option(help="Where the file goes.")] = Path("submission.json.gz"),
    as_json: AsJson = False,
) -> None:
    """Pack a ledger with system, versions, fingerprints and this machine's reference speed, to be checked by others."""
    require("frontier")
    check_file(out, ledger)
    from blindscore.whole_files import write_whole
    from blindscore_app.entry.submission import pack
    from blindscore_app.report.checked import read_ledger

    packed = pack(read_ledger(ledger), name)
    data = packed.to_bytes()
    write_whole(out, data)
    if as_json:
        typer.echo(json.dumps({"written": str(out), "bytes": len(data), "division": packed.division}))
    else:
        typer.echo(f"Written: {out} ({len(data) / 1e3:.0f} kB), {packed.division} division")


def check(
    file: File,
    seed: Annotated[
        int | None,
        typer.Option(min=0, max=2**32 - 1, help="A seed that the submitter did not know.", show_default=False),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Directory for the ledger as measured here.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure a submission again, and hold each figure to it; exit status 1 where one does not come out.

    With a seed of one's own no figure need be equal: the ledger that comes out stands in the submitted one's place, and
    it is told how many intervals lie apart from those submitted.
    """
    require("frontier")
    from blindscore.errors import ParameterError
    from blindscore_app.entry import check as checking
    from blindscore_app.entry.submission import plugins, read
    from blindscore_app.entry.system import reference
    from blindscore_app.progress import bar

    if seed is not None and out is None:
        raise ParameterError(
            "--seed measures under other people, and no figure need be equal; say with --out where that goes"
        )
    if out is not None:
        check_directory(out)
    submitted = read(file)
    here = plugins()
    if missing := sorted(name for name, code in submitted.plugins.items() if here.get(name) != code):
        raise ParameterError(f"{file}: install the very packages that it was measured with: {', '.join(missing)}")
    with bar() as progress:
        again = checking.measure_again(checking.origin_under(submitted, seed), submitted.ledger, progress)
    if out is not None:
        write_all(out, {"ledger.json": again.to_json().encode(), "ledger.csv": again.to_csv().encode()})
    found = [] if seed is not None else checking.differences(submitted, again, reference())
    figures = sum(one.kind == checking.FIGURE for one in found)
    away, compared = checking.apart(submitted.ledger, again)
    if as_json:
        told = {"name": submitted.name, "seed": seed, "differences": checking.plain(found)}
        typer.echo(json.dumps(told if seed is None else {**told, "apart": away, "compared": compared}))
    elif seed is not None:
        typer.echo(
            f"{submitted.name}: measured under seed {seed}, written to {out}; {away} of {compared} intervals do not "
            f"meet those submitted"
        )
    else:
        for one in found[:SHOWN]:
            typer.echo(f"{one.kind}: {one.where}: submitted {one.submitted}, here {one.again}")
        rows, designs = len(submitted.ledger.rows), len(submitted.ledger.designs)
        typer.echo(
            f"{submitted.name}: {rows} rows of {designs} designs measured again; {figures} figures differ, "
            f"{len(found) - figures} times beyond a factor of {checking.TIME_FACTOR:g}"
        )
    if found:
        raise typer.Exit(DIFFERS)


def leaderboard(
    folder: Annotated[Path, typer.Argument(help="A folder of submissions.", show_default=False)],
    out: Annotated[Path, typer.Option(help="Where the page goes.")] = Path("leaderboard.md"),
    as_json: AsJson = False,
) -> None:
    """Write the page of all submissions of a folder: what each design keeps and gives up, and never one index."""
    check_file(out)
    from blindscore.errors import DataError
    from blindscore.whole_files import write_whole
    from blindscore_app.entry.leaderboard import page
    from blindscore_app.entry.submission import read

    files = sorted(folder.glob("*.json.gz")) if folder.is_dir() else []
    if not files:
        raise DataError(f"{folder}: holds no submission (*.json.gz); give a folder of files that `submit` wrote")
    text = page([(file.name, read(file)) for file in files])
    write_whole(out, text.encode())
    if as_json:
        typer.echo(json.dumps({"written": str(out), "submissions": len(files)}))
    else:
        typer.echo(f"Written: {out} ({len(files)} submissions)")
