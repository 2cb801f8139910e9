"""One idea: a list of idempotent tasks, each writing one result, and a manifest of what is done."""
