"""Tests; a package of its own, so that no other one called like it stands before it."""
