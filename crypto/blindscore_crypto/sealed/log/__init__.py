"""The public log: everybody is shown the same entries, one a key, or can prove otherwise.

::

    registrar --member: name, role, key--> log keeper  --head, new entries-->  witnesses (n)
    lender, source, office --signed entry-->  |  <-- cosigned: only what extends what they saw, k of n --
                                              |
    wallet --lookup keys--> head with time and k cosignatures, entry or proof of absence, from list and map
    monitor --reads every entry--> alarms

``tree`` is the append-only list, ``keymap`` the map beside it, ``entries`` what may be logged and under which keys,
``book`` the rules that keeper, witness and monitor apply alike, ``head`` what is signed, ``lookup`` what wallets check.
"""
