"""Files of real people: what is read, and each refusal beside the file that it spoils."""

import gzip
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from blindscore.errors import DataError, SchemaError
from blindscore.people.files.cells import canonical
from blindscore.people.files.loaders import load_people, load_schema

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
SCHEMAS = sorted((ROOT / "examples" / "schemas").glob("*.toml"))

SCHEMA = """
title = "Twelve people"
[target]
column = "bad"
bad = ["1"]
good = ["0"]
[[features]]
name = "income"
source = "bank"
required = true
[[features]]
name = "debt"
source = "bureau"
unit = "EUR"
[[features]]
name = "job"
kind = "category"
[[sensitive]]
name = "sex"
labels = { 1 = "male", 2 = "female" }
[[sensitive]]
name = "age_band"
column = "age"
bands = [30, 50]
[[register]]
name = "region"
[history]
column = "year"
past = ["2014"]
"""


def person(k: int) -> str:
    job = "cook" if k % 2 else "smith"
    return f"{1000 + k},{k * 2.5},{job},{1 + k % 2},{20 + 5 * k},north,{2014 + k % 2},{int(k % 4 < 2)}"


ROWS = ["income,debt,job,sex,age,region,year,bad", *(person(k) for k in range(12))]
GOOD = "\n".join(ROWS) + "\n"


@pytest.fixture
def load(tmp_path: Path) -> Callable:
    def load(data: str | bytes = GOOD, schema: str | bytes = SCHEMA, name: str = "people.csv"):
        (tmp_path / name).write_bytes(data if isinstance(data, bytes) else data.encode())
        (tmp_path / "schema.toml").write_bytes(schema if isinstance(schema, bytes) else schema.encode())
        return load_people(tmp_path / name, tmp_path / "schema.toml")

    return load


def spoil(row: int, column: str, value: str) -> str:
    """The good file with one cell changed; row 1 is the first person."""
    rows = [line.split(",") for line in ROWS]
    rows[row][rows[0].index(column)] = value
    return "\n".join(",".join(r) for r in rows) + "\n"


def test_a_good_file_is_read_as_its_schema_says(load: Callable) -> None:
    people = load()
    assert len(people) == 12
    assert people.features["income"].tolist() == [1000.0 + k for k in range(12)]
    assert people.features["job"].tolist() == ["smith", "cook"] * 6
    assert people.default.tolist() == [True, True, False, False] * 3
    assert people.sensitive["sex"].tolist() == ["male", "female"] * 6
    assert people.sensitive["age_band"].tolist() == ["below 30"] * 2 + ["30 to below 50"] * 4 + ["50 and above"] * 6
    assert people.history.tolist() == [True, False] * 6
    assert people.register.columns.tolist() == ["legal_id", "region"]
    assert people.schema["debt"].source == "bureau"
    assert people.schema["debt"].unit == "EUR"
    assert not people.synthetic
    assert people.name.startswith("people.csv (sha256 ")


def test_compressed_and_parquet_copies_hold_the_same_people(load: Callable, tmp_path: Path) -> None:
    plain = load()
    packed = load(gzip.compress(GOOD.encode()), name="people.csv.gz")
    pd.read_csv(tmp_path / "people.csv").to_parquet(tmp_path / "people.parquet")
    columns = load_people(tmp_path / "people.parquet", tmp_path / "schema.toml")
    assert plain.fingerprint == packed.fingerprint == columns.fingerprint


def test_missing_values_are_kept_where_they_are_allowed(load: Callable) -> None:
    for empty in ("", "nan", "NaN"):
        people = load(spoil(3, "debt", empty))
        assert np.flatnonzero(people.features["debt"].isna()).tolist() == [2]
    assert load(spoil(3, "job", "")).features["job"].isna().sum() == 1
    assert load(spoil(3, "sex", "")).sensitive["sex"].isna().tolist() == [k == 2 for k in range(12)]
    with_dash = load(spoil(3, "debt", "-"), 'missing = ["", "-"]\n' + SCHEMA)
    assert with_dash.features["debt"].isna().sum() == 1


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(load: Callable) -> None:
    marked = load(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert marked.fingerprint == load().fingerprint


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (spoil(4, "debt", "SECRET"), "'debt', line 5: not a number"),
        (spoil(4, "debt", "inf"), "'debt', line 5: infinite"),
        (spoil(4, "debt", "-Infinity"), "'debt', line 5: infinite"),
        (spoil(4, "debt", "1e999"), "'debt', line 5: infinite"),
        (spoil(4, "income", ""), "'income', line 5: required but missing"),
        (spoil(4, "income", "nan"), "'income', line 5: required but missing"),
        (spoil(4, "sex", "SECRET"), "'sex', line 5: a code without a label"),
        (spoil(4, "age", "SECRET"), "'age', line 5: not a number"),
        (spoil(4, "bad", ""), "'bad', line 5: the outcome is missing"),
        (spoil(4, "bad", "SECRET"), "'bad', line 5: an outcome neither bad nor good"),
        (spoil(4, "debt", "1,2"), "line 5 has 9 cells where the header has 8"),
        ("\n".join([*ROWS[:5], "1,2"]) + "\n", "line 6 has 2 cells where the header has 8"),
        (GOOD.replace("debt", "deb"), "columns missing: debt (did you mean 'deb'?)"),
        (GOOD.replace("region", "debt"), "columns occur twice: debt"),
        (ROWS[0] + "\n", "no people"),
        ("", "empty file"),
        (" \n\n", "empty file"),
        (GOOD.replace("cook", "c\xf4ok").encode("latin-1"), "not UTF-8 on line 3"),
        (("caf\xe9," + GOOD).encode("latin-1"), "not UTF-8 on line 1"),
        ("x" * (1 << 20) + "," + GOOD, "header row is over"),
        (",".join(f"c{k}" for k in range(10_001)) + "\n", "10,001 columns"),
        ('"' + GOOD, "malformed header"),
        ("\n".join(line[:-1] + "0" for line in ROWS[1:]).join([ROWS[0] + "\n", "\n"]), "one class only (none bad)"),
        ("\n".join(line[:-1] + "1" for line in ROWS[1:]).join([ROWS[0] + "\n", "\n"]), "one class only (all bad)"),
        (GOOD.replace(",2015,", ",2014,"), "the others (0 people) lack bad or good outcomes"),
    ],
)
def test_a_spoilt_file_is_refused_with_its_place_and_without_its_values(
    load: Callable, data: str | bytes, said: str
) -> None:
    load()  # the twin that is accepted
    with pytest.raises(DataError, match=re.escape(said)) as refusal:
        load(data)
    assert "people.csv" in str(refusal.value)
    assert "SECRET" not in str(refusal.value)


def test_a_secret_of_one_class_is_refused(load: Callable) -> None:
    schema = SCHEMA.replace("bands = [30, 50]", "bands = [10]")
    with pytest.raises(DataError, match="secret 'age_band' has 1 classes"):
        load(schema=schema)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('title = "Twelve people"', "title = "), "not valid TOML"),
        (('title = "Twelve people"', "titel = 1"), "unknown key 'titel'; did you mean 'title'?"),
        (('title = "Twelve people"', "title = 1"), "'title' must be a text"),
        (('unit = "EUR"', 'units = "EUR"'), "[[features]] number 2: unknown key 'units'; did you mean 'unit'?"),
        (('column = "bad"', ""), "[target]: key 'column' is missing"),
        (('bad = ["1"]', "bad = []"), "'bad' must be a list"),
        (('bad = ["1"]', 'bad = "1"'), "'bad' must be a list"),
        (('good = ["0"]', 'good = ["1"]'), "both as bad and as good"),
        (('name = "debt"', 'name = "income"'), "[[features]] names income twice"),
        (('name = "debt"', 'name = "bad"'), "the outcome 'bad' is also listed as a feature"),
        (('kind = "category"', 'kind = "text"'), "'kind' must be"),
        (("required = true", 'required = "yes"'), "'required' must be true or false"),
        (("bands = [30, 50]", "bands = [50, 30]"), "finite and increasing"),
        (("bands = [30, 50]", "bands = [inf]"), "finite and increasing"),
        (("bands = [30, 50]", 'bands = ["a"]'), "list of numbers"),
        (("bands = [30, 50]", 'bands = [30]\nlabels = { 1 = "x" }'), "not both"),
        (("labels = { 1", "labels = { 0 = 1, 1"), "'labels' must map codes to texts"),
        (("[[register]]", "[register]"), "'register' must be a list of tables"),
        (("[history]", "[[history]]"), "'history' must be a table"),
        (('column = "year"', "seed = 1"), "'past' and 'before' need 'column'"),
        (('past = ["2014"]', 'past = ["2014"]\nseed = 3'), "or 'seed'"),
        (('name = "region"', 'name = "legal_id"'), "choose another name"),
    ],
)
def test_a_spoilt_schema_is_refused(load: Callable, change: tuple[str, str], said: str) -> None:
    assert change[0] in SCHEMA
    with pytest.raises(SchemaError, match=re.escape(said)) as refusal:
        load(schema=SCHEMA.replace(change[0], change[1], 1))
    assert "schema.toml" in str(refusal.value)


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        (b"\xff\xfe", "not UTF-8"),
        (b"# " + b"x" * (1 << 20), "over"),
        (b"[[features]]\nname = 'income'\n", "[target] is missing"),
        (b"[target]\ncolumn = 'bad'\nbad = [1]\n", "no [[features]]"),
        (SCHEMA.encode() + b"[friends]\nfile = 'friends.csv'\n", "say which column holds it: legal_id"),
        (b"legal_id = 'id'\n[friends]\nfile = '../friends.csv'\n", "without a folder"),
        (b"legal_id = 'id'\n[friends]\nfile = 'f.csv'\nends = ['a']\n", "'ends' must be two columns"),
        (b"legal_id = 'id'\n[visits]\nfile = 'v.csv'\nhour = 'person'\n", "stand in three columns"),
        (b"a = " + b"[" * 5_000, "not valid TOML"),
    ],
)
def test_hostile_schema_files_are_refused(load: Callable, schema: bytes, said: str) -> None:
    with pytest.raises(SchemaError, match=re.escape(said)):
        load(schema=schema)


def test_absent_unknown_and_damaged_files_are_refused(load: Callable, tmp_path: Path) -> None:
    load()
    schema = tmp_path / "schema.toml"
    with pytest.raises(SchemaError, match="cannot read"):
        load_schema(tmp_path / "none.toml")
    with pytest.raises(DataError, match="cannot be read"):
        load_people(tmp_path / "none.csv", schema)
    with pytest.raises(DataError, match="cannot be read"):
        load_people(tmp_path / "none.parquet", schema)
    with pytest.raises(DataError, match="unknown kind of file"):
        load(name="people.xlsx")
    with pytest.raises(DataError, match="damaged gzip"):
        load(gzip.compress(GOOD.encode())[:-20], name="cut.csv.gz")
    with pytest.raises(DataError, match="damaged gzip"):
        load(GOOD, name="plain.csv.gz")
    with pytest.raises(DataError, match="not a readable Parquet file"):
        load(GOOD, name="text.parquet")


def test_parquet_columns_of_other_types_are_refused(load: Callable, tmp_path: Path) -> None:
    load()
    table = pd.read_csv(tmp_path / "people.csv")
    table["debt"] = pd.Timestamp("2014-05-01")
    table.to_parquet(tmp_path / "dates.parquet")
    with pytest.raises(DataError, match="'debt': a number needed, found timestamp"):
        load_people(tmp_path / "dates.parquet", tmp_path / "schema.toml")
    table.iloc[:0].assign(debt=1.0).to_parquet(tmp_path / "nobody.parquet")
    with pytest.raises(DataError, match="no people"):
        load_people(tmp_path / "nobody.parquet", tmp_path / "schema.toml")


def test_legal_ids_are_read_and_must_be_unique(load: Callable) -> None:
    schema = 'legal_id = "income"\n' + SCHEMA
    assert load(schema=schema).register["legal_id"].tolist() == [str(1000 + k) for k in range(12)]
    with pytest.raises(DataError, match="'income', line 3: a legal id repeats"):
        load(spoil(2, "income", "1000"), schema)


def test_the_seeded_half_is_the_same_again_and_moves_with_the_seed(load: Callable) -> None:
    halves = [SCHEMA[: SCHEMA.index("[history]")] + f"[history]\nseed = {seed}\n" for seed in (1, 1, 2)]
    first, again, other = (load(schema=schema).history for schema in halves)
    assert first.sum() == 6
    assert first.tolist() == again.tolist() != other.tolist()


@pytest.mark.parametrize(
    ("text", "code"), [("1.0", "1"), (" 2 ", "2"), ("-3.00", "-3"), ("1.5", "1.5"), ("a.0", "a.0")]
)
def test_equal_codes_have_one_spelling(text: str, code: str) -> None:
    assert canonical(text) == code


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda p: p.stem)
def test_the_example_schemas_fit_their_files(path: Path) -> None:
    file = DATA / f"{path.stem}.csv.gz"
    if not file.exists():
        pytest.skip(f"{file.name} is not here: put the public data set beside the checkout, in shared/data")
    people = load_people(file, path)
    assert len(people) > 500
    assert 0.02 < people.default.mean() < 0.8
    assert not set(people.sensitive) & set(people.features)
    assert not set(people.sensitive) & set(people.register)


def test_german_codes_carry_sex_and_marital_status() -> None:
    file = DATA / "german_credit.csv.gz"
    if not file.exists():
        pytest.skip("german_credit.csv.gz is not here: put the public data set beside the checkout, in shared/data")
    people = load_people(file, ROOT / "examples" / "schemas" / "german_credit.toml")
    raw = pd.read_csv(file)["personal_status_sex"]
    assert (people.sensitive["sex"] == "female").tolist() == raw.isin(["A92", "A95"]).tolist()
    assert (people.sensitive["marital_status"] == "single").tolist() == raw.isin(["A93", "A95"]).tolist()


TIED = f"legal_id = 'who'\n{SCHEMA}[friends]\nfile = 'friends.csv'\n[visits]\nfile = 'visits.csv'\n"
WHO = "\n".join(f"{line},{'who' if k == 0 else f'p{k}'}" for k, line in enumerate(ROWS)) + "\n"
TIES = "a,b\np1,p2\np2,p1\np3,p3\np2,p9\np1,stranger\n"
SEEN = "person,hour,place\np2,30,school\np1,5,home\nstranger,1,home\np1,200,school\n"


@pytest.fixture
def tied(load: Callable, tmp_path: Path) -> Callable:
    def tied(ties: str = TIES, seen: str = SEEN, schema: str = TIED):
        (tmp_path / "friends.csv").write_text(ties)
        (tmp_path / "visits.csv").write_text(seen)
        return load(WHO, schema)

    return tied


def test_friends_and_visits_are_read_from_tables_beside_the_file(tied: Callable) -> None:
    people = tied()
    assert people.friends.tolist() == [[0, 1], [1, 8]]  # each tie once, nobody's with itself, no stranger's
    assert people.visits["person"].tolist() == [0, 0, 1]
    assert people.visits["hour"].tolist() == [5, 200, 30]
    places = people.visits["place"].tolist()
    assert places[1] == places[2] != places[0]  # one name, one place


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"ties": "a,b\np1,stranger\n"}, "no tie joins two people of people.csv"),
        ({"ties": "a,c\np1,p2\n"}, "columns missing: b"),
        ({"seen": "person,hour,place\nstranger,1,home\n"}, "sees nobody of people.csv"),
        ({"seen": "person,hour,place\np1,-1,home\n"}, "'hour', line 2: whole hours"),
        ({"seen": "person,hour,place\np1,1.5,home\n"}, "'hour', line 2: whole hours"),
        ({"seen": "person,hour,place\np1,1,\n"}, "'place', line 2: a place is missing"),
    ],
)
def test_spoilt_tables_of_friends_and_visits_are_refused(tied: Callable, changes: dict, said: str) -> None:
    with pytest.raises(DataError, match=re.escape(said)):
        tied(**changes)


def test_people_of_whom_no_outcome_is_known_get_a_stand_in_that_says_so(load: Callable, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    wealth = rng.normal(size=1000)
    rows = [f"{100 + w + rng.normal() / 3:.3f},{w + rng.normal() / 3:.3f},{rng.integers(2)}" for w in wealth]
    (tmp_path / "people.csv").write_text("\n".join(["income,savings,sex", *rows]) + "\n")
    (tmp_path / "schema.toml").write_text(
        "[[features]]\nname = 'income'\n[[features]]\nname = 'savings'\n[[sensitive]]\nname = 'sex'\n"
    )
    with pytest.raises(SchemaError, match=re.escape("[target] is missing")):
        load_people(tmp_path / "people.csv", tmp_path / "schema.toml")
    people = load_people(tmp_path / "people.csv", tmp_path / "schema.toml", needs_outcome=False)
    assert people.stand_in
    assert people.default.sum() == 200
    assert abs(wealth[people.default].mean() - wealth[~people.default].mean()) > 0.7  # what the figures have in common
    again = load_people(tmp_path / "people.csv", tmp_path / "schema.toml", needs_outcome=False)
    assert (people.default == again.default).all()
    assert not load().stand_in


def test_people_without_figures_are_known_by_their_ties(tied: Callable) -> None:
    bare = "legal_id = 'who'\n[friends]\nfile = 'friends.csv'\n[[sensitive]]\nname = 'sex'\n"
    with pytest.raises(SchemaError, match=re.escape("[target] is missing")):
        tied(schema=bare)
    people = tied(schema=bare + "[target]\ncolumn = 'bad'\nbad = ['1']\n")
    assert people.features.columns.tolist() == ["ties"]
    assert people.features["ties"].tolist() == [1.0, 2.0, *[0.0] * 6, 1.0, *[0.0] * 3]
