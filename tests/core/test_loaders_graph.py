"""Real friendship graphs: who is kept, which ties, which attributes, and what is refused."""

from pathlib import Path

import numpy as np
import pytest

from blindscore.errors import DataError
from blindscore.people.files.graph_files import load_graph
from blindscore.people.population import Population

DATA = Path(__file__).parents[3] / "shared" / "data"
EDGES = "u,v\n1,2\n2,3\n3,2\n3,3\n4,1\n9,1\n5,1\n"
HELD = """node,category,code
1,gender,77
2,gender,78
3,gender,77
4,gender,78
5,gender,77
5,gender,78
9,school,6
1,school,6
2,school,6
2,school,6
3,school,7
4,town,6
"""


@pytest.fixture
def load(tmp_path: Path):
    def load(edges: str = EDGES, held: str = HELD, secret: str = "gender", least: int = 1) -> Population:
        (tmp_path / "edges.csv").write_text(edges)
        (tmp_path / "held.csv").write_text(held)
        return load_graph(tmp_path / "edges.csv", tmp_path / "held.csv", secret, least=least)

    return load


def test_people_who_state_the_secret_once_are_kept_with_their_ties(load) -> None:
    people = load()
    assert people.register["legal_id"].tolist() == ["1", "2", "3", "4"]
    assert people.sensitive["gender"].tolist() == ["77", "78", "77", "78"]
    assert people.friends.tolist() == [[0, 1], [0, 3], [1, 2]]
    assert people.features.columns.tolist() == ["school 6", "school 7", "town 6"]
    assert people.features["school 6"].tolist() == [1.0, 1.0, 0.0, 0.0]
    assert people.history.sum() == 2
    assert not people.default.any()
    assert load(least=2).features.columns.tolist() == ["school 6"]


def test_a_graph_whose_people_state_the_secret_alone_has_their_ties_for_a_figure(load) -> None:
    bare = load(held="\n".join(line for line in HELD.splitlines() if "gender" in line or "node" in line) + "\n")
    assert bare.features.columns.tolist() == ["ties"]
    assert bare.features["ties"].tolist() == [2.0, 2.0, 1.0, 1.0]
    assert bare.schema["ties"].context == "social"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"secret": "religion"}, "'religion' has 0 classes"),
        ({"held": HELD.replace(",78", ",77")}, "'gender' has 1 classes"),
        ({"least": 5}, "no attribute is held by 5 people"),
        ({"edges": "u,v\na,b\n"}, "no tie joins two people"),
        ({"edges": "u,w\n1,2\n"}, "columns missing: v"),
    ],
)
def test_graphs_that_hold_nothing_are_refused(load, changes: dict, said: str) -> None:
    load()  # the twin that is accepted
    with pytest.raises(DataError, match=said):
        load(**changes)


def test_the_real_graph_is_read_and_its_friends_are_alike() -> None:
    edges = DATA / "ego_facebook_edges.csv.gz"
    if not edges.exists():
        pytest.skip(f"{edges.name} is not here: put the public data set beside the checkout, in shared/data")
    people = load_graph(edges, DATA / "ego_facebook_features.csv.gz", "gender")
    assert len(people) == 3_955  # who state a gender, of 4,039
    assert people.sensitive["gender"].value_counts().to_dict() == {"78": 2_423, "77": 1_532}
    assert people.features.shape[1] > 150
    held = people.features.to_numpy()
    first, second = people.friends.T
    strangers = np.random.default_rng(0).permutation(second)
    shared = (held[first] * held[second]).sum(axis=1).mean()
    assert shared > 1.3 * (held[first] * held[strangers]).sum(axis=1).mean()
