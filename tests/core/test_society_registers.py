"""When and how often people apply, which bank signs, and what registers outside know of them."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from blindscore.errors import DataError, ParameterError
from blindscore.people.applying import BANKS
from blindscore.people.population import Feature, Schema
from blindscore.people.registers import REGISTERS, credit_register, friend_list, name_register, tax_roll
from blindscore.people.society import Society, make_society
from blindscore.people.variables import AGE, CHILD, SEX
from blindscore.surveillance.planted import people as population


@pytest.fixture(scope="module", params=["independent", "disparate"])
def society(request: pytest.FixtureRequest) -> Society:
    return make_society(6_000, seed=3, kind=request.param)


@pytest.fixture(scope="module")
def year(society: Society) -> pd.DataFrame:
    return society.applications(12)


def test_everybody_applies_once_now_and_later_when_the_ledger_says_so(society: Society, year: pd.DataFrame) -> None:
    now = year[year["month"] == 0]
    assert now["person"].tolist() == list(range(len(society)))
    assert society.applications().equals(now.reset_index(drop=True))
    later = society.later(12).ledger()
    enquiries = later[later["month"].between(13, 23)].groupby("person")["enquiry"].sum()
    assert (year.groupby("person").size() - 1).tolist() == enquiries.astype(int).tolist()


def test_applications_are_the_same_again_and_in_range(society: Society, year: pd.DataFrame) -> None:
    assert society.applications(12).equals(year)
    assert year["day"].between(0, 29).all()
    assert year["hour"].between(0, 23).all()
    assert set(year["bank"]) == set(BANKS)
    assert not year.duplicated(["person", "month"]).any()


def test_hours_tell_of_the_night_the_child_and_age(society: Society, year: pd.DataFrame) -> None:
    night = society.features["night_order"].to_numpy()[year["person"]] == 1
    small = (year["hour"] < 6).to_numpy()
    assert small[night].mean() == pytest.approx(0.8, abs=0.05)
    assert not small[~night].any()
    child, old = society.roots[year["person"], CHILD] == 1, society.roots[year["person"], AGE] > 65
    assert year["hour"][child & ~night].mean() > 18 > 12 > year["hour"][old & ~night].mean()


def test_an_hour_is_a_habit(society: Society, year: pd.DataFrame) -> None:
    plain = (society.features["night_order"] == 0) & (society.roots[:, CHILD] == 0) & (society.roots[:, AGE] <= 65)
    hours = year[plain.to_numpy()[year["person"]]].groupby("person")["hour"].agg(["first", "last", "size"])
    twice = hours[hours["size"] > 1]
    assert np.corrcoef(twice["first"], twice["last"])[0, 1] > 0.5


def test_who_owes_more_applies_more_often(society: Society, year: pd.DataFrame) -> None:
    often = year.groupby("person").size().to_numpy() > 1
    use = society.features["utilisation"].to_numpy()
    known = ~np.isnan(use)
    assert roc_auc_score(often[known], use[known]) > 0.55


def test_a_bank_of_the_person_signs(society: Society, year: pd.DataFrame) -> None:
    held = society.banks()
    assert held["second_bank"].notna().mean() == pytest.approx(0.35, abs=0.03)
    assert (held["bank"] != held["second_bank"]).all()
    own = held.iloc[year["person"]].reset_index(drop=True)
    second = year["bank"] == own["second_bank"]
    assert (second | (year["bank"] == own["bank"])).all()
    assert second[own["second_bank"].notna()].mean() == pytest.approx(0.25, abs=0.05)


def test_of_other_people_nothing_is_known_of_when_they_apply() -> None:
    people = population()
    table = people.applications(12)
    assert table["person"].tolist() == list(range(len(people)))
    assert table["hour"].between(8, 21).all()
    assert set(table["bank"]) == set(people.banks()["bank"]) == {"bank"}
    assert people.banks()["second_bank"].isna().all()


@pytest.mark.parametrize("months", [0, 25])
def test_a_year_has_bounds(society: Society, months: int) -> None:
    for people in (society, population()):
        with pytest.raises(ParameterError, match=f"months must be 1 to 24, got {months}"):
            people.applications(months)


def test_the_tax_roll_has_the_same_income_to_the_euro(society: Society) -> None:
    roll = tax_roll(society).set_index("legal_id")["income"]
    assert roll[society.register["legal_id"]].tolist() == society.features["income"].tolist()
    assert (roll % 1 == 0).all()


def test_registers_are_in_an_order_that_says_nothing(society: Society) -> None:
    for name, register in REGISTERS.items():
        table = register(society)
        assert table["legal_id"].is_monotonic_increasing, name
        assert set(table["legal_id"]) <= set(society.register["legal_id"])


def test_the_credit_register_leaves_out_who_has_no_history(society: Society) -> None:
    held = credit_register(society)
    assert set(held.columns) == {"legal_id", "utilisation", "arrears_months", "enquiries", "credit_lines"}
    known = society.features["arrears_months"].notna()
    assert set(held["legal_id"]) == set(society.register["legal_id"][known])


def test_names_tell_sex_and_mostly_the_group(society: Society) -> None:
    names = name_register(society).set_index("legal_id").loc[society.register["legal_id"], "name"]
    frame = pd.DataFrame({"name": names.to_numpy(), "sex": society.roots[:, SEX], "group": society.traits["ethnicity"]})
    assert (frame.groupby("name")["sex"].nunique() == 1).all()
    guess = frame.groupby("name")["group"].transform(lambda group: (group > 0).mean())
    assert 0.80 < roc_auc_score(frame["group"] > 0, guess) < 0.97


def test_names_stand_in_the_register_of_the_disparate_society_alone(society: Society) -> None:
    tied = society.name.endswith("disparities")
    assert ("name" in society.register) == ("name" in society.schema.register) == tied
    assert "name" not in society.schema.names()


def test_a_friend_list_holds_a_share_of_the_ties_and_a_larger_one_keeps_them(society: Society) -> None:
    ids = society.register["legal_id"].to_numpy()
    ties = {tuple(ids[pair]) for pair in society.friends}
    half, more = ({tuple(row) for row in friend_list(society, share).to_numpy()} for share in (0.5, 0.8))
    assert half < more < ties
    assert len(half) / len(ties) == pytest.approx(0.5, abs=0.02)


LACKING = {
    "tax roll": "no column of numbers 'income'",
    "credit register": "no feature has the source 'bureau'",
    "names": "no names known",
    "friend list": "no friendships",
}


@pytest.mark.parametrize("name", REGISTERS)
def test_a_register_of_people_who_lack_it_is_refused(name: str, society: Society) -> None:
    shop = Schema((Feature("x", "shop"),), sensitive=("party",))
    bare = population(schema=shop, features=pd.DataFrame({"x": np.zeros(1500)}))
    with pytest.raises(DataError, match=LACKING[name]):
        REGISTERS[name](bare)
    with pytest.raises(ParameterError, match="share must lie in"):
        friend_list(society, 0.0)
