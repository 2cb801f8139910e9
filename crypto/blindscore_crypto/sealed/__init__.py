"""Sealed scoring: a public scorecard, sources that sign commitments to bins, and one bit for the lender.

Begin with :mod:`.protocol` (Source, Wallet, Verifier); below it lie :mod:`.attestation` (what a source signs),
:mod:`.range_proof` (score >= threshold), :mod:`.commitments`, :mod:`.transcript` and :mod:`.group`.
The whole is an unaudited research prototype. Python does not run in constant time: run wallets on devices of their own.
"""
