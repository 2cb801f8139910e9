"""Sealed scoring: a public scorecard, sources that sign what they know, and one bit for the lender.

::

    log ---- terms, keys, k of n witnesses ---------------------.
                                                                v
    source -- signs bins and the wallet's secret, unseen --> wallet -- ask, commit, answer, fetch --> lender
                                                                |  <- offer, receipt, decision ------'
                                                                v
                                              answer, receipt, decision --> judge

Where to begin: :mod:`.terms` is what a lender publishes, :mod:`.offer` what wallet and lender say to each other,
:mod:`.parties` who says it, with all state in stores; :mod:`.check` and :mod:`.judge` are anybody's. Sources sign
commitments (:mod:`.attestation`, shown by :mod:`.presentation`) or, in the one-show form, blindly (:mod:`.blind`,
shown by :mod:`.one_show`); :mod:`.holder` gives a person one place a lender and epoch. Below lie :mod:`.proofs` and
:mod:`.groups`; beside them :mod:`.log`, :mod:`.perks`, :mod:`.disclosure` and :mod:`.contract`.

An unaudited research prototype. Python does not run in constant time: run wallets on devices of their own.
"""
