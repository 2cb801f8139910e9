"""Parties: what each of them is sent, keeps and can read."""
