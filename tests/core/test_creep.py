"""Function creep: each year's view holds the last one's, and what is stored of a person grows."""

from __future__ import annotations

from blindscore.people.society import make_society
from blindscore.surveillance.account.creep import creep, grown
from blindscore.surveillance.attacks.disclose import Disclose


def test_what_is_stored_of_a_person_grows_year_by_year():
    found = creep(make_society(300, seed=2), Disclose(), years=("financial", "nothing of the kind", "device"))
    assert [year.added for year in found] == ["financial", "device"]  # what nobody has adds nothing
    assert found[0].bits < found[1].bits
    assert all(len(year.rows) == 1 and year.auc is not None for year in found)


def test_a_year_reads_all_that_came_before():
    design = grown(("financial", "device", "posts"))
    assert design.reads == ("financial", "device", "posts")
    operator, lender = design.flows
    assert {"financial", "device", "posts", "register"} <= set(operator.fields)
    assert set(lender.fields) == {"register", "score"}
