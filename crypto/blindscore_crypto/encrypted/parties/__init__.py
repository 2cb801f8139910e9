"""The parties of the encrypted designs. All that they say is bytes; all that they keep is in their store.

::

    wallet                      source (bank)             lender                          helper        auditor
      ask: key, nonce, layout ---->
      <---- attestation: Enc(bins), signed
      application: salt, attestation ------------------>   reply: Enc(alpha_k v + r_k)
      <-------------------------------------------------
    ReadScore, SignScore
      opening: y_k, signed by the one-time key --------->   one v for all y_k: the total
      <---------------- decision, or a signed result ----   SignScore: result ----------------------->  pick by chance
                                                            transcript and seed <------ pick ---------  compute again
    ReadDecision
      opening, keys for the helper ------------------------------------------------------>
                                                            check, telling <---> commitment, share
      <---------------- decision ------------------------
"""
