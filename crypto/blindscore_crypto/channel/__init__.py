"""How messages travel: frames of fixed size, signatures with one purpose a meaning, oblivious HTTP."""
