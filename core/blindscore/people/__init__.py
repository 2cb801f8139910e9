"""People whose credit is scored: real files, or a synthetic society."""
