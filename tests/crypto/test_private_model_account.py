"""An account that outlives processes, and one that refuses to be forgotten."""

import copy
import multiprocessing
import pickle
import threading

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import GridSearchCV

from blindscore.errors import DataError, ParameterError
from blindscore_crypto.private_model.account_file import FileBudget
from blindscore_crypto.private_model.accounting import Budget, Release
from blindscore_crypto.private_model.domains import Domains, Number
from blindscore_crypto.private_model.estimator import PrivateScorecard
from blindscore_crypto.private_model.opacus_fit import SAMPLING, normals, taking_part

RELEASE = Release("counts", 1.0, 20.0)
DOMAINS = Domains((("age", Number(edges=(30.0, 50.0))),))


def people(n=300, seed=1):
    rng = np.random.default_rng(seed)
    age = rng.uniform(20, 70, n)
    return pd.DataFrame({"age": age}), (rng.random(n) < 0.5 - age / 200).astype(int)


def test_an_account_in_memory_cannot_leave_its_process_and_is_no_copy_of_itself():
    budget = Budget(1.0, 1e-5)
    with pytest.raises(ParameterError, match="cannot go to another process"):
        pickle.dumps(budget)
    assert copy.copy(budget) is budget
    assert copy.deepcopy(budget) is budget


def test_a_search_in_processes_is_refused_and_one_in_this_process_is_charged():
    X, y = people()
    account = Budget(100.0 / 2, 1e-5)
    model = PrivateScorecard(1.0, 1e-5, domains=DOMAINS, account=account)
    grid = {"monotone": [None, "increasing"]}
    with pytest.raises(Exception, match=r"n_jobs=1|pickle"):
        GridSearchCV(model, grid, n_jobs=2, cv=2, refit=False).fit(X, y)
    assert account.record == ()
    GridSearchCV(model, grid, n_jobs=1, cv=2, refit=False).fit(X, y)
    assert len(account.record) >= 4  # two settings, two folds, at least one release each


def charge(path, times, out):
    budget = FileBudget(path, 1.0, 1e-5)
    done = 0
    for _ in range(times):
        try:
            budget.spend(RELEASE)
        except ParameterError:
            continue
        done += 1
    budget.close()
    out.put(done)


def test_processes_share_an_account_in_a_file_and_never_overspend(tmp_path):
    path = tmp_path / "account.db"
    alone = Budget(1.0, 1e-5)
    room = 0
    while True:
        try:
            alone.spend(RELEASE)
        except ParameterError:
            break
        room += 1
    context = multiprocessing.get_context("spawn")
    out = context.Queue()
    others = [context.Process(target=charge, args=(path, room, out)) for _ in range(2)]
    for process in others:
        process.start()
    won = [out.get(timeout=60) for _ in others]
    for process in others:
        process.join()
    assert sum(won) == room
    kept = FileBudget(path, 1.0, 1e-5)
    assert len(kept.record) == room
    assert kept.spent == alone.spent
    again = pickle.loads(pickle.dumps(kept))
    assert again.record == kept.record
    with pytest.raises(ParameterError, match="would bring epsilon to"):
        again.spend(RELEASE)
    again.close()
    kept.close()


def test_an_account_keeps_to_what_it_was_granted(tmp_path):
    first = FileBudget(tmp_path / "a.db", 1.0, 1e-5)
    first.close()
    with pytest.raises(ParameterError, match=r"was granted epsilon 1\.0"):
        FileBudget(tmp_path / "a.db", 2.0, 1e-5)
    (tmp_path / "b.db").write_text("no account " * 100)
    with pytest.raises(DataError, match=r"b\.db"):
        FileBudget(tmp_path / "b.db", 1.0, 1e-5)


def test_a_fit_charges_a_file_like_an_account_in_memory(tmp_path):
    X, y = people()
    account = FileBudget(tmp_path / "a.db", 1.2, 1e-5)
    model = PrivateScorecard(1.0, 1e-5, domains=DOMAINS, account=account).fit(X, y)
    assert account.record == model.releases_
    assert account.spent == pytest.approx(model.epsilon_spent_)
    with pytest.raises(ParameterError, match=r"the budget is 1\.2"):
        PrivateScorecard(1.0, 1e-5, domains=DOMAINS, account=account).fit(X, y)
    account.close()


def test_threads_do_not_overspend():
    budget, won = Budget(1.0, 1e-5), []

    def spend():
        try:
            budget.spend(Release("counts", 1.0, 6.0))
        except ParameterError:
            return
        won.append(1)

    threads = [threading.Thread(target=spend) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == len(budget.record)
    assert budget.spent <= 1.0


def test_people_of_one_class_are_fitted_like_any_others():
    X, y = people()
    for outcome in (np.zeros_like(y), np.ones_like(y), y):
        card = PrivateScorecard(1.0, 1e-5, domains=DOMAINS).fit(X, outcome).card_
        assert card.features == ["age"]
    with pytest.raises(DataError, match=r"row 0: neither 0 \(good\) nor 1 \(bad\)"):
        PrivateScorecard(1.0, 1e-5, domains=DOMAINS).fit(X, np.where(y, "bad", "good"))
    named = PrivateScorecard(1.0, 1e-5, domains=DOMAINS, classes=("good", "bad"))
    assert list(named.fit(X, np.where(y, "bad", "good")).classes_) == ["good", "bad"]


def test_noise_of_descent_is_normal_and_comes_from_the_bytes_that_are_handed_in():
    asked = []

    def source(size):
        asked.append(size)
        return np.random.default_rng(len(asked)).bytes(size)

    draws = normals(100_001, source)
    assert asked == [16 * 50_001]  # 53 bits of every draw, where torch's seed would give 32 for all of them
    assert draws.shape == (100_001,)
    assert abs(draws.mean()) < 0.02
    assert abs(draws.std() - 1) < 0.02
    assert abs((draws**4).mean() - 3) < 0.15
    chosen = taking_part(100_000, source)
    assert abs(len(chosen) / 100_000 - SAMPLING) < 0.004
    assert (np.diff(chosen) > 0).all()
