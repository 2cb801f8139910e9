"""The world's own systems, played by their own libraries, each of which is an extra of its own.

::

    one file a system: its scheme, its design -.
    parties.py: issuer, wallet, lenders     +-> credential.py: play a sample, observe, hold views to it -> a design
"""
