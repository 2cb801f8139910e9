"""The same people in any kind of file and any type of column get the same scores; nothing is told that is not so."""

from __future__ import annotations

import gzip
import io
import itertools
import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import csv as arrow_csv
from pyarrow import feather, parquet

from blindscore.errors import DataError
from blindscore.people.files.blocks import Ask, blocks
from blindscore.people.files.cells import MISSING, canonical
from blindscore.people.files.kinds import KINDS
from blindscore.scorecard.card import Card, Characteristic
from blindscore.scorecard.forms.json import save_card
from blindscore_app.files.people import wanted
from blindscore_app.files.score_file import score_file
from tests.app.conftest import Answer, Run, leftovers

A = Characteristic("a", (-40, 10, 25, 70, -9), (0.0, 1.25, 30.0))
B = Characteristic("b", (3, 17, -31, 101), (-0.5, 2.0))
JOB = Characteristic("job", (11, 5, 60, -20), groups=(("1", "true"), ("0", "false"), ("cook", "1.5")), other=1)
CARD = Card((A, B, JOB), 600)
GAPS = [*sorted(MISSING), " ", "    ", " NA ", "\t"]
NUMBERS = [-3.0, 0.0, 0.5, 1.25, 2.0, 31.0]


@pytest.fixture
def card(tmp_path: Path) -> Path:
    save_card(CARD, tmp_path / "card.json")
    return tmp_path / "card.json"


def scores(path: Path, people: Card = CARD, **options: Any) -> list[int]:
    """Score a file by the code that the command runs."""
    out = path.with_name("scores.parquet")
    score_file(path, wanted(people, **options), out, KINDS[".parquet"])
    return list(parquet.read_table(out)["score"].to_pylist())


def expected(card: Card, *columns: list[Any]) -> list[int]:
    """What the plain definition gives: None is missing, a text that no group lists has the bin of every other."""
    found = []
    for values in zip(*columns, strict=True):
        total = card.base
        for c, value in zip(card.characteristics, values, strict=True):
            if value is None:
                place = c.n_bins - 1
            elif c.groups is None:
                place = sum(value >= edge for edge in c.edges)
            else:
                place = next((k for k, group in enumerate(c.groups) if value in group), c.other or 0)
            total += c.points[place]
        found.append(min(max(total, card.scale.low), card.scale.high))
    return found


@pytest.mark.parametrize("gap", GAPS)
def test_a_word_for_missing_is_a_gap_beside_a_clean_column_of_decimals(tmp_path: Path, gap: str) -> None:
    """The case that ended in a traceback: one column falls to the text path, the other has no gap."""
    people = tmp_path / "p.csv"
    people.write_text(f"a,b\n0.5,1\n1.25,{gap}\n")
    assert scores(people, Card((A, B), 600)) == expected(Card((A, B), 600), [0.5, 1.25], [1.0, None])


@pytest.mark.parametrize("word", ["?", "much", "1_000", "0x10", "1,5"])
def test_a_word_that_nobody_declared_is_refused_at_its_line_and_a_declared_one_is_a_gap(
    tmp_path: Path, word: str
) -> None:
    people, schema = tmp_path / "p.csv", tmp_path / "s.toml"
    people.write_text(f'a,b\n0.5,1\n\n1.25,"{word}"\n')
    small = Card((A, B), 600)
    with pytest.raises(DataError, match="column 'b', line 4: not a number") as refusal:
        scores(people, small)
    assert word not in str(refusal.value).removeprefix(str(people))
    features = "".join(f'[[features]]\nname = "{name}"\n' for name in "ab")
    schema.write_text(f'missing = ["{word}"]\n[target]\ncolumn = "bad"\nbad = [1]\n{features}')
    assert scores(people, small, schema=schema) == expected(small, [0.5, 1.25], [1.0, None])


def test_a_number_declared_as_missing_is_a_gap_in_every_type(tmp_path: Path) -> None:
    schema, small = tmp_path / "s.toml", Card((A, B), 600)
    features = "".join(f'[[features]]\nname = "{name}"\n' for name in "ab")
    schema.write_text(f'missing = [-999, "?"]\n[target]\ncolumn = "bad"\nbad = [1]\n{features}')
    right = expected(small, [None, 0.5, 1.25], [1.0, None, 3.0])
    for kind in (pa.float64(), pa.float32(), pa.string(), pa.decimal128(9, 3)):
        exact = pa.types.is_floating(kind)  # Arrow's own cast of decimals to floats is not to the nearest
        cells = [-999.0, 0.5, 1.25] if exact else [Decimal("-999.000"), Decimal("0.500"), Decimal("1.250")]
        plain = pa.array(list(map(str, cells)) if pa.types.is_string(kind) else cells, kind)
        table = pa.table({"a": plain, "b": pa.array([1, -999, 3])})
        for end in ("parquet", "csv"):
            assert scores(write(table, tmp_path / f"p.{end}"), small, schema=schema) == right
    (tmp_path / "p.csv").write_text("a,b\n?,1\n0.5, -999 \n1.25,3\n")
    assert scores(tmp_path / "p.csv", small, schema=schema) == right


NUMERIC: dict[str, Callable[[list[Any]], pa.Array]] = {
    "double": lambda v: pa.array(v, pa.float64()),
    "float": lambda v: pa.array(v, pa.float32()),
    "int64": lambda v: pa.array([None if x is None else int(x) for x in v], pa.int64()),
    "uint8 where it can": lambda v: pa.array([None if x is None else abs(int(x)) for x in v], pa.uint8()),
    "bool": lambda v: pa.array([None if x is None else x > 1 for x in v]),
    "string": lambda v: pa.array([None if x is None else repr(x) for x in v], pa.string()),
    "large string": lambda v: pa.array(["NULL" if x is None else f" {x!r} " for x in v], pa.large_string()),
    "string view": lambda v: pa.array(["" if x is None else repr(x) for x in v], pa.string_view()),
    "binary": lambda v: pa.array([None if x is None else repr(x).encode() for x in v], pa.binary()),
    "dictionary of strings": lambda v: pa.array(
        [None if x is None else repr(x) for x in v], pa.string()
    ).dictionary_encode(),
    "dictionary of doubles": lambda v: pa.array(v, pa.float64()).dictionary_encode(),
    "decimal128": lambda v: pa.array([None if x is None else Decimal(repr(x)) for x in v], pa.decimal128(9, 3)),
    "null": lambda v: pa.nulls(len(v)),
    "all missing": lambda v: pa.nulls(len(v), pa.string()),
}
CATEGORIES: dict[str, Callable[[list[Any]], pa.Array]] = {
    "words": lambda v: pa.array(v, pa.string()),
    "words and NA": lambda v: pa.array(["NA" if x is None else x for x in v]),
    "dictionary": lambda v: pa.array(v, pa.string()).dictionary_encode(),
    "bool": lambda v: pa.array([None if x is None else x in ("1", "true") for x in v]),
    "int64": lambda v: pa.array([None if x is None else 1 if x in ("1", "true") else 0 for x in v], pa.int64()),
    "double": lambda v: pa.array([None if x is None else 1.0 if x in ("1", "true") else 1.5 for x in v]),
    "null": lambda v: pa.nulls(len(v)),
}


def in_card(array: pa.Array, category: bool) -> list[Any]:
    """What the cells of an Arrow column mean, said by Python's own conversions."""
    values = array.to_pylist()
    if category:
        texts = [None if v is None else str(v).lower() if isinstance(v, bool) else str(v) for v in values]
        return [None if t in (None, "NA") else t.removesuffix(".0") for t in texts]
    plain = [v.decode() if isinstance(v, bytes) else v for v in values]
    plain = [v.strip() if isinstance(v, str) else v for v in plain]
    return [None if v in (None, "", "NULL") else float(v) for v in plain]


def write(table: pa.Table, path: Path) -> Path:
    if path.suffix == ".parquet":
        views = [f.name for f in table.schema if pa.types.is_string_view(f.type)]
        schema = table.schema
        for name in views:  # written as text by pyarrow's writer as well
            schema = schema.set(schema.get_field_index(name), pa.field(name, pa.string()))
        parquet.write_table(table.cast(schema), path)
    elif path.suffix == ".feather":
        feather.write_feather(table, path)
    else:
        plain = [c.combine_chunks() for c in table.columns]
        plain = [c.dictionary_decode() if pa.types.is_dictionary(c.type) else c for c in plain]
        plain = [c.cast(pa.string()) if pa.types.is_string_view(c.type) else c for c in plain]
        arrow_csv.write_csv(pa.table(plain, table.column_names), path)
    return path


def check_alike(folder: Path, columns: dict[str, pa.Array], *kinds: str) -> None:
    """CSV, Parquet and Feather of the same columns score as the plain definition says."""
    right = expected(CARD, *(in_card(array, name == "job") for name, array in columns.items()))
    for end in ("parquet", "csv", "feather"):
        assert scores(write(pa.table(columns), folder / f"p.{end}")) == right, (end, kinds)


@pytest.mark.parametrize("first", NUMERIC)
def test_every_pair_of_column_types_scores_alike_in_every_kind_of_file(tmp_path: Path, first: str) -> None:
    values, jobs = [None, 0.5, 31.0, -3.0, 1.25], ["1", None, "cook", "0", "boat"]
    for second, category in zip(NUMERIC, itertools.cycle(CATEGORIES), strict=False):
        columns = {
            "a": NUMERIC[first](values),
            "b": NUMERIC[second](values[::-1]),
            "job": CATEGORIES[category](jobs),
        }
        check_alike(tmp_path, columns, first, second)


numeric = st.lists(st.one_of(st.none(), st.sampled_from(NUMBERS)), min_size=3, max_size=3)
some_jobs = st.lists(st.sampled_from([None, "1", "0", "cook", "boat", "true"]), min_size=3, max_size=3)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    a=numeric,
    b=numeric,
    job=some_jobs,
    kinds=st.tuples(*map(st.sampled_from, (list(NUMERIC), list(NUMERIC), list(CATEGORIES)))),
)
def test_any_people_score_alike_in_every_kind_of_file(
    tmp_path: Path, a: list[Any], b: list[Any], job: list[Any], kinds: tuple[str, str, str]
) -> None:
    columns = {"a": NUMERIC[kinds[0]](a), "b": NUMERIC[kinds[1]](b), "job": CATEGORIES[kinds[2]](job)}
    check_alike(tmp_path, columns, *kinds)


def test_a_truth_value_is_the_same_category_in_every_type(tmp_path: Path) -> None:
    for levels in (("true", "false"), ("True", "False"), ("1", "0")):
        small = Card((Characteristic("job", (50, 5, -20), groups=((levels[0],), (levels[1],))),), 600)
        right = expected(small, [levels[0], levels[1], None])
        assert scores(write(pa.table({"job": pa.array([True, False, None])}), tmp_path / "p.parquet"), small) == right
        if levels[0] == "1":
            continue  # a text "True" is no text "1"
        (tmp_path / "p.csv").write_text("job\nTrue\nFALSE\n\n")
        assert scores(tmp_path / "p.csv", small) == right


def test_a_word_that_the_card_lists_is_that_category_and_no_gap(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("job\nNone\nNA\n")
    small = Card((Characteristic("job", (50, 5, -20), groups=(("None",), ("some",))),), 600)
    assert scores(tmp_path / "p.csv", small) == [650, 580]


IDS = {
    "int64 with a gap": pa.array([9007199254740995, None, 101]),
    "uint64": pa.array([2**64 - 1, None, 0], pa.uint64()),
    "string with zeros": pa.array(["007", None, " 7.0"]),
    "dictionary": pa.array(["007", None, "7"]).dictionary_encode(),
    "date": pa.array([18000, None, 1], pa.int32()).cast(pa.date32()),
    "decimal": pa.array([Decimal("12345678901234567890.10"), None, Decimal(1)], pa.decimal128(22, 2)),
    "null": pa.nulls(3),
}


@pytest.mark.parametrize("ids", IDS)
def test_an_id_is_carried_over_in_its_own_type(tmp_path: Path, card: Path, run: Run, ids: str) -> None:
    table = pa.table({"who": IDS[ids], "a": [1.0, 2.0, 3.0], "b": [1, 2, 3], "job": ["1", "0", "1"]})
    people, out = write(table, tmp_path / "p.parquet"), tmp_path / "s.parquet"
    assert run("score", card, people, "--out", out, "--id", "who").status == 0
    assert parquet.read_table(out)["who"].to_pylist() == IDS[ids].to_pylist()
    assert run("score", card, people, "--out", tmp_path / "s.csv", "--id", "who").status == 0
    text = [line.split(",")[1].strip('"') for line in (tmp_path / "s.csv").read_text().splitlines()[1:]]
    assert text == ["" if value is None else str(value) for value in IDS[ids].to_pylist()]


def test_an_id_of_a_csv_file_is_its_text(tmp_path: Path, card: Path, run: Run) -> None:
    (tmp_path / "p.csv").write_text("who,a,b,job\n9007199254740995,1,2,1\n,1,2,1\n007,1,2,1\nNA,1,2,1\n1.0,1,2,1\n")
    assert run("score", card, tmp_path / "p.csv", "--out", tmp_path / "s.parquet", "--id", "who").status == 0
    found = parquet.read_table(tmp_path / "s.parquet")["who"].to_pylist()
    assert found == ["9007199254740995", "", "007", "NA", "1.0"]


def test_an_id_of_several_values_is_refused(tmp_path: Path, card: Path, run: Run) -> None:
    table = pa.table({"who": [[1], [2]], "a": [1.0, 2.0], "b": [1, 2], "job": ["1", "0"]})
    answer = run("score", card, write(table, tmp_path / "p.parquet"), "--out", tmp_path / "s.csv", "--id", "who")
    assert answer.refused()
    assert "one value a person" in answer.err


def test_codes_beyond_floats_stay_apart(tmp_path: Path) -> None:
    codes = [2**53, 2**53 + 1, None]
    small = Card((Characteristic("job", (50, 5, -20), groups=((str(codes[0]),), (str(codes[1]),))),), 600)
    table = pa.table({"job": pa.array(codes, pa.int64())})
    for end in ("parquet", "csv"):
        assert scores(write(table, tmp_path / f"p.{end}"), small) == [650, 605, 580]


def test_categories_that_the_card_does_not_list_are_counted(tmp_path: Path, card: Path, run: Run) -> None:
    (tmp_path / "p.csv").write_text("a,b,job\n1,2,boat\n1,2,cook\n1,2,train\n1,2,boat\n1,2,NA\n")
    asked = ("score", card, tmp_path / "p.csv", "--out")
    said = json.loads(run(*asked, tmp_path / "s.csv", "--json").out)
    assert said["unknown"] == {"job": 3}
    assert "job: 3 people have a category" in run(*asked, tmp_path / "s.csv").out
    (tmp_path / "in").mkdir()
    for k in range(2):
        (tmp_path / f"in/{k}.csv").write_bytes((tmp_path / "p.csv").read_bytes())
    many = ("score", card, tmp_path / "in", "--out", tmp_path / "many", "--json")
    assert json.loads(run(*many).out)["unknown"] == {"job": 6}
    assert json.loads(run(*many).out)["unknown"] == {"job": 6}  # also of results that were kept
    strict = Card((A, B, Characteristic("job", (11, 5, 60), groups=(("cook",), ("1",)))), 600)
    save_card(strict, card)
    refused = run(*asked, tmp_path / "s.csv")
    assert refused.refused()
    assert "column 'job', line 2 (and 2 more): a category that the scorecard does not know" in refused.err
    assert "boat" not in refused.err


def test_a_blank_line_of_one_column_is_a_person_with_a_gap(tmp_path: Path) -> None:
    small = Card((A,), 600)
    for text, cells in (
        ("a\n1\n\n2\n", [1.0, None, 2.0]),
        ("a\n1\n2\n\n", [1.0, 2.0, None]),
        ("a\r\n\r\n3", [None, 3.0]),
    ):
        (tmp_path / "p.csv").write_bytes(text.encode())
        assert scores(tmp_path / "p.csv", small) == expected(small, cells)
    (tmp_path / "p.csv").write_text("a,b\n1,2\n\n1,2\n")
    assert len(scores(tmp_path / "p.csv", Card((A, B), 600))) == 2


ADVICE = {
    "date": (pa.array([1, 2], pa.int32()).cast(pa.date32()), "found date32[day]; give what matters of it as a number"),
    "timestamp": (pa.array([1, 2], pa.timestamp("us")), "found timestamp[us]; give what matters of it as a number"),
    "list": (pa.array([[1], [2]]), "give each of its values a column of its own"),
    "bytes": (pa.array([b"\xff", b"\xfe"]), "found binary; convert it to text or numbers first"),
}


@pytest.mark.parametrize("what", ADVICE)
def test_columns_of_other_types_get_advice(tmp_path: Path, what: str) -> None:
    array, advice = ADVICE[what]
    people = write(pa.table({"a": array}), tmp_path / "p.parquet")
    with pytest.raises(DataError, match="column 'a': a number needed") as refusal:
        scores(people, Card((A,), 600))
    assert advice in str(refusal.value)


PLACES = [
    (b"a,b,note\n1,2,x\n1,2,caf\xe9\n", "not UTF-8 on line 3", "note"),
    (b'a,b,note\n1,2,"two\nlines"\n1,many,x\n', "column 'b', line 4: not a number", None),
    (b"a,b\n1,2\n\n\n1,2,3\n", "line 5 has 3 cells where the header has 2", None),
    (b'a,b\n1,2\n1,"2\n', "a quote is not closed, or a cell is too long, in the row on line 3", None),
    (b'a,b,note\n1,2,x\n1,2,"x\n1,2,x\n1,2,x\n', "a quote is not closed", None),
    (b"a,b\n1,2\n1,-inf\n", "column 'b', line 3: infinity", None),
    (b"\xff\xfea\x00,\x00b\x00", "it looks like UTF-16", None),
    (b"a;b\n1;2\n", "did you mean ; between cells?", None),
    (b"a\tb\n1\t2\n", "did you mean a tab between cells?", None),
    (b"A,b\n1,2\n", "columns missing: a (did you mean 'A'?)", None),
    (b" a ,b\n1,2\n", "columns missing: a (did you mean ' a '?)", None),
    (b"a,b,b\n1,2,3\n", "columns occur twice: b", None),
    (b"\na,b\n1,2\n", "the first line is blank", None),
]


@pytest.mark.parametrize(("content", "said", "keep"), PLACES)
def test_a_message_says_the_line_and_guesses_what_was_meant(
    tmp_path: Path, content: bytes, said: str, keep: str | None
) -> None:
    small = Card((A, B), 600)
    for end, packed in (("csv", content), ("csv.gz", gzip.compress(content))):
        (tmp_path / f"p.{end}").write_bytes(packed)
        with pytest.raises(DataError, match=re.escape(said)):
            scores(tmp_path / f"p.{end}", small, keep=keep)


def test_a_line_is_found_beyond_the_first_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from blindscore.people.files import blocks as blocks_in

    monkeypatch.setattr(blocks_in, "BATCH_BYTES", 300)
    lines = ["a,b", *(f"{k},{k}" for k in range(500))]
    lines[401] = "400,much"
    (tmp_path / "p.csv").write_text("\n".join(lines))
    with pytest.raises(DataError, match="column 'b', line 402: not a number"):
        scores(tmp_path / "p.csv", Card((A, B), 600))
    table = pa.table({"a": list(range(500)), "b": ["much" if k == 400 else str(k) for k in range(500)]})
    monkeypatch.setattr(blocks_in, "BATCH_ROWS", 30)
    with pytest.raises(DataError, match="column 'b', row 400: not a number"):
        scores(write(table, tmp_path / "p.parquet"), Card((A, B), 600))


def test_a_schema_says_what_parts_the_cells(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("a;b\n1;2\n")
    schema = tmp_path / "s.toml"
    features = "".join(f'[[features]]\nname = "{name}"\n' for name in "ab")
    schema.write_text(f'delimiter = ";"\n[target]\ncolumn = "bad"\nbad = [1]\n{features}')
    small = Card((A, B), 600)
    assert scores(tmp_path / "p.csv", small, schema=schema) == expected(small, [1.0], [2.0])


KINDS_OUT = [end for end in KINDS if end not in (".pq", ".arrow")]


def read(path: Path) -> list[dict[str, str]]:
    """Rows of a result of any kind, as texts."""
    if path.suffix in (".parquet", ".feather"):
        table = parquet.read_table(path) if path.suffix == ".parquet" else feather.read_table(path)
        rows = table.to_pylist()
    else:
        data = path.read_bytes()
        if path.suffix == ".gz":
            data = gzip.decompress(data)
        if path.suffix == ".zst":
            data = pa.CompressedInputStream(pa.BufferReader(data), "zstd").read()
        options = arrow_csv.ParseOptions(delimiter="\t" if ".tsv" in path.name else ",")
        rows = arrow_csv.read_csv(io.BytesIO(data), parse_options=options).to_pylist()
    return [{name: "" if value is None else str(value) for name, value in row.items()} for row in rows]


@pytest.mark.parametrize("end", KINDS_OUT)
def test_a_result_of_every_kind_says_the_same_and_can_be_read_again(
    tmp_path: Path, card: Path, run: Run, end: str
) -> None:
    (tmp_path / "p.csv").write_text("a,b,job\n1,2,boat\n0.5,NA,cook\n31,-1,true\n")
    out = tmp_path / f"s{end}"
    asked = ("--probability", "--threshold", 600, "--reasons", 2, "--id", "a")
    answer = run("score", card, tmp_path / "p.csv", "--out", out, *asked)
    assert answer.status == 0, answer.err
    assert run("score", card, tmp_path / "p.csv", "--out", tmp_path / "r.parquet", *asked).status == 0
    found, right = read(out), read(tmp_path / "r.parquet")
    for row, other in zip(found, right, strict=True):
        for name in ("row", "score", "probability", "decision", "reason_1_code", "reason_1", "reason_2_code"):
            assert row[name] == other[name]
        assert float(row["a"]) == float(other["a"])
    first = out.read_bytes()
    assert run("score", card, tmp_path / "p.csv", "--out", out, *asked).status == 0
    assert out.read_bytes() == first  # no time of day in it
    again = [sum(len(b) for b in blocks(out, Ask(("row", "score"), ("row", "score"))))]
    assert again == [3]


def test_further_columns_agree_with_the_card(tmp_path: Path, card: Path, run: Run) -> None:
    from blindscore.scorecard.reasons import reasons
    from blindscore.scorecard.scorecard import Scorecard

    rng = np.random.default_rng(1)
    a, b = rng.normal(5, 20, 300).round(2), rng.normal(0, 2, 300).round(2)
    job = rng.choice(["0", "1", "cook"], 300)
    table = pa.table({"a": a, "b": b, "job": job})
    people, out = write(table, tmp_path / "p.parquet"), tmp_path / "s.parquet"
    assert run("score", card, people, "--out", out, "--probability", "--threshold", 640, "--reasons", 2).status == 0
    got, frame = parquet.read_table(out), table.to_pandas()
    np.testing.assert_array_equal(got["probability"], Scorecard.from_card(CARD).predict_proba(frame)[:, 1])
    assert got["decision"].to_pylist() == ["approve" if s >= 640 else "refuse" for s in got["score"].to_pylist()]
    assert set(got["decision"].to_pylist()) == {"approve", "refuse"}
    for k, own in enumerate(reasons(CARD, CARD.bins(frame), 2)):
        given_here = [got[f"reason_{i}"][k].as_py() for i in (1, 2)]
        assert [text for text in given_here if text is not None] == [f"{r.feature}: {r.bin}" for r in own]
        codes = [got[f"reason_{i}_code"][k].as_py() for i in (1, 2)]
        assert [code for code in codes if code is not None] == [CARD.features.index(r.feature) + 1 for r in own]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("--threshold", 350), "above 350"),
        (("--threshold", 951), "at most 950"),
        (("--reasons", 4), "0 to 3"),
        (("--probability", "--id", "probability"), "would clash"),
    ],
)
def test_columns_that_a_card_cannot_give_are_refused(
    tmp_path: Path, card: Path, run: Run, asked: tuple[object, ...], said: str
) -> None:
    (tmp_path / "p.csv").write_text("a,b,job\n1,2,boat\n")
    answer = run("score", card, tmp_path / "p.csv", "--out", tmp_path / "s.csv", *asked)
    assert answer.refused()
    assert said in answer.err


def test_standard_input_and_output_are_files_like_others(
    tmp_path: Path, card: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = b"a,b,job\n1,2,boat\n0.5,NA,cook\n"
    (tmp_path / "p.csv").write_bytes(text)
    assert run("score", card, tmp_path / "p.csv", "--out", tmp_path / "s.csv").status == 0
    right = (tmp_path / "s.csv").read_text()
    sink = io.BytesIO()
    parquet.write_table(pa.table({"a": [1.0, 0.5], "b": [2.0, None], "job": ["boat", "cook"]}), sink)

    def piped(sent: bytes) -> Answer:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(sent)))
        return run("score", card, "-", "--out", "-")

    for sent in (text, gzip.compress(text), sink.getvalue()):
        answer = piped(sent)
        assert answer.out == right, answer.err
        assert "2 people" in answer.err
    bad = piped(b"a,b,job\n1,2,boat\n1,much,cook\n")
    assert bad.status == 2
    assert "standard input: column 'b', line 3" in bad.err
    assert "much" not in bad.err
    assert run("score", card, "-", "--out", tmp_path, "--engine", "dask").refused()


def test_explain_takes_many_rows(tmp_path: Path, card: Path, run: Run) -> None:
    lines = ["a,b,job", *(f"{k},{k % 3},cook" for k in range(30))]
    (tmp_path / "p.csv").write_text("\n".join(lines))
    right = scores(tmp_path / "p.csv")
    for asked, rows in (("7", [7]), ("3, 8,10-12", [3, 8, 10, 11, 12]), ("all", list(range(30)))):
        answer = run("explain", card, tmp_path / "p.csv", "--row", asked, "--json")
        said = [json.loads(line) for line in answer.out.splitlines()]
        assert [person["row"] for person in said] == rows
        assert [person["score"] for person in said] == [right[row] for row in rows]
        for person in said:
            total = person["base"] + sum(part["points"] for part in person["characteristics"])
            assert total == person["total"]
    shown = run("explain", card, tmp_path / "p.csv", "--row", "0-2").out
    assert all(f" {score} " in shown for score in right[:3])
    for wrong in ("30", "-1", "5-3", "first", "1,", "0-99999999999", ""):
        assert run("explain", card, tmp_path / "p.csv", "--row", wrong).refused()


def test_a_request_to_end_leaves_no_temporary_file(tmp_path: Path, card: Path) -> None:
    (tmp_path / "in").mkdir()
    code = (
        "import sys, time; from pathlib import Path; from blindscore_app.files.safely import replacing\n"
        "with replacing(Path(sys.argv[1])) as temporary:\n"
        "    temporary.write_text('half'); print('ready', flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, tmp_path / "in/out"], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        assert leftovers(tmp_path / "in") != []
        child.send_signal(signal.SIGTERM)
        assert child.wait(30) == 128 + signal.SIGTERM
    assert list((tmp_path / "in").iterdir()) == []


@given(text=st.text(max_size=12))
def test_a_spelling_is_its_own_spelling(text: str) -> None:
    assert canonical(canonical(text)) == canonical(text)
