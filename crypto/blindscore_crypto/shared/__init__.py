"""Scoring by two servers and secret shares: no lattice; the lender learns one bit, and cannot bend its card for one.

::

    wallet                    source (bank)         lender                              helper (second server)
                                                      card enrolled once a source: <------->  w - B, a key (enrol.py)
      begin ----------------------------------------> box
      ask: box, layout ---------> e = e_L + e_H, tags, comparison keys (deal.py)
      <------ attestation: [half]_lender, [half]_helper, hashes of two tokens
      application --------------------------------->
      part ----------------------------------------------------------------------------->
                                                      masked: w - b --------------------->
                                                      <---------- challenge, opened sums    (check.py)
                                                      proof: G, opened sums, total ------>  card enrolled? shares valid?
                                                      <-------- total, share of a token
      <------- decision, token ---------------------  one of two tokens?

Who sees what: the lender one bit an application under a pairwise pseudonym; the helper that somebody applied to this
lender; the source what it knew, a layout, and the helper's name; each besides uniform values. The wallet its decision.
What holds against one server that cheats, with or without applicants: it learns no more than above, and a change of
shares, points, threshold or token is refused but with probability 2^-46 an attempt, whatever the bins are. Against a
source that shares anything but one bin a characteristic: the same. One-hot check: rows.py; comparison: a distributed
comparison function, as in ``encrypted-decision``.
Assumptions: source, helper and lender pool nothing; the source deals honestly; ChaCha20, and ChaCha with keys of 128
bits, Poly1305, SHA-256, SHAKE-256. Ed25519 for what a source signs, and X25519 besides for the lender's half: whoever
breaks X25519 and has taped the wallet's line to the lender reads uniform values, and with the helper's records the
bins.
Does not protect: lender and helper together have the bins; source and helper together the points; lender and source
together may bend. A source may lie about bins, or deal false blinding or comparison keys, and so decide itself. A
lender may enrol a bad card, one for each source's customers, or stay silent.
"""
