"""A secret card, committed to once, and every total proved to be that card's before the lender hears of it.

::

    wallet                      source (bank)                 lender: publishes C_i = w_i H + rho_i G for every bin i
      ask: seed, nonce, layout ---->
      <---- choices Q_j = kappa_j G + b_j T, signed
      application: salt, choices ------------------------->   reply, signed: each bin's entry under its own pad,
      opens its own bins' entries <------------------------   entry i = (alpha w_i + r_j, rho_i + m_j)
      bound: H(opening) ---------------------------------->
      <---------------------------------------------------    unmasking, signed: alpha, r = sum r_j, m = sum m_j
      has v and rho now: is v H + rho G the sum of its bins' C_i?
      opening: the masked total -------------------------->   is it alpha v + r? then total = offset + v
      <---------------------------------------------------    result, signed: score and decision

There is nothing to prove about ciphertexts: the reply carries, besides the masked total, the blinding under which the
public commitments to the person's own bins add up, and the wallet looks whether they do. Where to begin:
:mod:`~blindscore_crypto.encrypted.proved.transfer` for how exactly one entry a characteristic opens,
:mod:`~blindscore_crypto.encrypted.proved.terms` for the commitments, ``published`` for how everybody is shown the same
ones, ``judge`` for what a cheated person proves.
"""
