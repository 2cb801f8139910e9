"""Compare shares of a score with a threshold: keys that a third party deals, and authenticated shares."""
