"""A card as SQL of other databases: DuckDB's query, transpiled by sqlglot.

What sqlglot leaves to the target is settled here first: PostgreSQL has no test for NaN and none for infinity, Spark
none for infinity, and both compare NaN equal to itself. BigQuery has tests of its own for both.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from blindscore.errors import ParameterError
from blindscore.extras import needs
from blindscore.scorecard.card import Card
from blindscore.scorecard.forms.sql import card_to_sql

if TYPE_CHECKING:
    from sqlglot import exp

# dialect -> what has to be written as a comparison there
DIALECTS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "duckdb": frozenset(),
        "postgres": frozenset({"nan", "infinity"}),
        "spark": frozenset({"infinity"}),
        "bigquery": frozenset(),
    }
)


def card_to_dialect(card: Card, table: str, dialect: str = "duckdb", *, points: bool = False) -> str:
    """Return the query of :func:`~blindscore.scorecard.forms.sql.card_to_sql` in the SQL of another database.

    Raises
    ------
    ParameterError
        An unknown dialect, or a name that SQL cannot hold.
    MissingExtraError
        The extra ``export`` is not installed.
    """
    if dialect not in DIALECTS:
        raise ParameterError(f"no SQL dialect is called {dialect!r}; there are {', '.join(DIALECTS)}")
    query = card_to_sql(card, table, points=points)
    if dialect == "duckdb":
        return query
    with needs("export"):
        import sqlglot

    tree = sqlglot.parse_one(query, read="duckdb").transform(_settle, DIALECTS[dialect])
    text: str = tree.sql(dialect=dialect, pretty=True) + "\n"
    return text


def _settle(node: Any, comparisons: frozenset[str]) -> Any:
    """Write a test for NaN or infinity as a comparison where the target has no such test."""
    with needs("export"):
        from sqlglot import exp

    if isinstance(node, exp.IsNan) and "nan" in comparisons:
        return exp.EQ(this=node.this, expression=_double("NaN"))
    if isinstance(node, exp.IsInf) and "infinity" in comparisons:
        return exp.In(this=node.this, expressions=[_double("Infinity"), _double("-Infinity")])
    return node


def _double(text: str) -> exp.Cast:
    with needs("export"):
        from sqlglot import exp

    return exp.cast(exp.Literal.string(text), "double", dialect="duckdb")
