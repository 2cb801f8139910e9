"""Storm: random sequences of operations and faults over real parties and real stores, and what must hold all the same.

::

    village   keys, terms of two epochs, wallets that hold signatures: made once, copied for every sequence
              (blind_village: of an encrypted design, with wallets that hold ciphertexts)
    faulty    a store that crashes its party at a chosen step, or has no room left
    relayed   a relay between wallets and institutions, in every second pair of sequences
    on_disk   stores in files of SQLite, or on a PostgreSQL server
    under_way parties that come and go, and the messages under way between them
    weather   one sequence: deliver, drop, double, replay, crash, kill, fill the disk, jump the clock, and then calm
              (sealed_weather, blind_weather: a family's own chores, and what must hold)
    acknowledged  what was acknowledged on the wire, and the invariants (blind_acknowledged: of letterboxes)
    campaign  many sequences, side by side; the seeds of those that fail

In the manner of deterministic simulation: one seed gives one schedule. Keys and blinding are fresh all the same.
"""
