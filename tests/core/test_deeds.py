"""People and what they did, from two long tables; and the data that packages bring along, where they are installed."""

from pathlib import Path

import numpy as np
import pytest

from blindscore.errors import DataError
from blindscore.people.calibration import auc
from blindscore.people.deeds import load_deeds
from blindscore.people.packaged import complete_journey, movielens, package_file

DEEDS = "who,product,paid\n1,beer,2\n1,beer,3.5\n1,milk,1\n2,milk,1\n3,milk,4\n3,tea,1\n9,milk,7\n"
PEOPLE = "who,smoker,age\n1,yes,30\n2,no,\n3,,50\n4,no,60\n"


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    deeds, people = tmp_path / "deeds.csv", tmp_path / "people.csv"
    deeds.write_text(DEEDS)
    people.write_text(PEOPLE)
    return deeds, people


def read(files: tuple[Path, Path], **changes: object):
    given = {"who": "who", "what": "product", "amount": "paid", "least": 1}
    return load_deeds(*files, ("smoker",), **(given | changes))


def test_amounts_add_up_by_person_and_thing(files: tuple[Path, Path]) -> None:
    people = read(files, register=("age",))
    assert people.register["legal_id"].tolist() == ["1", "2", "3"]  # 4 did nothing, 9 is nobody known
    assert list(people.features) == ["milk", "beer", "tea"]  # commonest first, then by name
    assert people.features.to_numpy().tolist() == [[1, 5.5, 0], [1, 0, 0], [4, 0, 1]]
    assert people.sensitive["smoker"].isna().tolist() == [False, False, True]
    assert people.register["age"].isna().tolist() == [False, True, False]
    assert {f.source for f in people.schema.features} == {"shop"}


def test_without_an_amount_rows_are_counted_and_rare_things_are_left_out(files: tuple[Path, Path]) -> None:
    assert read(files, amount=None, least=2).features.to_dict("list") == {"milk": [1.0, 1.0, 1.0]}


def test_things_can_be_grouped(files: tuple[Path, Path], tmp_path: Path) -> None:
    groups = tmp_path / "groups.csv"
    groups.write_text("product,kind\nbeer,drink\ntea,drink\nmilk,\n")
    assert read(files, groups=(groups, "kind")).features.to_dict("list") == {"drink": [5.5, 0.0, 1.0]}
    groups.write_text("product,kind\nbeer,drink\nbeer,food\n")
    with pytest.raises(DataError, match="data row 2"):
        read(files, groups=(groups, "kind"))


@pytest.mark.parametrize(
    ("deeds", "people", "said"),
    [
        (DEEDS.replace("3.5", "much"), PEOPLE, "line 3: not a number"),
        (DEEDS.replace("3.5", "inf"), PEOPLE, "no finite number"),
        (DEEDS, PEOPLE + "1,no,20\n", "data row 5"),
        (DEEDS, "who,smoker\n77,yes\n", "same ids"),
        ("who,product\n1,tea\n", PEOPLE, "paid"),
    ],
)
def test_tables_that_make_no_people_are_refused(tmp_path: Path, deeds: str, people: str, said: str) -> None:
    files = tmp_path / "deeds.csv", tmp_path / "people.csv"
    for path, text in zip(files, (deeds, people), strict=True):
        path.write_text(text)
    with pytest.raises(DataError, match=said):
        read(files)


def test_rare_things_alone_are_refused(files: tuple[Path, Path]) -> None:
    with pytest.raises(DataError, match="lower `least`"):
        read(files, least=4)


def test_a_package_that_is_absent_or_lacks_the_file_is_named() -> None:
    with pytest.raises(DataError, match="not installed"):
        package_file("blindscore_no_such_package", "data.csv")
    with pytest.raises(DataError, match="lacks"):
        package_file("blindscore", "no_such_file.csv")


def found(load):
    try:
        return load()
    except DataError as error:
        pytest.skip(str(error))


def test_baskets_of_the_complete_journey_tell_of_children_and_age() -> None:
    people = found(complete_journey)
    assert len(people) == 801
    kids = (people.sensitive["kids_count"] != "0").to_numpy()
    old = people.sensitive["age"].isin(["55-64", "65+"]).to_numpy()
    assert auc(people.features, kids) > 0.54  # a standard error is .02
    assert auc(people.features, old) > 0.75
    assert not np.isnan(people.features.to_numpy()).any()


def test_ratings_of_films_tell_of_sex() -> None:
    people = found(movielens)
    assert len(people) == 943
    assert people.features.to_numpy().max() == 5
    assert auc(people.features, (people.sensitive["gender"] == "F").to_numpy()) > 0.70
