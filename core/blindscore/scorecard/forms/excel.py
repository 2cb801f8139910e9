"""A card as an Excel workbook whose formulas score: type people in, read points and scores.

Sheet ``Card`` lists every bin and its points; sheet ``People`` has one row a person, a column a feature, then the
points of each feature, the total and the score. Blank = missing. A row that the card cannot score (a category that
it refuses, a text where a number belongs) shows #N/A. Excel knows numbers to 15 digits: one that differs from an edge
in the 16th may fall into the neighbouring bin, so scores equal the kernel's for people whose numbers have up to 15. A
special code, whose bin reaches to the next float only, is compared for equality.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from blindscore.errors import ParameterError
from blindscore.extras import needs
from blindscore.scorecard.binning import bin_labels
from blindscore.scorecard.card import Card, Characteristic

if TYPE_CHECKING:
    import pandas as pd

LOWEST = -9.99999999999999e307  # the least number that Excel takes
MAX_FEATURES = 8_000  # Excel has 16,384 columns, and a feature takes two
FIRST = 3  # row of the first person; above it the headings


def card_to_excel(card: Card, people: pd.DataFrame | None = None, *, rows: int = 100) -> bytes:
    """Return the workbook.

    Parameters
    ----------
    people : table of people to fill in, columns by feature name; default: none
    rows : empty rows that carry formulas below them

    Raises
    ------
    ParameterError
        The card has more features than a sheet has columns for.
    MissingExtraError
        The extra ``export`` is not installed.
    """
    with needs("export"):
        from openpyxl import Workbook

    if len(card.characteristics) > MAX_FEATURES:
        raise ParameterError(f"a sheet of Excel holds at most {MAX_FEATURES} features")
    book = Workbook()
    sheet = book.active
    sheet.title = "People"
    places = _card_sheet(book.create_sheet("Card"), card)
    _people_sheet(sheet, card, places, people, rows)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@dataclass(frozen=True)
class _Place:
    """Rows of one characteristic on the sheet ``Card``; the missing bin follows the last."""

    first: int  # of the ordinary bins or categories
    last: int
    special: tuple[int, ...] = ()  # rows of a number's special codes, which stand before the first


def _card_sheet(sheet: Any, card: Card) -> list[_Place]:
    """Write the bins, and in column D what formulas look up: a bin's lower edge, or one category a row."""
    sheet.append(["feature", "bin", "points", "from (number) or category"])
    sheet.append(["(base)", "everybody", card.base, None])
    sheet.append(["(lowest score)", None, card.scale.low, None])
    sheet.append(["(highest score)", None, card.scale.high, None])
    places, row = [], 5
    for c in card.characteristics:
        special, keys = _keys(c)
        places.append(
            _Place(
                row + len(special),
                row + len(special) + len(keys) - 1,
                tuple(range(row, row + len(special))),
            )
        )
        for cells in (*special, *keys, ("missing", c.points[-1], None)):
            for column, value in enumerate((c.feature, *cells), 1):
                _put(sheet.cell(row, column), value)
            row += 1
    _look(sheet, card, row)
    return places


_Key = tuple[str, int, "float | str"]  # label, points, what is looked up


def _keys(c: Characteristic) -> tuple[list[_Key], list[_Key]]:
    """Return special codes, and ordinary bins with increasing lower edges (or categories)."""
    labels = bin_labels(c)
    if c.groups is not None:
        listed: list[_Key] = [
            (label, points, category)
            for label, points, group in zip(labels[:-1], c.points[:-1], c.groups, strict=True)
            for category in group or ("",)  # a bin that nobody falls into still has a row
        ]
        return [], listed
    lows = (LOWEST, *c.edges)
    special: list[_Key] = [(labels[k], c.points[k], code) for k, code in c.codes.items()]
    # The bin after a code starts where the code's own does: equality has caught the code before.
    keys: list[_Key] = [
        (labels[k], c.points[k], lows[k - 1] if k - 1 in c.codes else low)
        for k, low in enumerate(lows)
        if k not in c.codes
    ]
    return special, keys


def _put(cell: Any, value: Any) -> None:
    """Write a value as itself: a text that begins with = stays a text, a number keeps all its digits."""
    with needs("export"):
        from openpyxl.utils.exceptions import IllegalCharacterError

    try:
        cell.value = repr(float(value)) if isinstance(value, float) else value
    except IllegalCharacterError as error:
        raise ParameterError("a name with control characters cannot stand in Excel; rename it") from error
    if value is not None:
        cell.data_type = "s" if isinstance(value, str) else "n"


def _look(sheet: Any, card: Card, row: int) -> None:
    with needs("export"):
        from openpyxl.styles import Font

    sheet.freeze_panes = "A2"
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    for column, width in zip("ABCD", (28, 40, 10, 28), strict=True):
        sheet.column_dimensions[column].width = width
    sheet.cell(row + 1, 1, f"fingerprint {card.fingerprint}")


def _people_sheet(sheet: Any, card: Card, places: list[_Place], people: pd.DataFrame | None, rows: int) -> None:
    with needs("export"):
        from openpyxl.styles import Font
        from openpyxl.utils import get_column_letter

    d = len(card.characteristics)
    headings = [*card.features, *(f"points of {name}" for name in card.features), "total", "score"]
    _put(sheet.cell(1, 1), "One row a person: type into the features, blank = missing; points and score follow.")
    for column, heading in enumerate(headings, 1):
        _put(sheet.cell(2, column), heading)
        sheet.cell(2, column).font = Font(bold=True)
    sheet.freeze_panes = sheet.cell(FIRST, 1)
    given = 0 if people is None else len(people)
    letters = [get_column_letter(k) for k in range(1, 2 * d + 3)]
    for row in range(FIRST, FIRST + given + rows):
        for j, c in enumerate(card.characteristics):
            if row - FIRST < given and people is not None:
                _put(sheet.cell(row, j + 1), _value(c, people[c.feature].iloc[row - FIRST]))
            sheet.cell(row, d + j + 1, _formula(c, f"{letters[j]}{row}", places[j]))
        total, score = f"{letters[2 * d]}{row}", sheet.cell(row, 2 * d + 2)
        sheet.cell(row, 2 * d + 1, f"=Card!$C$2+SUM({letters[d]}{row}:{letters[2 * d - 1]}{row})")
        score.value = f"=MAX(Card!$C$3,MIN(Card!$C$4,{total}))"


def _value(c: Characteristic, value: Any) -> Any:
    import pandas as pd

    if pd.isna(value):
        return None
    return float(value) if c.groups is None else str(value)


def _formula(c: Characteristic, cell: str, place: _Place) -> str:
    """Points of one feature: LOOKUP finds the last lower edge not above a number; EXACT, unlike MATCH, minds case."""
    keys, points = (f"Card!${column}${place.first}:${column}${place.last}" for column in "DC")
    if c.groups is None:
        found = f"LOOKUP({cell},{keys},{points})"
        for row in place.special:
            found = f"IF({cell}=Card!$D${row},Card!$C${row},{found})"
        found = f"IF(ISNUMBER({cell}),{found},NA())"
    else:
        exact = f"EXACT({cell},{keys})"
        unlisted = "NA()" if c.other is None else str(c.points[c.other])
        found = f"IF(SUMPRODUCT({exact}*1)=0,{unlisted},SUMPRODUCT({exact}*{points}))"
    return f"=IF(ISBLANK({cell}),Card!$C${place.last + 1},{found})"
