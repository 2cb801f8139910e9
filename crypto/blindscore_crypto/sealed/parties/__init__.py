"""Who plays the sealed protocols: wallet, lender, blind source, public log."""
