"""Perks by tokens that nobody can link to the application."""
