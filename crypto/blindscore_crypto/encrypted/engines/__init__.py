"""Two engines behind one scheme: SEAL, and the ring in Numba."""
