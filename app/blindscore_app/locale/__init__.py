"""Message catalogues: what the program says on pages and of reasons, in the reader's language.

Catalogues are gettext's: ``<language>/LC_MESSAGES/blindscore.po`` for people, ``.mo`` for the program, both in the
wheel. English stands in the code itself. A message without a translation is shown in English.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files

from blindscore.errors import ParameterError
from blindscore.scorecard.bin_words import BinWords

LANGUAGES = ("en", "de")
_spoken: ContextVar[str] = ContextVar("language", default="en")


def _(message: str) -> str:
    """Return a message in the language that is spoken now."""
    return _catalogue(_spoken.get()).gettext(message) if message else ""


def N_(message: str) -> str:
    """Mark a message for the catalogues where it is written, and leave it as it is: it is translated when shown."""
    return message


def language() -> str:
    """Return the code of the language that is spoken now."""
    return _spoken.get()


def bin_words() -> BinWords:
    """Return the words of bins' names in the language that is spoken now."""
    return BinWords(_("missing"), _("any other"), _("any value"), _("{low} to < {high}"))


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """Speak a language inside the block.

    Raises
    ------
    ParameterError
        There is no catalogue of that language.
    """
    if code not in LANGUAGES:
        raise ParameterError(f"no language {code[:20]!r}; there are {', '.join(LANGUAGES)}")
    token = _spoken.set(code)
    try:
        yield
    finally:
        _spoken.reset(token)


@cache
def _catalogue(code: str) -> NullTranslations:
    if code == "en":
        return NullTranslations()
    with files(__name__).joinpath(code, "LC_MESSAGES", "blindscore.mo").open("rb") as file:
        return GNUTranslations(file)
