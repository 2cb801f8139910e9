"""Not part of the protocol: a published hint, and a probability under CKKS."""
