"""What a reviewer asks of a card before signing it, and what its owner watches afterwards.

Everywhere `bad` is (n,) with True = defaulted, more points are safer, and `bins` is (n, d) as ``Card.bins`` gives it.
"""
