"""Published figures that the synthetic society is calibrated to, each with its source and how well it is known here.

Status: *documented* = read in the source or in its abstract; *reported* = read in somebody else's account of the
source; *recalled* = from memory, not looked up again: verify before relying on it. A tolerance is the distance that a
test allows between a target and what a society of 60,000 people reaches; it covers sampling error and the model's lack
of fit, and says nothing about the figure's own accuracy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["documented", "reported", "recalled"]

BERG = "Berg, Burg, Gombovic and Puri, Review of Financial Studies 33(7), 2020"
KOSINSKI = "Kosinski, Stillwell and Graepel, PNAS 110(15), 2013"
KOSINSKI_PRESS = f"{KOSINSKI}, as the press gave it"
MONTJOYE = "de Montjoye, Radaelli, Singh and Pentland, Science 347(6221), 2015"
TOURNIER = "Tournier and de Montjoye, Science Advances 8(33), 2022"
FED = "Federal Reserve Board, Report to the Congress on Credit Scoring, 2007, tables of differential effect"
BLS_2005 = "US Bureau of Labor Statistics, Usual Weekly Earnings, fourth quarter 2005 (full-time)"
BLS_1999 = "US Bureau of Labor Statistics, The Editor's Desk, 23 July 1999 (men, full-time)"
EUROSTAT = "Eurostat, EU-SILC, Gini of equivalised disposable income, EU, 2025, as the press gave it"
CDC = "US Centers for Disease Control, Tobacco Product Use among Adults, 2020, as a blog on demography gave it"
WILLIAMS = "Badgett, Choi and Wilson, LGBT Poverty in the United States, 2019, as the press gave it"
LOGAN = "Logan and Stults, The Persistence of Segregation in the Metropolis, 2011"
PRRI = "Public Religion Research Institute, American Values Survey 2013 (up to seven confidants), as the press gave it"
PEW = "Pew Research Center, Changing Partisan Coalitions, 2024; white voters' 41% recalled"
VENTURA = "Ventura, Abma, Mosher and Henshaw, National Vital Statistics Reports 56(15), 2008"
UGANDER = "Ugander, Karrer, Backstrom and Marlow, arXiv:1111.4503, 2011"


@dataclass(frozen=True)
class Fact:
    """One published figure and how near the society must come."""

    name: str
    what: str
    value: float
    tolerance: float  # absolute, in the value's unit
    status: Status
    source: str

    def holds(self, reached: float) -> bool:
        """Whether a reached figure lies within the tolerance."""
        return abs(reached - self.value) <= self.tolerance


def _relative(name: str, what: str, rate: float, mean: float, tolerance: float) -> Fact:
    """A default rate as a multiple of the sample's mean, since the society's own rate is a setting."""
    return Fact(name, f"default rate over the mean: {what}", rate / mean, tolerance, "documented", BERG)


_OWN_SUM = "(own sum: births last .75, losses .2 of a year: .057 in the US of 2004; births fell by a fifth)"
_MEAN = 0.94  # % of orders that default, in the sample of Berg et al. (documented)
FACTS: tuple[Fact, ...] = (
    Fact("auc_bureau", "AUC of default from bureau-type features", 0.683, 0.015, "documented", BERG),
    Fact("auc_footprint", "AUC of default from the digital footprint", 0.696, 0.015, "recalled", BERG),
    Fact("auc_both", "AUC of default from both", 0.736, 0.015, "recalled", BERG),
    _relative("quintile_1", "worst fifth by bureau features", 2.12, _MEAN, 0.3),
    _relative("quintile_2", "second fifth", 1.02, _MEAN, 0.2),
    _relative("quintile_3", "third fifth", 0.68, _MEAN, 0.15),
    _relative("quintile_4", "fourth fifth", 0.47, _MEAN, 0.15),
    _relative("quintile_5", "best fifth", 0.39, _MEAN, 0.12),
    Fact("share_desktop", "share of orders from a desktop", 0.59, 0.015, "documented", BERG),
    Fact("share_tablet", "share of orders from a tablet", 0.17, 0.015, "documented", BERG),
    Fact("share_mobile", "share of orders from a mobile", 0.10, 0.015, "documented", BERG),
    _relative("desktop", "desktop", 0.74, _MEAN, 0.12),
    _relative("tablet", "tablet", 0.91, _MEAN, 0.2),
    _relative("mobile", "mobile", 2.14, _MEAN, 0.4),
    _relative("ios", "iOS", 1.07, _MEAN, 0.25),
    _relative("android", "Android", 1.79, _MEAN, 0.3),
    _relative("t_online", "T-Online address", 0.51, _MEAN, 0.15),
    _relative("hotmail", "Hotmail address", 1.45, _MEAN, 0.25),
    _relative("yahoo", "Yahoo address", 1.96, _MEAN, 0.35),
    _relative("typo", "mistyped e-mail address", 5.09, _MEAN, 1.2),
    Fact("auc_party", "AUC of party from conduct", 0.85, 0.02, "documented", KOSINSKI),
    Fact("auc_ethnicity", "AUC of ethnicity from conduct", 0.95, 0.02, "documented", KOSINSKI),
    Fact("auc_gay_men", "AUC of orientation from conduct, men", 0.88, 0.02, "documented", KOSINSKI),
    Fact("auc_gay_women", "AUC of orientation from conduct, women", 0.75, 0.03, "reported", KOSINSKI_PRESS),
    Fact("auc_sex", "AUC of sex from conduct", 0.93, 0.02, "reported", KOSINSKI_PRESS),
    Fact("auc_religion", "AUC of religion from conduct", 0.82, 0.02, "reported", KOSINSKI_PRESS),
    Fact("auc_smoker", "AUC of smoking from conduct", 0.73, 0.02, "reported", KOSINSKI_PRESS),
    Fact("auc_drinker", "AUC of drinking from conduct", 0.70, 0.02, "reported", KOSINSKI_PRESS),
    Fact("auc_single", "AUC of being single from conduct", 0.67, 0.025, "reported", KOSINSKI_PRESS),
    Fact("auc_drugs", "AUC of drug use from conduct", 0.65, 0.02, "reported", KOSINSKI_PRESS),
    Fact("four_points", "share of people whom four sightings single out", 0.90, 0.025, "documented", MONTJOYE),
    Fact(
        "found_again",
        "share found again a month later (there: groceries; here: all conduct)",
        0.652,
        0.06,
        "documented",
        TOURNIER,
    ),
    Fact(
        "clustering", "share of friend pairs who are friends, person of median degree", 0.14, 0.03, "reported", UGANDER
    ),
    Fact("fewer_friends", "share with fewer friends than their friends' median", 0.836, 0.03, "reported", UGANDER),
    Fact("connected", "share of people in the largest component", 0.9991, 0.002, "documented", UGANDER),
    Fact("median_degree", "median over mean number of friends (99 of 190)", 0.52, 0.05, "recalled", UGANDER),
    Fact("pregnant", f"share of women of 18 to 42 who are pregnant {_OWN_SUM}", 0.046, 0.01, "reported", VENTURA),
)

# Group one and two stand for the groups with the largest and second largest gap in the United States. A gap is the
# difference of mean percentiles of a score trained on bank and bureau features, among people with a financial history.
DISPARITIES: tuple[Fact, ...] = (
    Fact("gap_one", "score percentiles that group one lies under the majority", 28.3, 2.5, "documented", FED),
    Fact("gap_two", "score percentiles that group two lies under the majority", 15.7, 2.5, "documented", FED),
    Fact("gap_single", "score percentiles that single people lie under others", 12.8, 2.5, "documented", FED),
    Fact("gap_women", "score percentiles that women lie over men", 1.2, 1.5, "documented", FED),
    Fact("gini", "Gini of income", 0.294, 0.02, "reported", EUROSTAT),
    Fact("pay_women", "median income of women over men's", 0.804, 0.03, "documented", BLS_2005),
    Fact("pay_one", "median income of group one over the majority's", 0.782, 0.03, "documented", BLS_2005),
    Fact("pay_two", "median income of group two over the majority's", 0.702, 0.03, "documented", BLS_2005),
    Fact("pay_young", "median income of ages under 25 over that of 45 to 54", 0.454, 0.04, "documented", BLS_1999),
    Fact("pay_old", "median income of ages 65 and over over that of 45 to 54", 0.556, 0.04, "documented", BLS_1999),
    Fact("poor_lgb", "LGB people under the income that 15.7% of others stay under", 0.216, 0.03, "reported", WILLIAMS),
    Fact("smoke", "share who smoke", 0.125, 0.02, "reported", CDC),
    Fact("smoke_poor", "share who smoke, poorest fourth (under 35,000 USD)", 0.202, 0.03, "reported", CDC),
    Fact("smoke_rich", "share who smoke, richest third (over 100,000 USD)", 0.062, 0.03, "reported", CDC),
    Fact("smoke_18", "share who smoke, ages 18 to 24", 0.074, 0.025, "reported", CDC),
    Fact("smoke_25", "share who smoke, ages 25 to 44", 0.141, 0.02, "reported", CDC),
    Fact("smoke_45", "share who smoke, ages 45 to 64", 0.149, 0.02, "reported", CDC),
    Fact("smoke_65", "share who smoke, ages 65 and over", 0.090, 0.02, "reported", CDC),
    Fact("apart_one", "dissimilarity of areas, group one and majority", 0.591, 0.04, "recalled", LOGAN),
    Fact("apart_two", "dissimilarity of areas, group two and majority", 0.485, 0.04, "recalled", LOGAN),
    Fact("own_majority", "share of the majority's ties that stay in it", 0.91, 0.04, "reported", PRRI),
    Fact("own_one", "share of group one's ties that stay in it", 0.83, 0.04, "reported", PRRI),
    Fact("own_two", "share of group two's ties that stay in it", 0.64, 0.05, "recalled", PRRI),
    Fact("party_one", "log-odds of the opposition, group one over majority", 1.95, 0.25, "reported", PEW),
    Fact("party_two", "log-odds of the opposition, group two over majority", 0.81, 0.25, "reported", PEW),
)
# What the society with disparities misses of FACTS: groups that keep to themselves crowd a network of 18 friends.
MISSED_WITH_DISPARITIES = ("clustering",)
