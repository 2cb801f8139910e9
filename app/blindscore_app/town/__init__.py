"""The town: every party of a design a process of its own, over TLS, on a database of its own.

::

    wallet --https, login or nothing--> bank, lender      Service (ASGI) around a Party; Lines carries its messages on
    lender --https, both certificates--> helper, auditor  SqliteStore or PostgresStore keeps what it acknowledged
    letterbox: around a party whose wallets hold no line open; parts/: what each design brings
              |
              tap: forwards bytes, adds the delay of a link, and writes down sizes and times, as an observer of the line

The parties are those that sit at a :class:`~blindscore.parties.table.Table`; only what carries their messages differs.
"""
