"""What a cell of a file says: nothing, a number, or a category. One way for CSV and Parquet, to fit and to score.

A text means "missing" if it is blank, one of pandas' own words for it (``NA``, ``NULL``, ``None``, ...), or a word that
the schema declares; blanks around it do not matter. A word that the card or the schema lists as a category is that
category, whatever else it might mean. Equal categories get one spelling in whatever type they come: the whole numbers
``1`` and ``1.0`` are "1", Parquet's true, ``True`` and ``TRUE`` are "true".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from blindscore.people.files.lines import Place

if TYPE_CHECKING:
    import pyarrow as pa

# pandas.read_csv's own list (its documentation, `na_values`)
MISSING = frozenset(
    ("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA")
) | {"NULL", "NaN", "None", "n/a", "nan", "null"}
BLANKS = tuple(" " * k for k in range(1, 9))  # that the quick reader of numbers takes for a gap
SLOW = frozenset(word for word in MISSING if word[:1] in set("-1"))  # it would compare with them number by number
TRUTH = {"true": "1", "false": "0"}


def canonical(text: str) -> str:
    """One spelling for equal codes: no blanks around, whole numbers without ``.0``, truth values in small letters."""
    text = text.strip()
    if text.lower() in TRUTH:
        return text.lower()
    head, dot, tail = text.partition(".")
    if dot and head.lstrip("+-").isdigit() and set(tail) <= {"0"}:
        return head
    return text


def numbers(column: pa.Array, name: str, missing: Collection[str], place: Place) -> NDArray[Any]:
    """Return a column as float32 (if it is so already) or float64, NaN where missing; infinities stay.

    Raises
    ------
    DataError
        Dates, lists, bytes, or a text that is no number; names the column and where it stands.
    """
    values = _values(column, name, missing, place)
    codes = _missing_numbers(frozenset(missing))
    if codes:
        values = np.where(np.isin(values, np.array(codes, values.dtype)), np.array(np.nan, values.dtype), values)
    return values


@lru_cache
def _missing_numbers(missing: frozenset[str]) -> tuple[float, ...]:
    """The numbers among the words for missing, such as -999."""
    found = map(_number, sorted(missing - MISSING))
    return tuple(number for number in found if number is not None and number == number)


def _values(column: pa.Array, name: str, missing: Collection[str], place: Place) -> NDArray[Any]:
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if pa.types.is_float32(kind) or pa.types.is_float64(kind):
        # Arrow puts NaN into its gaps four times as fast as NumPy does.
        return np.asarray(column.fill_null(np.nan) if column.null_count else column)
    if pa.types.is_null(kind):
        return np.full(len(column), np.nan)
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_float16(kind):
        plain = column.cast(pa.uint8()) if pa.types.is_boolean(kind) else column
        values = pc.fill_null(plain, 0).to_numpy(zero_copy_only=False).astype(np.float64)
        return (
            np.where(pc.is_null(column).to_numpy(zero_copy_only=False), np.nan, values) if column.null_count else values
        )
    texts = None if pa.types.is_temporal(kind) else _texts(column)
    if texts is None:
        raise place.refuse(name, f"a number needed, found {str(kind)[:80]}; {_advice(kind)}")
    return _parsed(texts, name, missing, place)


def _parsed(column: pa.Array, name: str, missing: Collection[str], place: Place) -> NDArray[np.float64]:
    import pyarrow as pa
    import pyarrow.compute as pc

    trimmed = pc.utf8_trim_whitespace(column)
    gone = pc.is_in(trimmed, value_set=pa.array(sorted(missing), trimmed.type))
    given = pc.if_else(gone, None, trimmed)
    try:  # to the nearest double, by the parser that reads CSV
        return np.asarray(pc.cast(given, pa.float64()).fill_null(np.nan))
    except pa.ArrowInvalid:
        coded = given.dictionary_encode()
    found = [_number(text) for text in coded.dictionary.to_pylist()]
    codes = coded.indices.fill_null(len(found)).to_numpy()
    wrong = np.array([*(number is None for number in found), False])[codes]
    if wrong.any():
        advice = "mend the file, declare the word as `missing` in the schema, or the column as a category"
        raise place.refuse(name, f"not a number; {advice}", wrong)
    values: NDArray[np.float64] = np.array([*found, np.nan], np.float64)[codes]
    return values


def _number(text: str) -> float | None:
    """The number that Arrow reads in a text, or 1 and 0 for truth values as in Parquet; None where there is none."""
    import pyarrow as pa

    try:
        return float(pa.array([TRUTH.get(text.lower(), text)]).cast(pa.float64())[0].as_py())
    except pa.ArrowInvalid:
        return None


def words(
    column: pa.Array, name: str, missing: Collection[str], place: Place, levels: Iterable[str] = ()
) -> tuple[NDArray[np.int64], list[str]]:
    """Return a column of categories as (codes, texts): code -1 is missing, else an index into the texts.

    Parameters
    ----------
    levels
        Categories that a card or a schema lists: a cell that means one of them gets its very spelling.

    Raises
    ------
    DataError
        Lists, or bytes that are no text; names the column.
    """
    import pyarrow as pa

    coded = column if pa.types.is_dictionary(column.type) else _encoded(column)
    entries = None if coded is None else _texts(coded.dictionary)
    if coded is None or entries is None:
        raise place.refuse(name, f"a category needed, found {str(column.type)[:80]}; {_advice(column.type)}")
    listed = {canonical(level): level for level in levels} | {level: level for level in levels}
    if pa.types.is_boolean(coded.dictionary.type) and not listed.keys() & TRUTH.keys():
        listed |= {word: listed[code] for word, code in TRUTH.items() if code in listed}
    spelt: dict[str, int] = {}
    of_entry = [-1 if text is None else _level(text, missing, listed, spelt) for text in entries.to_pylist()]
    codes = np.array([*of_entry, -1], np.int64)[coded.indices.fill_null(len(of_entry)).to_numpy()]
    return codes, list(spelt)


def _encoded(column: pa.Array) -> pa.DictionaryArray | None:
    import pyarrow as pa

    if pa.types.is_nested(column.type) or isinstance(column.type, pa.BaseExtensionType):
        return None
    return column.dictionary_encode()


def _level(text: str, missing: Collection[str], listed: dict[str, str], spelt: dict[str, int]) -> int:
    plain = canonical(text)
    word = listed.get(text, listed.get(plain))
    if word is None:
        if plain in missing:
            return -1
        word = plain
    return spelt.setdefault(word, len(spelt))


def _texts(column: pa.Array) -> pa.Array | None:
    """Return any column of single values as texts, NaN as a gap; None where it has no text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    if pa.types.is_string(kind):
        return column
    if pa.types.is_nested(kind) or isinstance(kind, pa.BaseExtensionType):
        return None
    if pa.types.is_null(kind):
        return column.cast(pa.string())
    if pa.types.is_floating(kind):
        values = column.to_numpy(zero_copy_only=False)
        return pa.array([None if v != v else _shortest(v) for v in values], pa.string())
    if pa.types.is_fixed_size_binary(kind):
        column = column.cast(pa.binary())
    try:
        return pc.cast(column, pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None


def _shortest(value: Any) -> str:
    return str(int(value)) if abs(value) < 2**63 and value == int(value) else str(value)


def _advice(kind: pa.DataType) -> str:
    import pyarrow as pa

    if pa.types.is_temporal(kind):
        return "give what matters of it as a number, such as days before the application"
    if pa.types.is_nested(kind):
        return "give each of its values a column of its own"
    return "convert it to text or numbers first"
