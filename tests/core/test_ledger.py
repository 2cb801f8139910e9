"""The ledger file: written whole or not at all, read back equal, and refused when it is something else."""

from __future__ import annotations

import csv
import io
import json

import pytest

from blindscore.errors import BlindscoreError, DataError
from blindscore.surveillance.ledger import DesignRow, Ledger, Row, load_ledger
from blindscore.whole_files import write_whole

LATER = (
    "certified_removal removed people_exposed kind same_as bound_these adversary basis seeds "
    "outside in_crowd worst worst_bound few"
)


def a_row(**changes):
    given = {
        "design": "d",
        "coalition": "scorer",
        "capability": "profile",
        "secret": "party",
        "attack": "logistic",
        "advantage": 0.5,
        "low": 0.4,
        "high": 0.6,
    }
    return Row(**(given | changes))


def a_ledger(*rows):
    design = DesignRow("d", "s", {"k": 1}, 0.7, 0.6, 0.8, 0.0, 0.0, 0.0, 0.3, {"lender": 2.0}, 1, 2, 3, 4, 4)
    return Ledger({"seed": 1}, (design,), rows)


def test_a_ledger_reads_back_equal(tmp_path):
    ledger = a_ledger(a_row(tpr_at_fpr_0_001=0.25, bound=0.0, people_exposed=7))
    path = tmp_path / "ledger.json"
    write_whole(path, ledger.to_json().encode())
    assert load_ledger(path) == ledger


def test_the_file_uses_the_specified_key_names():
    entry = a_ledger(a_row(tpr_at_fpr_0_001=0.25)).to_dict()["rows"][0]
    assert entry["tpr_at_fpr_0.001"] == 0.25
    wanted = "design coalition capability secret attack advantage low high control tpr_at_fpr_0.001 bits bound reason"
    assert list(entry) == [*wanted.split(), *LATER.split()]
    line = next(csv.DictReader(io.StringIO(a_ledger(a_row(tpr_at_fpr_0_001=0.25)).to_csv())))
    assert (line["tpr_at_fpr_0.001"], line["bound"]) == ("0.25", "")


def test_a_figure_that_is_not_finite_becomes_null():
    text = a_ledger(a_row(bits=float("nan"))).to_json()
    assert json.loads(text)["rows"][0]["bits"] is None


def test_an_unknown_design_is_named_in_the_error():
    with pytest.raises(DataError, match="no design 'x'"):
        a_ledger().design("x")


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"meta": {}, "designs": [{"a": 1}], "rows": []}', b"\xff"])
def test_what_is_no_ledger_is_refused(tmp_path, content):
    path = tmp_path / "ledger.json"
    path.write_bytes(content)
    with pytest.raises(BlindscoreError, match="ledger"):
        load_ledger(path)
    path.write_bytes(a_ledger().to_json().encode())
    assert load_ledger(path) == a_ledger()


def test_format_one_is_read_without_the_marks_that_a_false_rule_gave(tmp_path):
    old = a_ledger(a_row(removed=True, bound=0.01), a_row(design="plain")).to_dict()
    del old["format"]
    for row in old["rows"]:
        for key in ("bound_these", "adversary", "basis", "seeds"):  # came with format 2
            del row[key]
    old["designs"][0]["sees"] = [{"role": "lender", "fields": ["score"]}]
    path = tmp_path / "ledger.json"
    path.write_text(json.dumps(old))
    read = load_ledger(path)
    assert [row.removed for row in read.rows] == [False, False]
    assert [row.basis for row in read.rows] == ["executed", "clear"]
    assert read.rows[0].bound == 0.01
    assert read.designs[0].sees == ()
    assert json.loads(read.to_json())["format"] == 2


@pytest.mark.parametrize("told", [0, 3, "2", None])
def test_a_format_of_another_version_is_refused(tmp_path, told):
    path = tmp_path / "ledger.json"
    path.write_text(json.dumps(a_ledger().to_dict() | {"format": told}))
    with pytest.raises(DataError, match="format"):
        load_ledger(path)


def test_an_absent_ledger_is_an_error_of_ours(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        load_ledger(tmp_path / "none.json")


def test_a_failed_write_leaves_the_old_file_and_no_rubbish(tmp_path, monkeypatch):
    path = tmp_path / "out.txt"
    path.write_bytes(b"old")
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        write_whole(path, b"new")
    assert [p.name for p in tmp_path.iterdir()] == ["out.txt"]
    assert path.read_bytes() == b"old"
