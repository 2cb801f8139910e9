"""One file a group of commands; each is a plain function that :mod:`blindscore_app.cli` registers."""
