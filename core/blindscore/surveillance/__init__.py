"""Surveillance, measured: what each coalition of parties can still do to people with what a design shows it."""
