"""Files that people bring and take: read, scored, and written safely."""
