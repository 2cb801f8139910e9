"""Parties, what they keep, and what travels between them.

::

    person --tell--> wallet --line--> source, lender, helper ...     Table plays it, in memory, with one clock
                       |                 |
                     Store             Store                what each keeps: tables with columns and retention
                       \\______ Tape _____/                  what went over each line, byte for byte

``observe`` reads stores and tape and says what each party really had; a design's declared views are held to it.
"""
