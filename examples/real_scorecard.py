"""A scorecard for a real credit file: fit, read, explain, export, score. Each claim is checked on the next line.

Run ``python examples/real_scorecard.py [FILE.csv]``; the default file is a public one, Barcelona's credit data.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from blindscore.errors import CardError, DataError
from blindscore.scorecard.forms.json import load_card, save_card
from blindscore.scorecard.forms.sql import card_to_sql
from blindscore.scorecard.monitoring import calibration_error, score_stability
from blindscore.scorecard.quality import auc_interval, auc_loss_interval
from blindscore.scorecard.scorecard import Scorecard

path = Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/data/credit_data_barcelona.csv.gz")
if not path.exists():
    sys.exit(f"{path}: not here; give a CSV file with a column 'bad' (1 = defaulted)")

# Four thousand applicants of a bank, of whom 28% did not pay back. Every third person is kept for judging.
people = pd.read_csv(path)
bad = people.pop("bad").to_numpy() == 1
people = people.astype(dict.fromkeys(people.select_dtypes(exclude="number").columns, "category"))
new = np.arange(len(people)) % 3 == 0
card = Scorecard().fit(people[~new], bad[~new])

# The card ranks people it has never seen, and the interval says how sure that is.
scores = card.score_points(people[new])
quality = auc_interval(bad[new], scores)
print(f"AUC on {new.sum()} new people: {quality.value:.3f} ({quality.low:.3f} to {quality.high:.3f})")
assert quality.low > 0.75

# It beats the classical card on the same people, and its probabilities can be taken at their word.
classical = Scorecard("woe").fit(people[~new], bad[~new])
gain = auc_loss_interval(bad[new], scores, classical.score_points(people[new]))
print(f"gain over weight of evidence: {gain.value:+.3f} ({gain.low:+.3f} to {gain.high:+.3f})")
assert gain.value > 0
assert calibration_error(bad[new], card.predict_proba(people[new])[:, 1]) < 0.05

# This is what a credit officer signs: whole points, one row a bin.
print(card.table().head(12).to_string(index=False))

# The person with the lowest score learns which features cost most, and the points add up to the score.
lowest = people[new].iloc[[int(np.argmin(scores))]]
for reason in card.reasons(lowest)[0]:
    print(f"  {reason.feature} ({reason.bin}): {reason.lost} points short of the best")
total = card.explain(lowest).sum(axis=1).to_numpy()
assert card.card_.clip(total)[0] == scores.min()

# The same people a year later have the same scores; a different crowd is noticed.
assert score_stability(scores, scores) == 0
assert score_stability(scores, scores[bad[new]]) > 0.25

with tempfile.TemporaryDirectory() as folder:
    # The card travels as JSON with a fingerprint. A changed file is refused.
    saved = Path(folder) / "card.json"
    save_card(card.card_, saved)
    assert load_card(saved, expected=card.card_.fingerprint) == card.card_
    saved.write_text(saved.read_text().replace('"base": ', '"base": 1'))
    try:
        load_card(saved)
    except CardError as error:
        print(f"tampered card refused: {error}".replace(folder, "..."))
    else:
        raise AssertionError("a tampered card was accepted")

# SQL gives the same scores where the data lie.
query = card_to_sql(card.card_, "applicants")
try:
    import duckdb
except ImportError:
    print("duckdb is not installed: SQL written but not run")
else:
    connection = duckdb.connect()
    connection.register("applicants", people[new])
    assert (connection.execute(query).fetchnumpy()["score"] == scores).all()
    print(f"{len(scores)} scores by SQL, all equal")

# A value that the card cannot score is named by its row, and never repeated.
spoiled = people[new].copy()
number = spoiled.select_dtypes("number").columns[0]
spoiled[number] = spoiled[number].astype(float)
spoiled.iloc[5, spoiled.columns.get_loc(number)] = np.inf
try:
    card.score_points(spoiled)
except DataError as error:
    print(f"refused: {error}")
else:
    raise AssertionError("an infinity was scored")
