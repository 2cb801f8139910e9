"""What people run: the command line, the report and its pictures."""
