"""Groups of prime order: P-256, ristretto255, hashing to a curve, weighted sums."""
