"""``schema``: a first schema for a stranger's file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from blindscore_app.commands.options import AsJson, People


def schema(
    file: People,
    out: Annotated[Path, typer.Option(help="Where the schema goes; no file is replaced.")] = Path("schema.toml"),
    target: Annotated[str, typer.Option(help="The outcome's column, if the guess is wrong.", show_default=False)] = "",
    bad: Annotated[
        list[str] | None, typer.Option(help="A value that means default; may be repeated.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Draft the TOML that says what each column of a file is: outcome, features, sensitive facts, what to leave out.

    Everything is guessed from the first 200,000 rows and from names. Read the draft before you rely on it.
    """
    from blindscore.errors import ParameterError
    from blindscore.people.files.draft.profile import find_delimiter, profile_file
    from blindscore.people.files.draft.roles import assign
    from blindscore.people.files.draft.write import draft_schema
    from blindscore_app.files.safely import check_file, replacing
    from blindscore_app.progress import bar

    check_file(out, file)
    if out.exists():
        raise ParameterError(
            f"{out}: exists, and may hold somebody's edits; remove it, or give another name with --out"
        )
    if bad and not target:
        raise ParameterError("--bad needs --target: name the column whose value it is")
    delimiter = find_delimiter(file)
    with bar() as progress:
        progress("looking at columns", 0, 0)
        columns = profile_file(file, delimiter, lambda rows: progress("looking at columns", rows, 0))
    roles = assign(columns, target or None, bad or ())
    text = draft_schema(file.name, roles, delimiter)
    with replacing(out) as temporary:
        temporary.write_text(text, encoding="utf-8")
    parts = {
        part: [role.column.name for role in roles if role.part == part]
        for part in ("outcome", "feature", "sensitive", "left out")
    }
    if as_json:
        special = {role.column.name: list(role.special) for role in roles if role.special}
        left = {role.column.name: role.why for role in roles if role.part == "left out"}
        typer.echo(json.dumps({"written": str(out), "rows": columns[0].rows, **parts, "special": special, "why": left}))
        return
    outcome = next(role for role in roles if role.part == "outcome")
    doubt = f" ({outcome.why})" if outcome.why else ""
    typer.echo(
        f"Written: {out}\n"
        f"Outcome: {outcome.column.name}, bad = {', '.join(outcome.bad)}{doubt}\n"
        f"Features: {len(parts['feature'])}; "
        f"sensitive, kept out of the score: {', '.join(parts['sensitive']) or 'none'}; "
        f"left out: {', '.join(parts['left out']) or 'none'}\n"
        f"Next: read {out}, then blindscore fit {file} --schema {out}"
    )
