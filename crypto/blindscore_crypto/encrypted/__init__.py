"""Score a person under encryption: the lender's points stay secret, the person's bins stay secret, the score is exact.

Where to begin: :mod:`~blindscore_crypto.encrypted.parties` draws the protocol and has its parties, and
:mod:`~blindscore_crypto.encrypted.parameters` the one table of parameters; an engine behind
:mod:`~blindscore_crypto.encrypted.engines.scheme` does the arithmetic. A secret card that is proved each time is
another protocol, without a lattice: :mod:`~blindscore_crypto.encrypted.proved`.
"""
