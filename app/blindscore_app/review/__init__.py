"""Pages about a card in use: the validation document that a reviewer signs, and the monitor of what comes in."""
