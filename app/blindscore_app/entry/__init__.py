"""The benchmark that strangers enter.

A *submission* is one file: a ledger, the machine that measured it, the versions of all that took part, and how fast
that machine did two things that everybody can do (the *reference*). Whoever checks one measures again what the ledger
says it came from, and holds every deterministic figure to it exactly, and every time within a stated factor.

Two divisions, after MLPerf: *closed*, our society at its full size with the default marks, so that a checker may put a
seed of its own in the place of the submitter's; *open*, anything else. Nothing here makes one index of a ledger.
"""
