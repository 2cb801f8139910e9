"""Names of the society's variables: latents, traits, features; and the schema that says who holds what.

The integers are column numbers inside the kernels; their order is the order of the tables.
"""

from __future__ import annotations

from blindscore.people.population import FINANCIAL, Feature, Schema

# Latents and demographics: the roots of the model. All but the marked ones are standard normal.
AGE, SEX, AREA, CHILD, THIN = 0, 1, 2, 3, 4  # years; 1 = female; postal area; small child 0/1; thin file 0/1
CONSC, MEANS, STRAIN, DIGITAL = 5, 6, 7, 8
POLITICS, PIETY, FRAILTY, HEDONISM, SOCIABLE, ORIENT, DESCENT = 9, 10, 11, 12, 13, 14, 15
N_ROOTS = 16

TRAITS = (
    "party",
    "religion",
    "orientation",
    "ethnicity",
    "smoker",
    "drinker",
    "drugs",
    "single",
    "illness",
    "rare_illness",
    "pregnant",
)
(PARTY, RELIGION, ORIENTATION, ETHNICITY, SMOKER, DRINKER, DRUGS, SINGLE, ILLNESS, RARE_ILLNESS, PREGNANT) = range(11)
SECRETS = (
    "party",
    "religion",
    "orientation",
    "smoker",
    "illness",
    "pregnant",
)  # the ones measured unless told otherwise

_MONEY = (
    ("income", "bank", "EUR a month"),
    ("rent_to_income", "bank", "share"),
    ("account_age", "bank", "years"),
    ("savings", "bank", "months of outgoings"),
    ("overdrafts", "bank", "months of 24"),
    ("late_utility_bills", "bank", "bills of 24"),
    ("utilisation", "bureau", "share of the limit"),
    ("arrears_months", "bureau", "months of 24"),
    ("enquiries", "bureau", "in 24 months"),
    ("credit_lines", "bureau", "accounts"),
)
(INCOME, RENT, ACCOUNT_AGE, SAVINGS, OVERDRAFTS, LATE_BILLS, UTILISATION, ARREARS, ENQUIRIES, LINES) = range(10)

OS = ("Windows", "macOS", "Android", "iOS", "other")
HOSTS = ("gmx", "web.de", "t-online", "gmail", "yahoo", "hotmail", "other")
DEVICES = ("desktop", "tablet", "mobile", "unknown")
_DEVICE = (
    ("device_type", "", "category"),
    ("operating_system", "", "category"),
    ("email_host", "", "category"),
    ("email_typo", "0 or 1", "number"),
    ("email_number", "0 or 1", "number"),
    ("email_name", "0 or 1", "number"),
    ("lower_case", "0 or 1", "number"),
    ("night_order", "0 or 1", "number"),
)
(DEVICE_TYPE, SYSTEM, HOST, TYPO, NUMBER, NAME, LOWER, NIGHT) = range(8)

_SHOP = (
    ("groceries", "EUR a month"),
    ("nappies", "packs a month"),
    ("alcohol", "EUR a month"),
    ("tobacco", "EUR a month"),
    ("games_hours", "hours a week"),
    ("medicines", "packs a month"),
    ("supplements", "packs a month"),
    ("books", "a month"),
    ("special_diet", "EUR a month"),
    ("cosmetics", "EUR a month"),
)
(GROCERIES, NAPPIES, ALCOHOL, TOBACCO, GAMES, MEDICINES, SUPPLEMENTS, BOOKS, DIET, COSMETICS) = range(10)
_BROWSE = ("news", "health", "faith", "parenting", "dating", "shopping", "other")
N_SHOP, N_BROWSE = len(_SHOP), len(_BROWSE)
BROWSE = N_SHOP  # first browsing column of the conduct table
_POSTS = ("opposition", "government", "faith", "health", "family", "nightlife", "pride", "sport", "minority_language")
N_POSTS = len(_POSTS)
POSTS = BROWSE + N_BROWSE
N_CONDUCT = POSTS + N_POSTS
_SOCIAL = (
    ("friends_count", "people"),
    ("friends_mean_arrears", "months of 24"),
    ("friends_opposition_posts", "posts a month"),
)

CONDUCT_NAMES = (
    *(name for name, _ in _SHOP),
    *(f"browse_{name}" for name in _BROWSE),
    *(f"post_{name}" for name in _POSTS),
)
MONEY_NAMES = tuple(name for name, _, _ in _MONEY)
DEVICE_NAMES = tuple(name for name, _, _ in _DEVICE)
SOCIAL_NAMES = tuple(name for name, _ in _SOCIAL)


def society_schema(secrets: tuple[str, ...] = SECRETS) -> Schema:
    """Schema of every synthetic society, with the given secrets as its sensitive columns."""
    return Schema(
        features=(
            *(Feature(name, source, FINANCIAL, unit) for name, source, unit in _MONEY),
            *(
                Feature(name, "browser", "device", unit, "category" if kind == "category" else "number")
                for name, unit, kind in _DEVICE
            ),
            *(Feature(name, "shop", "shopping", unit) for name, unit in _SHOP),
            *(Feature(f"browse_{name}", "browser", "browsing", "share of pages") for name in _BROWSE),
            *(Feature(f"post_{name}", "social network", "posts", "posts a month") for name in _POSTS),
            *(Feature(name, "social network", "social", unit) for name, unit in _SOCIAL),
        ),
        sensitive=secrets,
        register=("age_band", "sex", "region"),
    )
