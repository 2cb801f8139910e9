"""Bring the catalogues up to date: ``python -m blindscore_app.locale.gather``. Needs Babel, as the tests do.

Messages are those marked in the code and the templates, and those that designs, capabilities and the society carry.
"""

from __future__ import annotations

import io
from importlib.resources import files
from pathlib import Path

from blindscore.extras import needs
from blindscore_app.locale import LANGUAGES

PARSED = [("**.py", "python"), ("**.j2", "blindscore_app.locale.gather:from_template")]
HERE = Path(str(files("blindscore_app.locale")))


def messages() -> list[str]:
    """Return every message that the program may say, in order and once."""
    with needs("languages"):
        from babel.messages.extract import extract_from_dir

    found: dict[str, None] = {}
    mapping = [(pattern, method) for pattern, method in PARSED]
    keywords = {"_": None, "N_": None}
    for _file, _line, message, _comments, _context in extract_from_dir(HERE.parent, mapping, keywords=keywords):
        found[message if isinstance(message, str) else message[0]] = None
    return list(found | dict.fromkeys(carried()))


def from_template(file: io.BytesIO, keywords: object, tags: object, options: object) -> object:
    """Extract the messages of a template, with the settings of the page's own environment."""
    from jinja2.ext import babel_extract

    settings = {"trimmed": "true", "trim_blocks": "true", "lstrip_blocks": "true", "newstyle_gettext": "true"}
    return babel_extract(file, ["_", "gettext"], (), settings)


def carried() -> list[str]:
    """Return what designs, capabilities and the society's columns say of themselves."""
    from blindscore.designs.registry import load_designs
    from blindscore.people.variables import society_schema
    from blindscore.surveillance.attacks.registry import load_capabilities

    said = [design.summary for design in load_designs().values()]
    said += [capability.question for capability in load_capabilities()]
    said += ["register", "decision"]  # contexts that no column of the society has
    for feature in society_schema().features:
        said += [feature.label, feature.unit, feature.context]
    return [message for message in dict.fromkeys(said) if message]


def catalogue_path(code: str, ending: str) -> Path:
    """Return where a language's catalogue lies."""
    return HERE / code / "LC_MESSAGES" / f"blindscore.{ending}"


def main() -> None:
    """Add new messages to every catalogue, drop those that nothing says, and compile."""
    with needs("languages"):
        from babel.messages.catalog import Catalog
        from babel.messages.mofile import write_mo
        from babel.messages.pofile import read_po, write_po

    for code in LANGUAGES[1:]:
        path = catalogue_path(code, "po")
        known = read_po(io.BytesIO(path.read_bytes()), locale=code) if path.exists() else Catalog(locale=code)
        fresh = Catalog(locale=code, header_comment="# The program's messages.", fuzzy=False)
        for message in messages():
            old = known.get(message)
            fresh.add(message, old.string if old is not None else "")
        with path.open("wb") as file:
            write_po(file, fresh, width=0, omit_header=False, sort_output=False)
        with catalogue_path(code, "mo").open("wb") as file:
            write_mo(file, fresh)
        lacking = [m.id for m in fresh if m.id and not m.string]
        print(f"{code}: {len(fresh)} messages, {len(lacking)} without a translation")


if __name__ == "__main__":
    main()
