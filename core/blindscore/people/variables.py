"""Names of the society's variables: latents, traits, features; and the schema that says who holds what.

The integers are column numbers inside the kernels; their order is the order of the tables.
"""

from __future__ import annotations

from blindscore.people.population import FINANCIAL, Feature, Schema

# Latents and demographics: the roots of the model. All but the marked ones are standard normal.
# EARN: log of income beyond MEANS; SMOKY, ALONE: pull towards smoking and being single; SIDE: whom one meets.
AGE, SEX, AREA, CHILD, THIN = 0, 1, 2, 3, 4  # years; 1 = female; postal area; small child 0/1; thin file 0/1
CONSC, MEANS, STRAIN, DIGITAL = 5, 6, 7, 8
POLITICS, PIETY, FRAILTY, HEDONISM, SOCIABLE, ORIENT, DESCENT = 9, 10, 11, 12, 13, 14, 15
GROUP = 16  # ethnic group: 0 = majority
EARN, SMOKY, ALONE, SIDE = 17, 18, 19, 20  # ties that only the disparate society has; 0 in the other
N_ROOTS = 21

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
)  # the ones measured in the independent society unless told otherwise
DISPARATE_SECRETS = ("party", "religion", "orientation", "ethnicity", "smoker", "single", "illness", "pregnant")

# Columns: name, (source,) unit, plain name.
_MONEY = (
    ("income", "bank", "EUR a month", "income"),
    ("rent_to_income", "bank", "share of income", "rent"),
    ("account_age", "bank", "years", "age of the bank account"),
    ("savings", "bank", "months of outgoings", "savings"),
    ("overdrafts", "bank", "months of 24", "months that end with an empty account"),
    ("late_utility_bills", "bank", "bills of 24", "household bills paid late"),
    ("utilisation", "bureau", "share of the limit", "credit card limit in use"),
    ("arrears_months", "bureau", "months of 24", "months in arrears"),
    ("enquiries", "bureau", "in 24 months", "applications for credit"),
    ("credit_lines", "bureau", "accounts", "credit accounts"),
)
(INCOME, RENT, ACCOUNT_AGE, SAVINGS, OVERDRAFTS, LATE_BILLS, UTILISATION, ARREARS, ENQUIRIES, LINES) = range(10)

OS = ("Windows", "macOS", "Android", "iOS", "other")
HOSTS = ("gmx", "web.de", "t-online", "gmail", "yahoo", "hotmail", "other")
DEVICES = ("desktop", "tablet", "mobile", "unknown")
_DEVICE = (
    ("device_type", "kind", "device"),
    ("operating_system", "kind", "operating system"),
    ("email_host", "kind", "provider of the e-mail address"),
    ("email_typo", "0 or 1", "e-mail address mistyped"),
    ("email_number", "0 or 1", "number in the e-mail address"),
    ("email_name", "0 or 1", "own name in the e-mail address"),
    ("lower_case", "0 or 1", "name typed in lower case"),
    ("night_order", "0 or 1", "orders between midnight and six"),
)
N_WORDS = 3  # the first so many device features are categories
(DEVICE_TYPE, SYSTEM, HOST, TYPO, NUMBER, NAME, LOWER, NIGHT) = range(8)

_SHOP = (
    ("groceries", "EUR a month", "groceries"),
    ("nappies", "packs a month", "nappies"),
    ("alcohol", "EUR a month", "alcohol"),
    ("tobacco", "EUR a month", "tobacco"),
    ("games_hours", "hours a week", "video games played"),
    ("medicines", "packs a month", "medicines"),
    ("supplements", "packs a month", "food supplements"),
    ("books", "a month", "books bought"),
    ("special_diet", "EUR a month", "food for a religious or special diet"),
    ("cosmetics", "EUR a month", "cosmetics"),
)
(GROCERIES, NAPPIES, ALCOHOL, TOBACCO, GAMES, MEDICINES, SUPPLEMENTS, BOOKS, DIET, COSMETICS) = range(10)
_BROWSE = (
    ("news", "pages read on politics"),
    ("health", "pages read on health"),
    ("faith", "pages read on faith"),
    ("parenting", "pages read on bringing up children"),
    ("dating", "pages read on dating sites"),
    ("shopping", "pages read in shops"),
    ("other", "other pages read"),
)
N_SHOP, N_BROWSE = len(_SHOP), len(_BROWSE)
BROWSE = N_SHOP  # first browsing column of the conduct table
_POSTS = (
    ("opposition", "posts for the opposition"),
    ("government", "posts for the government"),
    ("faith", "posts about faith"),
    ("health", "posts about health"),
    ("family", "posts about family"),
    ("nightlife", "posts about nights out"),
    ("pride", "posts about gay pride"),
    ("sport", "posts about sport"),
    ("minority_language", "posts in a minority's language"),
)
N_POSTS = len(_POSTS)
POSTS = BROWSE + N_BROWSE
N_CONDUCT = POSTS + N_POSTS
_SOCIAL = (
    ("friends_count", "people", "number of friends"),
    ("friends_mean_arrears", "months of 24, mean", "friends' months in arrears"),
    ("friends_opposition_posts", "posts a month, mean", "friends' posts for the opposition"),
)

CONDUCT_NAMES = (
    *(name for name, *_ in _SHOP),
    *(f"browse_{name}" for name, _ in _BROWSE),
    *(f"post_{name}" for name, _ in _POSTS),
)
MONEY_NAMES = tuple(name for name, *_ in _MONEY)
DEVICE_NAMES = tuple(name for name, *_ in _DEVICE)
SOCIAL_NAMES = tuple(name for name, *_ in _SOCIAL)


def society_schema(secrets: tuple[str, ...] = SECRETS, *, named: bool = False) -> Schema:
    """Schema of every synthetic society, with the given secrets as its sensitive columns, and names if so asked."""
    return Schema(
        features=(
            *(Feature(name, source, FINANCIAL, unit, plain=plain) for name, source, unit, plain in _MONEY),
            *(
                Feature(name, "browser", "device", unit, "category" if k < N_WORDS else "number", plain)
                for k, (name, unit, plain) in enumerate(_DEVICE)
            ),
            *(Feature(name, "shop", "shopping", unit, plain=plain) for name, unit, plain in _SHOP),
            *(
                Feature(f"browse_{name}", "browser", "browsing", "share of pages", plain=plain)
                for name, plain in _BROWSE
            ),
            *(Feature(f"post_{name}", "social network", "posts", "a month", plain=plain) for name, plain in _POSTS),
            *(Feature(name, "social network", "social", unit, plain=plain) for name, unit, plain in _SOCIAL),
        ),
        sensitive=secrets,
        register=("age_band", "sex", "region", *(("name",) if named else ())),
    )
