"""Hostile files: whatever the bytes, a population or a refusal of the package's own family that repeats no value."""

import csv
import io
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blindscore.errors import BlindscoreError
from blindscore.people.files.file_schema import FileSchema
from blindscore.people.files.loaders import load_people, load_schema
from blindscore.people.population import Population

Read = TypeVar("Read")

SCHEMA = b"""missing = ["", "NA"]
[target]
column = "bad"
bad = [1]
[[features]]
name = "debt"
[[features]]
name = "job"
kind = "category"
[[sensitive]]
name = "age"
bands = [30]
"""
ROWS = ["debt,job,age,bad", *(f"{k}.5,{'ab'[k % 2]},{20 + k},{k // 2 % 2}" for k in range(24))]
CSV = ("\n".join(ROWS) + "\n").encode()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("fuzz")
    (where / "schema.toml").write_bytes(SCHEMA)
    return where


def parquet() -> bytes:
    file = io.BytesIO()
    pd.read_csv(io.BytesIO(CSV)).to_parquet(file)
    return file.getvalue()


def refused_or(read: Callable[..., Read], *paths: Path) -> Read | BlindscoreError:
    try:
        return read(*paths)
    except BlindscoreError as refusal:
        return refusal


def outcome(folder: Path, name: str, data: bytes) -> Population | BlindscoreError:
    (folder / name).write_bytes(data)
    return refused_or(load_people, folder / name, folder / "schema.toml")


@st.composite
def mutated(draw: st.DrawFn, seed: bytes) -> bytes:
    """The seed with up to six bytes changed, dropped, doubled or followed by rubbish."""
    data = bytearray(seed)
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(data) - 1))
        match draw(st.sampled_from(["set", "cut", "insert", "end"])):
            case "set":
                data[at] = draw(st.integers(0, 255))
            case "cut" if len(data) > 1:
                del data[at : at + draw(st.integers(1, 8))]
                data = data or bytearray(b"x")
            case "insert":
                data[at:at] = draw(
                    st.sampled_from([b",", b'"', b"\n", b"\r", b"\0", b"nan", b"inf", b"\xff", b"1e400"])
                )
            case _:
                data += draw(st.binary(max_size=12))
    return bytes(data)


fuzz = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def test_the_seeds_are_accepted(folder: Path) -> None:
    plain, columns = outcome(folder, "people.csv", CSV), outcome(folder, "people.parquet", parquet())
    assert isinstance(plain, Population)
    assert isinstance(columns, Population)
    assert plain.fingerprint == columns.fingerprint


@fuzz
@given(data=mutated(CSV))
def test_any_csv_is_read_or_refused(folder: Path, data: bytes) -> None:
    result = outcome(folder, "people.csv", data)
    if isinstance(result, Population):  # as many people as another reader finds records below the header
        lines = csv.reader(io.StringIO(data.decode(), newline=""))
        assert len(result) == sum(bool(line) for line in lines) - 1
    else:
        assert "people.csv" in str(result)


@fuzz
@given(data=mutated(parquet()))
def test_any_parquet_is_read_or_refused(folder: Path, data: bytes) -> None:
    result = outcome(folder, "people.parquet", data)
    if isinstance(result, Population):
        assert len(result) == pq.read_metadata(io.BytesIO(data)).num_rows
    else:
        assert "people.parquet" in str(result)


@fuzz
@given(data=st.one_of(mutated(SCHEMA), st.binary(max_size=200)))
def test_any_schema_is_read_or_refused(folder: Path, data: bytes) -> None:
    path = folder / "odd.toml"
    path.write_bytes(data)
    result = refused_or(load_schema, path)
    if isinstance(result, FileSchema):
        said = tomllib.loads(data.decode())
        assert [f.feature.name for f in result.features] == [f["name"] for f in said["features"]]
        assert result.target == said["target"]["column"]
    else:
        assert "odd.toml" in str(result)


@fuzz
@given(cell=st.text(alphabet=st.characters(codec="utf-8", exclude_characters='",\r\n'), max_size=30))
def test_a_refused_cell_is_not_repeated(folder: Path, cell: str) -> None:
    cell = f"§{cell}§"  # so that no word of the message is taken for it
    rows = [*ROWS[:5], f"{cell},a,33,1", *ROWS[6:]]
    result = outcome(folder, "people.csv", ("\n".join(rows) + "\n").encode())
    assert isinstance(result, BlindscoreError)
    assert cell not in str(result)
