"""A town: two banks, bureau, lender, log, witnesses and relay as services over TLS, and what an order finds at each.

Run it with ``python examples/town.py``. Every claim is checked on the lines below it. The people are made up. Here all
services are threads of one process; ``blindscore town up`` makes each a process of its own.
"""

import tempfile
from pathlib import Path

from blindscore_app.town.board import apply_all, prepare, whom
from blindscore_app.town.folders import PUBLIC, UNSERVED, WALLETS, folder_of
from blindscore_app.town.order import seize
from blindscore_app.town.running import running_here

PEOPLE = 3

with tempfile.TemporaryDirectory() as temporary:
    # 1. Each party gets a folder, keys and a database of its own; founding then forgets them.
    folder = Path(temporary) / "town"
    town, passphrase, clear = prepare(folder, "one-show", PEOPLE, seed=3, history=500, delay_s=1, banks=2)
    known = whom(folder)
    files = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    assert not any(passphrase.encode() in content for content in files)
    print(f"1. {', '.join(town.roles)} are founded; the passphrase of their keys lies in no file.")

    # 2. People log in at their sources and have their figures signed; later they apply, through the relay.
    with running_here(town, passphrase) as services:
        played = apply_all(town)
        reached = services["lender"].front.meter.served.total()
        counts = {count.to: count for count in services["relay"].relay.counts()}

    # 3. The lender has decided as the scorecard does that reads everything.
    assert played["decision"].tolist() == clear.tolist()
    print(f"2. {PEOPLE} people applied; {int(clear.sum())} approved, as the clear scorecard says.")

    # 4. All that reached the lender came from the relay, which publishes that nothing stayed unanswered.
    lender = counts["lender"]
    assert lender.passed == lender.answered == reached > 0
    assert lender.unserved == 0
    assert not list((folder / WALLETS).rglob(UNSERVED))
    print(f"3. The relay passed on {lender.passed} sealed requests to the lender, and {lender.answered} were answered.")

    # 5. An order on the lender's files finds one bit a person, and nobody's name or figure.
    at_lender = seize(folder_of(folder, "lender"), known)
    assert sum(one.decisions for one in at_lender) == PEOPLE
    assert all(one.named == one.read == 0 for one in at_lender)

    # 6. At the relay it finds counts; in the public folder nobody.
    for name in ("relay", PUBLIC):
        assert all(one.named == one.read == one.decisions == 0 for one in seize(folder_of(folder, name), known))

    # 7. At the bank it finds everybody, by name, with figures: that is what it always was.
    records = next(one for one in seize(folder_of(folder, "bank"), known) if one.place == "table records")
    assert records.named == records.read == PEOPLE
    print(f"4. Orders find: at the lender {PEOPLE} bits and nobody, at the relay counts, at the bank {PEOPLE} by name.")
