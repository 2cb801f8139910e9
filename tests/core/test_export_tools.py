"""Cards in other tools: SQL dialects, SAS, Excel, optbinning give the kernel's scores, or say in how far they can."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from blindscore.errors import DataError, ParameterError
from blindscore.scorecard.card import Card, Characteristic, Scale
from blindscore.scorecard.forms.dialects import DIALECTS, card_to_dialect
from blindscore.scorecard.forms.excel import card_to_excel
from blindscore.scorecard.forms.optbinning import from_optbinning
from blindscore.scorecard.forms.sas import card_to_sas
from blindscore.scorecard.forms.to_optbinning import to_optbinning

ODD = "odd \"name\"; -- `x` 'y'"
CARD = Card(
    (
        Characteristic("income", points=(-80, 5, 33, -7), edges=(0.1, 2000.123456789)),
        Characteristic(ODD, points=(12, -3, 0), edges=(-0.5,)),
        Characteristic("code", points=(12, -30, 1, 8), edges=(-1.0, float(np.nextafter(-1, 0)))),
        Characteristic("home", points=(40, -15, -2, 3), groups=(("own", "it's a \\ slash"), ('"rent"', "Own"), ())),
        Characteristic("constant", points=(4, 1)),
    ),
    base=590,
    scale=Scale(low=500, high=640),
)


def draw(n: int, near: bool) -> pd.DataFrame:
    """People on edges and codes, with gaps; `near` = also one float away from them."""
    rng = np.random.default_rng(0)
    beside = [float(np.nextafter(0.1, 0)), float(np.nextafter(-1, 0))] if near else [0.09, -0.99]
    return pd.DataFrame(
        {
            "income": rng.choice([0.1, beside[0], 2000.123456789, 1e9, -1.0, np.nan, -0.0], n),
            ODD: rng.choice(np.array([-0.5, -0.6, 0.0, np.nan], np.float32), n),
            "code": rng.choice([-1.0, beside[1], -2.5, np.nan], n),
            "home": rng.choice(np.array(["own", "it's a \\ slash", '"rent"', "Own", None], object), n),
            "constant": rng.integers(0, 3, n),
        }
    )


PEOPLE = draw(400, near=True)
SCORES = CARD.scores(CARD.bins(PEOPLE))


def test_the_sample_reaches_every_bin() -> None:
    bins = CARD.bins(PEOPLE)
    assert [len(set(bins[:, j])) for j in range(bins.shape[1])] == [4, 3, 4, 3, 1]
    assert len(set(SCORES)) > 20


def test_duckdb_gives_the_same_scores() -> None:
    duckdb = pytest.importorskip("duckdb")
    connection = duckdb.connect()
    connection.register("the people", PEOPLE)
    found = connection.execute(card_to_dialect(CARD, "the people")).fetchnumpy()["score"]
    np.testing.assert_array_equal(found, SCORES)


POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin")) if Path("/usr/lib/postgresql").is_dir() else []


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory):
    """A server of this test alone, reached by a socket; returns psql's arguments."""
    if not POSTGRES:
        pytest.skip("no PostgreSQL here (Debian: apt-get install postgresql)")
    bin_ = POSTGRES[-1]
    home = Path(tmp_path_factory.mktemp("pg"))
    as_user: list[str] = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        if shutil.which("runuser") is None:
            pytest.skip("PostgreSQL does not run as root, and runuser is not here")
        as_user = ["runuser", "-u", "nobody", "--"]
        home = Path("/var/tmp") / f"blindscore-{os.getpid()}"  # pytest's own folder is closed to other users
        home.mkdir(mode=0o700)
        shutil.chown(home, "nobody")
    data = home / "data"

    def play(*command: object) -> None:
        done = subprocess.run([*as_user, *map(str, command)], cwd="/", capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    try:
        play(bin_ / "initdb", "-D", data, "-U", "tester", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        listen = f"-k {home} -c listen_addresses= -c fsync=off"
        play(bin_ / "pg_ctl", "-D", data, "-w", "-l", home / "log", "-o", listen, "start")
        try:
            yield [*as_user, str(bin_ / "psql"), "-h", str(home), "-U", "tester", "-d", "postgres", "-Atq"]
        finally:
            play(bin_ / "pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)


def in_postgres(psql: list[str], people: pd.DataFrame, query: str) -> list[str]:
    """Run a query over a table ``the people`` and return one text a row, empty for NULL."""
    kinds = {name: "text" if name == "home" else "double precision" for name in people.columns}
    kinds["constant"], kinds[ODD] = "integer", "real"

    def quoted(name: str) -> str:
        return '"' + name.replace('"', '""') + '"'

    columns = ", ".join(f"{quoted(name)} {kind}" for name, kind in kinds.items())
    rows = people.astype(object).where(people.notna(), None).to_dict("records")
    copied = "\n".join(
        "\t".join("\\N" if v is None else str(v).replace("\\", "\\\\") for v in row.values()) for row in rows
    )
    script = (
        f'create temp table "the people" (place serial, {columns});\n'
        f'copy "the people" ({", ".join(map(quoted, kinds))}) from stdin;\n{copied}\n\\.\n{query};\n'
    )
    done = subprocess.run(psql, input=script, capture_output=True, text=True, check=False, cwd="/")
    assert done.returncode == 0, done.stderr
    assert "ERROR" not in done.stderr
    return done.stdout.splitlines()


def test_postgresql_gives_the_same_scores_and_none_to_whom_it_cannot_score(postgres: list[str]) -> None:
    query = card_to_dialect(CARD, "the people", "postgres")
    assert list(map(int, in_postgres(postgres, PEOPLE, query))) == SCORES.tolist()
    odd = PEOPLE.iloc[:4].copy()
    odd["income"] = ["NaN", "Infinity", 1.0, "-Infinity"]
    odd["home"] = ["own", "own", "boat", "own"]
    odd[["code", ODD]] = 0.0
    expected = CARD.scores(CARD.bins(odd.iloc[:1].assign(income=np.nan)))[0]
    assert in_postgres(postgres, odd, query) == [str(expected), "", "", ""]


@pytest.mark.parametrize("dialect", ["spark", "bigquery"])
def test_sql_of_other_databases_parses_and_means_the_same(dialect: str) -> None:
    """Neither runs here: the text is read back as that dialect, and DuckDB plays what was read."""
    sqlglot, duckdb = pytest.importorskip("sqlglot"), pytest.importorskip("duckdb")
    text = card_to_dialect(CARD, "the people", dialect)
    assert "`" in text
    assert "isinf" not in text.lower()  # Spark has no such function, and BigQuery's is IS_INF
    back = sqlglot.transpile(text, read=dialect, write="duckdb")[0]
    connection = duckdb.connect()
    connection.register("the people", PEOPLE)
    np.testing.assert_array_equal(connection.execute(back).fetchnumpy()["score"], SCORES)


def test_unknown_dialects_are_refused() -> None:
    with pytest.raises(ParameterError, match="bigquery"):
        card_to_dialect(CARD, "people", "cobol")
    assert set(DIALECTS) == {"duckdb", "postgres", "spark", "bigquery"}


def play_sas(program: str, person: dict[str, object]) -> float:
    """Play the statements of a data step for one person: ``if``, ``else if``, ``else`` and sums; None = missing."""

    def cell(name: str) -> object:
        value = person[name[1:-2].replace("''", "'") if name.endswith("'n") else name]
        return None if value is None or value != value else value

    def literals(text: str) -> list[str]:
        return [word.replace("''", "'") for word in re.findall(r"'((?:[^']|'')*)'", text)]

    points: dict[str, float | None] = {}
    quoted = r"(?:'(?:[^']|'')*'n|\w+)"
    for line in program.splitlines():
        line = line.strip()
        if found := re.fullmatch(rf"if missing\(({quoted})\) then (points_\d+) = (-?\d+);", line):
            done = cell(found[1]) is None
            if done:
                points[found[2]] = float(found[3])
        elif found := re.fullmatch(rf"else if ({quoted}) < (\S+) then (points_\d+) = (-?\d+);", line):
            if not done and (done := float(str(cell(found[1]))) < float(found[2])):
                points[found[3]] = float(found[4])
        elif found := re.fullmatch(rf"else if strip\(({quoted})\) in \((.*)\) then (points_\d+) = (-?\d+);", line):
            if not done and (done := cell(found[1]) in literals(found[2])):
                points[found[3]] = float(found[4])
        elif found := re.fullmatch(r"else (points_\d+) = (-?\d+|\.);", line):
            if not done:
                points[found[1]] = None if found[2] == "." else float(found[2])
        elif found := re.fullmatch(r"score = (-?\d+)((?: \+ points_\d+)+);", line):
            parts = [points[name] for name in found[2].split(" + ")[1:]]
            total = None if None in parts else float(found[1]) + sum(parts)
        elif found := re.fullmatch(
            r"if not missing\(score\) then score = min\((-?\d+), max\((-?\d+), score\)\);", line
        ):
            total = total if total is None else min(float(found[1]), max(float(found[2]), total))
        else:
            assert re.fullmatch(r"/\*.*\*/|options validvarname=any;|data \w+;|set \w+;|run;", line), line
    return float("nan") if total is None else total


def test_the_sas_data_step_says_what_the_card_says() -> None:
    """A structural check alone: there is no SAS here."""
    program = card_to_sas(CARD)
    played = [play_sas(program, row) for row in PEOPLE.to_dict("records")]
    np.testing.assert_array_equal(played, SCORES)
    boat = PEOPLE.iloc[0].to_dict() | {"home": "boat"}
    assert np.isnan(play_sas(program, boat))


def test_an_unlisted_category_scores_as_the_card_says_in_sas_and_excel() -> None:
    c = Characteristic("home", points=(40, -15, -2, 3), groups=(("own",), ("rent",), ()), other=2)
    card = Card((c,), base=590)
    boat = pd.DataFrame({"home": ["boat"]})
    assert play_sas(card_to_sas(card), {"home": "boat"}) == card.scores(card.bins(boat))[0] == 588
    assert f"=0,{c.points[2]}," in excel_formulas(card)[0]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("x" * 33, "a SAS name has 1 to 32 bytes"),
        ("score", "'score' would clash with a column"),
        ("points_1", "'points_1' would clash with a column"),
        ("two\nlines", "a name with a line break"),
    ],
)
def test_names_that_sas_cannot_hold_are_refused(name: str, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        card_to_sas(Card((Characteristic(name, points=(4, 1)),), 590))


def test_excel_formulas_give_the_same_scores(tmp_path: Path) -> None:
    """Calculated by the library `formulas`, which reads the workbook as Excel would."""
    pytest.importorskip("openpyxl")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        formulas = pytest.importorskip("formulas")
        people = draw(40, near=False)
        people.loc[3, "home"] = "boat"
        (tmp_path / "card.xlsx").write_bytes(card_to_excel(CARD, people, rows=1))
        book = formulas.ExcelModel().loads(str(tmp_path / "card.xlsx")).finish().calculate()
    found = [book[f"'[card.xlsx]PEOPLE'!L{row}"].value[0, 0] for row in range(3, 3 + len(people) + 1)]
    assert str(found.pop(3)) == "#N/A"  # an unknown category
    empty = pd.DataFrame({name: [None] for name in CARD.features})
    expected = [*CARD.scores(CARD.bins(people.drop(3))), CARD.scores(CARD.bins(empty))[0]]
    np.testing.assert_array_equal(np.array(found, float), expected)


def excel_formulas(card: Card) -> list[str]:
    import io

    openpyxl = pytest.importorskip("openpyxl")
    sheet = openpyxl.load_workbook(io.BytesIO(card_to_excel(card, rows=1)))["People"]
    return [cell.value for cell in sheet[3] if str(cell.value).startswith("=")]


def test_excel_takes_a_name_that_looks_like_a_formula_as_text() -> None:
    openpyxl = pytest.importorskip("openpyxl")
    import io

    name = '=HYPERLINK("x")'
    card = Card((Characteristic(name, points=(4, 1, 2), groups=(("=1+1",), ("@SUM(A1)",))),), 590)
    book = openpyxl.load_workbook(io.BytesIO(card_to_excel(card)))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells if cell.value in (name, "=1+1", "@SUM(A1)")} == {"s"}
    with pytest.raises(ParameterError, match="control"):
        card_to_excel(Card((Characteristic("a\0b", points=(4, 1)),), 590))


def test_optbinning_scores_alike_and_comes_back() -> None:
    pytest.importorskip("optbinning")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = to_optbinning(CARD)
        totals = CARD.totals(CARD.bins(PEOPLE))
        np.testing.assert_array_equal(theirs.score(PEOPLE), totals)
        back = from_optbinning(theirs)
    np.testing.assert_array_equal(back.totals(back.bins(PEOPLE)), totals)
    with pytest.raises(DataError, match="'home', row 0: a category that the scorecard does not know"):
        back.bins(PEOPLE.assign(home="boat"))
