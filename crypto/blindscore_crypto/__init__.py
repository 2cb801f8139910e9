"""Ways to compute a credit score unseen: encrypted, sealed, and trained privately.

Where to begin: :mod:`blindscore_crypto.designs` holds the designs that the frontier runs,
:mod:`blindscore_crypto.encrypted` scores under encryption, :mod:`blindscore_crypto.sealed` proves a score from
commitments, :mod:`blindscore_crypto.private_model` trains with differential privacy, and
:mod:`blindscore_crypto.channel` carries the messages. An unaudited research prototype.
Nothing heavy is imported here: import the module that you need.
"""
