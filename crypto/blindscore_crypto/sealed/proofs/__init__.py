"""Commitments and what is proved of them: linear relations, ranges."""
