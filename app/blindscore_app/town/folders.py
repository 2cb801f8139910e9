"""Folders: where a town's parties keep what is theirs. Nothing heavy is loaded here: every service starts with it."""

from __future__ import annotations

from pathlib import Path

PUBLIC, WALLETS, STORE = "public", "wallets", "store.db"


def folder_of(town: Path, name: str) -> Path:
    """Return a party's folder."""
    return town / name.replace(" ", "-")
