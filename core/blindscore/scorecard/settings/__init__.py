"""How a card is fitted, as a TOML file that people read, edit, and fit again."""
