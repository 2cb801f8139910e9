"""The report as an interactive page on this machine, with an optional live kernel behind it."""
