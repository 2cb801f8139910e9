"""What a column's name suggests: plain words, a unit, a part of life, an outcome, a sensitive fact. Guesses all."""

from __future__ import annotations

import re


def listed(text: str, between: str | None = None) -> tuple[str, ...]:
    """Words of a text, parted by blanks unless told otherwise."""
    return tuple(text.split(between))


# Outcome by name, the likeliest first; GOOD_IF_ONE names those whose 1 is good.
OUTCOMES = listed(
    "target|default|defaulted|bad|is bad|isbad|y|label|outcome|serious dlqin2yrs|seriousdlqin2yrs|bankrupt|bankruptcy|"
    "default payment next month|default.payment.next.month|bad flag|default flag|target flag|charged off|delinquent|"
    "deny|denied|loan status|credit risk|risk|class|status|response|good bad|gb|good|"
    "approved|accepted|paid|repaid",
    "|",
)
GOOD_IF_ONE = frozenset(("good", "approved", "accepted", "paid", "repaid"))

SENSITIVE = listed(
    "sex|gender|male|female|race|racial|ethnic|ethnicity|black|afam|hispanic|religion|religious|faith|politics|political|"
    "party|nationality|national|native|citizenship|foreign|foreigner|immigrant|marital|marriage|married|single|age|birth|"
    "birthdate|dob|disability|disabled|health|illness|pregnant|orientation|union|caste|tribe|language",
    "|",
)

CONTEXTS = {
    "shopping": "basket purchase purchases shop shopping merchant product cart order orders store brand",
    "browsing": "browser click clicks page pages visit visits session url domain search referrer utm",
    "posts": "post posts tweet tweets like likes comment comments sentiment text",
    "social": "friend friends contact contacts follower followers social network connections",
    "device": "device phone mobile os operating email app ip battery screen carrier",
}

# unit -> words of a name; the first that fits wins
UNITS = {
    "years": "age years year yr yrs",
    "months": "months month mos mths",
    "days": "days day",
    "%": "pct percent percentage",
    "share": "ratio rate util utilization utilisation share dti ltv",
    "count": "num number count times no nr cnt open inq inquiries accounts accs dependents late delinq children",
    "money": "amount amt income salary balance bal limit price cost debt loan payment pay pmt value revenue assets fee "
    "credit installment savings due wage cash capital expenses",
}
IDENTIFIER = frozenset(
    listed("id ids key uuid guid number no nr ssn iban account customer client member reference ref index rowid")
)


def words_of(name: str) -> list[str]:
    """Split a column's name into small words: ``monthsSinceLast_delinq`` gives months, since, last, delinq."""
    parts = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name)
    return [word for word in re.split(r"[^A-Za-z0-9]+", parts.lower()) if word]


def plain_name(name: str) -> str:
    """The name in plain words."""
    return " ".join(words_of(name)) or name


def outcome_rank(name: str) -> int | None:
    """Place of a name among those of outcomes, 0 the likeliest; None: it is no such name."""
    plain = plain_name(name)
    joined = plain.replace(" ", "")
    for k, known in enumerate(OUTCOMES):
        if plain == known or joined == known.replace(" ", ""):
            return k
    return None


def is_sensitive(name: str) -> bool:
    """Whether a name suggests what the law or decency keeps out of a score."""
    return bool(set(words_of(name)) & set(SENSITIVE))


def is_identifier(name: str) -> bool:
    """Whether a name suggests a number of a person or a row."""
    parts = words_of(name)
    return bool(parts) and (
        parts[-1] in IDENTIFIER or parts[0] in ("id", "uuid", "rowid") or name.lower().endswith("id")
    )


def context_of(name: str) -> str:
    """The part of life that a name suggests; financial where nothing else does."""
    own = set(words_of(name))
    return next((context for context, names in CONTEXTS.items() if own & set(names.split())), "financial")


def unit_of(name: str) -> str:
    """The unit that a name suggests; empty where nothing does."""
    own = set(words_of(name))
    return next((unit for unit, names in UNITS.items() if own & set(names.split())), "")
