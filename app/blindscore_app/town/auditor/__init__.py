"""Auditor: opens the databases of a town, in the manner of GNU Taler's auditor, and names every row that cannot be.

It trusts no party: what is signed is checked, what is proven is verified again, what one table says of another must be
there, and what one party holds of another must agree. Who sees what: the auditor reads all databases that it is given,
wallets only where people hand theirs in. Not seen: a figure that a source changes before it signs; rows that a lender
deletes wholly of somebody who hands in no wallet; anything that is no longer kept.
"""
