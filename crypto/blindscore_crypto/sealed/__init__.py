"""Sealed scoring: a public scorecard, sources that sign what they know, and one bit for the lender.

Where to begin: :mod:`.attestation` (Source), :mod:`.wallet` and :mod:`.verifier` are the three parties of the plain
form, :mod:`.terms` what they agree on in public, :mod:`.presentation` the one message between them. :mod:`.one_show`
and :mod:`.one_show_parties` are the form without a trail, over blind signatures (:mod:`.acl`). Below lie
:mod:`.range_proof`, :mod:`.linear_proof`, :mod:`.commitments`, :mod:`.transcript` and the groups (:mod:`.group`,
:mod:`.ristretto`). Beside them: perk tokens (:mod:`.tokens`, :mod:`.light_tokens`), the public log (:mod:`.log`), what
was spent (:mod:`.nullifiers`), and disclosure by choice (:mod:`.disclosure`).

An unaudited research prototype. Python does not run in constant time: run wallets on devices of their own.
"""
