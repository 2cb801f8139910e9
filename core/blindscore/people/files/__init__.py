"""People in files: tables and graphs in, a schema beside them, a population out."""
