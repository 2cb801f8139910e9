"""The world's own systems, played by their own libraries, each of which is an extra of its own.

::

    scheme (sd_jwt, mdoc)                  -.
    parties.py: issuer, wallet, lenders     +-> credential.py: play a sample, observe, hold views to it -> a design
"""
