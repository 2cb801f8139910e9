"""The report page: one self-contained HTML file drawn from one ledger.

Nothing is fetched when it is opened, its only script is allowed by hash, and every value of the ledger is escaped:
names of columns come from strangers' files.
"""

from __future__ import annotations

import base64
import hashlib
import tomllib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from blindscore.extras import needs
from blindscore.surveillance.ledger import PLAYED, Ledger, Row
from blindscore_app.locale import N_, _, language
from blindscore_app.report import charts, figures, grid, sentences

if TYPE_CHECKING:
    from jinja2 import Environment

STATUS_WORDS = {
    "documented": N_("documented: an official text or page says so"),
    "reported": N_("reported: press or scholars say so"),
    "article only": N_("article only: one article fears it; no evidence that it is done"),
    "recalled": N_("recalled: from memory, not yet checked"),
    "modelled": N_("modelled: our own assumption"),
}
KEYS = {
    "legal id": N_("the person's legal number"),
    "pairwise": N_("a pseudonym for this lender alone"),
    "one-time": N_("a number used once"),
    "region": N_("the region"),
}
CONTENTS = (
    ("order", N_("Serve an order")),
    ("groups", N_("Who loses")),
    ("law", N_("Law crosswalk")),
    ("person", N_("One person")),
    ("sees", N_("Who sees what")),
    ("frontier", N_("The frontier: credit quality kept against each capability")),
    ("rules", N_("Modelled rules, their sources and status")),
    ("limits", N_("What this does not show")),
    ("again", N_("Get these figures again")),
)
DOORS = (
    (
        N_("For a legislator"),
        N_("What an order finds, who is refused wrongly, and what the law asks."),
        (("order", N_("Serve an order")), ("groups", N_("Who loses")), ("law", N_("Law crosswalk"))),
    ),
    (
        N_("For a lender"),
        N_("What it costs in quality, time and bytes, and how one person fares."),
        (("frontier", N_("Quality and cost")), ("person", N_("One person")), ("sees", N_("Who sees what"))),
    ),
    (
        N_("For a researcher"),
        N_("Every figure with interval, control, bound and reason."),
        (("frontier", N_("Every row")), ("limits", N_("What this does not show")), ("again", N_("Again"))),
    ),
)
# What the page's scripts say; braces stand for values.
SCRIPT_WORDS = {
    "no_bound": N_("no bound"),
    "bounded": N_("at most {bound} for any attack"),
    "interval": N_("{value}, 95% {low} to {high}; {bound}"),
    "gives_away": N_("What the records then give away of each person, from 0 (guessing) to 1 (certain)"),
    "secret": N_("secret"),
    "with_records": N_("with the records"),
    "public": N_("control: public knowledge alone"),
    "not_measured": N_("Not measured for this design and party."),
    "exposes": N_("One order exposes {exposed} of {people} people by name ({interval})."),
    "named": N_("The records of {who} carry the person's legal number: an order by name finds them."),
    "nameless": N_("The records of {who} carry no name."),
    "attacked": N_("An attack names a record with advantage {interval}; guessing is right once in {people}."),
    "not_attacked": N_("Whether an attack would name them was not measured."),
    "found": N_("Found: {fields}"),
    "unread": N_("and {bytes} bytes a person that nobody there can read"),
    "nothing": N_("nothing readable"),
    "of_found": N_("Of a person so found, for example:"),
    "of_nameless": N_("Such a record, without a name to it:"),
    "why": N_("Why: {reason}."),
    "rule": N_("rule outside the scorecard {points}"),
    "approved": N_("approved (at {threshold})"),
    "refused": N_("refused (at {threshold})"),
    "costs_nothing": N_("nothing"),
    "not_scored": N_("Not scored: {reason}."),
    "values_refused": N_("the values were refused"),
    "scored": N_("Scored anew under {designs} designs in {ms} ms."),
}
CONTEXT_ORDER = ("register", "financial", "shopping", "browsing", "posts", "social", "device", "decision")
CHARTED_GROUPS = 3  # groups of one column that a chart can tell apart


def render_page(ledger: Ledger, coalition: str = "scorer", *, live: bool = False) -> str:
    """Return the whole page as HTML text, in the language that is spoken; with ``live``, it asks for scores.

    Raises
    ------
    ParameterError
        The ledger has no rows of this coalition.
    """
    figures.check_coalition(ledger, coalition)
    scripts = [_resource(f"templates/{name}.js") for name in (("words", "page", "live") if live else ("words", "page"))]
    digests = " ".join(f"'sha256-{_digest(script)}'" for script in scripts)
    connect = "; connect-src 'self'" if live else ""
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src {digests}{connect}"
    template = _environment().get_template("page.html.j2")
    return template.render(_context(ledger, coalition), scripts=scripts, policy=policy, live=live)


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


PERSON_TABLES = ("scores", "reasons")  # of one person, a byte or two a position of the sliders
SURELY = 0.5  # an attack whose interval lies above this is said to find the record


def _resource(name: str) -> str:
    return files("blindscore_app.report").joinpath(name).read_text(encoding="utf-8")


def as_code(text: str) -> str:
    """Return text with what stands between backticks as code, the rest escaped."""
    with needs("review"):
        from markupsafe import Markup, escape

    parts = [escape(part) for part in text.split("`")]
    closed = len(parts) - (len(parts) % 2 == 0)  # a last backtick that nothing closes stays what it is
    told = Markup("").join(
        Markup("<code>{}</code>").format(part) if k % 2 else part for k, part in enumerate(parts[:closed])
    )
    return told + Markup("`").join(["", *parts[closed:]])


@cache
def _environment() -> Environment:
    with needs("review"):
        from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("blindscore_app.report"),
        autoescape=True,
        extensions=["jinja2.ext.i18n"],
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    i18n: Any = environment
    i18n.install_gettext_callables(_, lambda one, many, n: _(one if n == 1 else many), newstyle=True)
    environment.globals |= {"design_words": grid.design_words, "party_words": grid.party_words, "keys": KEYS}
    environment.filters |= {
        "code": as_code,
        "share": figures.fixed,
        "pairs": grid.pairs,
        "auc": lambda value: figures.UNKNOWN if value is None else f"{value:.3f}",
        "bits": lambda value: f"{value:.1f}",
        "points": figures.points,
        "bound": lambda value: f"{figures.rounded_up(value):.2f}",
        "quantity": lambda value: f"{value:.3g}",
        "duration": lambda value: figures.quantity(value, ("µs", "ms", "s")),
    }
    return environment


def _context(ledger: Ledger, coalition: str) -> dict[str, Any]:
    with needs("review"):
        from markupsafe import Markup

    whole, ledger = ledger, figures.tried(ledger)
    names = figures.coalitions(ledger) or [coalition]
    numbered = [(k, row) for k, row in enumerate(whole.rows) if row.kind == PLAYED]
    return {
        "language": language(),
        "lead": grid.lead(whole, coalition),
        "key_words": grid.key_words(),
        "columns": grid.columns(whole, coalition),
        "lines": grid.lines(whole, coalition),
        "pooled": any(line.pooled is not None for line in grid.lines(whole, coalition)),
        "doors": [(_(title), _(words), [(a, _(name)) for a, name in links]) for title, words, links in DOORS],
        "script_words": {key: _(words) for key, words in SCRIPT_WORDS.items()},
        "label": lambda name: figures.label(ledger, name),
        "unit": lambda name: figures.unit(ledger, name),
        "plain": _for_script(ledger),
        "meta": ledger.meta,
        "coalition": coalition,
        "synthetic": figures.is_synthetic(ledger),
        "contents": [(anchor, _(title)) for anchor, title in CONTENTS],
        "headline": sentences.headline(ledger, coalition),
        "weak_spot": sentences.weak_spot(ledger, coalition),
        "not_shown": sentences.not_shown(whole),
        "failing": sentences.failing(ledger, coalition),
        "designs": [{"row": design, "runs": figures.runs_words(design)} for design in ledger.designs],
        "contexts": _contexts(ledger),
        "quality": Markup(charts.quality_panel(ledger)),
        "notes": sentences.notes(whole),
        "panels": {name: _panels(ledger, name) for name in names},
        "rows_of": {name: [(k, row) for k, row in numbered if row.coalition == name] for name in names},
        "orders": [row for row in ledger.rows if row.people_exposed is not None],
        "order_coalitions": list(dict.fromkeys(r.coalition for r in ledger.rows if r.people_exposed is not None)),
        "captured": ledger.captured,
        "sliders": ledger.meta.get("person", {}).get("sliders", []),
        "groups": _groups(ledger),
        "rules": [(design.design, rule) for design in ledger.designs for rule in design.rules],
        "status_words": STATUS_WORDS,
        "laws": tomllib.loads(_resource("law.toml"))["entry"],
    }


def _for_script(ledger: Ledger) -> dict[str, Any]:
    """Return what the page's script looks up: orders and what they give away, the person, and the logs."""
    plain = ledger.to_dict()
    tables = list(dict.fromkeys(p[key] for d in ledger.designs for p in [d.person] if p for key in PERSON_TABLES))
    return {
        "meta": {"people": plain["meta"]["people"], "person": _person(plain)},
        "labels": {name: figures.label(ledger, name) for name in _named_columns(ledger)},
        "parties": {name: grid.party_words(name) for name in _roles(ledger)},
        "tables": tables,  # most designs score with one card: their tables are the same, and stand here once
        "designs": [
            {
                "design": design["design"],
                "person": _scored(design["person"], tables),
                "sees": [
                    {key: view[key] for key in ("role", "keyed_by", "stored", "opaque_bytes", "record")}
                    for view in design["sees"]
                ],
            }
            for design in plain["designs"]
        ],
        "rows": packed([_told(row) for row in ledger.rows if row.capability in ("disclose", "profile", "link")]),
    }


def _scored(person: dict[str, Any], tables: list[str]) -> dict[str, Any]:
    """Return one person under one design, without the names of bins, which the script does not say."""
    if not person:
        return {}
    parts = [{key: part[key] for key in ("feature", "slider", "best", "points")} for part in person["parts"]]
    return {**person, "parts": parts, **{key: tables.index(person[key]) for key in PERSON_TABLES}}


def _told(row: Row) -> dict[str, Any]:
    """Return a row as the script tells it: figures rounded as everywhere on the page, and a bound upwards."""
    figure = {key: getattr(row, key) for key in ("advantage", "low", "high", "control")}
    return {
        **{key: getattr(row, key) for key in ("design", "coalition", "capability", "secret")},
        **{key: None if value is None else float(figures.fixed(value)) for key, value in figure.items()},
        "bound": None if row.bound is None else figures.rounded_up(row.bound),
        "surely": row.low > SURELY,
        "people_exposed": row.people_exposed,
        "reason": row.reason if row.capability == "disclose" else "",
    }


def packed(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return rows of equal keys with each key and each text told once; ``words.js`` unpacks them."""
    keys = list(rows[0]) if rows else []
    texts = {key: list(dict.fromkeys(row[key] for row in rows)) for key in keys if isinstance(rows[0][key], str)}
    lines = [[texts[key].index(row[key]) if key in texts else row[key] for key in keys] for row in rows]
    return {"keys": keys, "texts": texts, "lines": lines}


def _person(plain: dict[str, Any]) -> dict[str, Any]:
    """Return the sliders as the script shows them: units in the reader's language."""
    sliders = plain["meta"].get("person", {}).get("sliders", [])
    return {"sliders": [{**slider, "unit": _(slider["unit"])} for slider in sliders]}


def _named_columns(ledger: Ledger) -> list[str]:
    """Return every column that the script may name."""
    stored = [name for design in ledger.designs for view in design.sees for name in view["stored"]]
    parts = [part["feature"] for design in ledger.designs for part in design.person.get("parts", [])]
    return list(dict.fromkeys([*stored, *parts]))


def _roles(ledger: Ledger) -> list[str]:
    return list(dict.fromkeys(view["role"] for design in ledger.designs for view in design.sees))


def _contexts(ledger: Ledger) -> list[str]:
    """Parts of life that any party reads under any design, the usual ones first."""
    seen = dict.fromkeys(c for design in ledger.designs for view in design.sees for c in view["contexts"])
    return [c for c in CONTEXT_ORDER if c in seen] + [c for c in seen if c not in CONTEXT_ORDER]


def _panels(ledger: Ledger, coalition: str) -> list[dict[str, Any]]:
    with needs("review"):
        from markupsafe import Markup

    return [
        {
            "name": name,
            "words": _(figures.questions(ledger).get(name, "")),
            "svg": Markup(charts.capability_panel(ledger, coalition, name)),
        }
        for name in figures.capabilities(ledger)
        if ledger.find(coalition=coalition, capability=name)
    ]


def _groups(ledger: Ledger) -> list[dict[str, Any]]:
    with needs("review"):
        from markupsafe import Markup

    found = []
    for by in dict.fromkeys(g["by"] for design in ledger.designs for g in design.groups):
        rows = [(design.design, g) for design in ledger.designs for g in design.groups if g["by"] == by]
        names = {g["group"] for _, g in rows}
        told = not any(name.isdigit() for name in names)  # a bare code in a legend tells a reader nothing
        charted = told and len(names) <= CHARTED_GROUPS and any(g["good_refused"] for _, g in rows)
        svg = Markup(charts.groups_panel(ledger, by)) if charted else ""
        found.append({"by": by, "rows": rows, "svg": svg})
    return found
